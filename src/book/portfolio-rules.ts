/**
 * Whose an order is: its participant's, of one of the participant's portfolios, in that portfolio's zones and within its power.
 *
 * The limits are those of one order, as a market's are. Without portfolios (a house without access control) nothing is asked.
 */

import { type Fault, fault, show } from '../market/fault.ts';
import type { Order } from '../market/order.ts';
import type { Portfolio } from '../market/portfolio.ts';

/** Who sends orders. */
export interface Owner {
  readonly participant: string;
  readonly portfolios?: readonly Portfolio[];
}

/** What an order may not do for whose it is, rather than for what it is. */
const forbidden: ReadonlySet<string> = new Set(['not-yours', 'zone-not-yours', 'beyond-portfolio']);
export const isForbidden = ({ code }: Pick<Fault, 'code'>): boolean => forbidden.has(code);

/** The participant that an order names may be left out, and else is its sender. */
export function checkParticipant(named: string | undefined, owner: Owner | undefined, found: Fault[]): void {
  if (named === undefined || owner === undefined || named === owner.participant) return;
  found.push(
    fault('participant', 'not-yours', `${show(named)} is not ${owner.participant}, who sends this; it may be left out`),
  );
}

/** The order with its portfolio, which is filled in where the owner has one only. */
export function ofPortfolio(order: Order, portfolios: readonly Portfolio[] | undefined, found: Fault[]): Order {
  if (portfolios === undefined) return order;
  const names = portfolios.map(({ name }) => name).join(', ');
  if (order.portfolio === undefined && portfolios.length > 1) {
    found.push(fault('portfolio', 'missing', `which portfolio? one of ${names}`));
    return order;
  }
  const portfolio =
    order.portfolio === undefined ? portfolios[0] : portfolios.find(({ name }) => name === order.portfolio);
  if (portfolio === undefined) {
    found.push(fault('portfolio', 'not-yours', `${show(order.portfolio)} is none of your portfolios ${names}`));
    return order;
  }
  checkPortfolio(order, portfolio, found);
  return { ...order, portfolio: portfolio.name };
}

function checkPortfolio(order: Order, { name, zones, powerLimits = {} }: Portfolio, found: Fault[]): void {
  if (!zones.includes(order.zone)) {
    const message = `${show(order.zone)} is none of the zones ${zones.join(', ')} of portfolio ${name}`;
    found.push(fault('zone', 'zone-not-yours', message));
  }
  for (const { side, power, field } of largestPowers(order)) {
    const most = powerLimits[side] ?? Number.POSITIVE_INFINITY;
    if (power <= most) continue;
    const what = side === 'buy' ? 'buys' : 'sells';
    const message = `${power} MW is more than the ${most} MW that an order of portfolio ${name} ${what} at most`;
    found.push(fault(field, 'beyond-portfolio', message));
  }
}

interface Largest {
  readonly side: 'buy' | 'sell';
  /** MW. */
  readonly power: number;
  readonly field: string;
}

/** What an order could buy or sell in one period, and the field that says so. */
function largestPowers(order: Order): Largest[] {
  switch (order.kind) {
    case 'limit':
    case 'flexible':
      return [{ side: order.side, power: order.power, field: 'power' }];
    case 'curve': {
      const powers = order.points.map(({ power }) => power);
      const bought = powers.reduce((most, power) => Math.max(most, power), 0);
      const sold = powers.reduce((most, power) => Math.max(most, -power), 0);
      return [
        { side: 'buy', power: bought, field: `points.${powers.indexOf(bought)}.power` },
        { side: 'sell', power: sold, field: `points.${powers.indexOf(-sold)}.power` },
      ];
    }
    case 'block': {
      const { side, profile, power = 0 } = order;
      if (profile === undefined) return [{ side, power, field: 'power' }];
      return [{ side, ...largestStep(profile, 'profile') }];
    }
    case 'complex': {
      // The steps of one period run together.
      const sums = new Map<number, number>();
      for (const { period, power } of order.steps) sums.set(period, (sums.get(period) ?? 0) + power);
      const steps = order.steps.map(({ period }) => ({ power: Math.round(sums.get(period)! * 1e6) / 1e6 }));
      return [{ side: order.side, ...largestStep(steps, 'steps') }];
    }
  }
}

function largestStep(steps: readonly { readonly power: number }[], list: string): { power: number; field: string } {
  const power = steps.reduce((most, step) => Math.max(most, step.power), 0);
  return { power, field: `${list}.${steps.findIndex((step) => step.power === power)}.power` };
}
