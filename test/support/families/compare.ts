/**
 * The engine held to the oracle on one book.
 *
 * Welfare has to be the oracle's to the cent, each price within half a tick of the prices that support it, and as much traded as can be.
 * Where an exact answer is not in whole lots, welfare and volume may differ by what rounding explains; where a block is cut to no whole
 * lot, rounding may decide (section 5.5), and only much more welfare than there is counts as wrong.
 */

import { clearWith } from '../../../src/clearing/clear.ts';
import type { Solver } from '../../../src/clearing/solver/highs.ts';
import type { Book } from '../../../src/market/book.ts';
import { AuctionError } from '../../../src/market/errors.ts';
import type { Result } from '../../../src/market/result.ts';
import { hoursOf, resolutionMinutes } from '../../../src/market/time.ts';
import { verify } from '../../../src/verify/verify.ts';
import { oracle, type Truth } from '../exact/oracle.ts';
import { text, toNumber } from '../exact/rational.ts';

export const kinds = ['crash', 'unsupported', 'welfare', 'price', 'volume', 'verifier'] as const;
export interface Verdict {
  /** `lots`: rounding may decide, and nothing can be said. */
  readonly kind: 'ok' | 'lots' | (typeof kinds)[number];
  readonly message: string;
}

const hash = `sha256:${'0'.repeat(64)}`;
const ok: Verdict = { kind: 'ok', message: '' };

export function judge(book: Book, solver: Solver): Verdict {
  const truth = oracle(book);
  let result: Result;
  try {
    result = clearWith(solver, book, hash).result;
  } catch (error) {
    const { message } = error as Error;
    // Flows that nobody serves: the house refuses, and the oracle has no answer.
    if (error instanceof AuctionError && truth === undefined) return ok;
    return { kind: 'crash', message: `${message.split('\n')[0]}` };
  }
  const wrong = truth === undefined ? unsupported(result) : differences(book, result, truth);
  if (wrong.kind !== 'ok') return wrong;
  try {
    const broken = verify(book, hash, result).checks.find(({ violations }) => violations.length > 0);
    if (broken === undefined) return ok;
    const { where, message } = broken.violations[0]!;
    return { kind: 'verifier', message: `${broken.invariant} ${where}: ${message}` };
  } catch (error) {
    return { kind: 'verifier', message: `verify() throws: ${(error as Error).message.split('\n')[0]}` };
  }
}

const unsupported = ({ status }: Result): Verdict =>
  status === 'feasible' ? ok : { kind: 'unsupported', message: `${status}, where no prices support anything` };

function differences(book: Book, result: Result, truth: Truth): Verdict {
  const [welfare, volume] = [toNumber(truth.welfare), toNumber(truth.volume)];
  const lots = isWhole(book, truth) ? 0 : book.lot!;
  const rounds = lots > 0 && truth.cutsOrder;
  const [first, ...others] = truth.decisions;
  const which = `oracle: ${first || 'nothing on'}${others.length > 0 ? `, and ${others.length} of the same welfare` : ''}`;
  const cents = 0.0051 + 1e-9 * Math.abs(welfare);
  const rounding = cents + (lots === 0 ? 0 : roundingOf(book, truth, lots));
  const lack = welfare - result.welfare;
  if (Math.abs(lack) > rounding) {
    if (rounds && lack > -excessOf(book, lots)) return { kind: 'lots', message: '' };
    return { kind: 'welfare', message: `${result.welfare} instead of ${text(truth.welfare)} (${which})` };
  }
  const half = (book.priceLimits.tick ?? 1e-6) / 2 + 1e-9;
  for (const [zone, ranges] of Object.entries(truth.prices)) {
    for (const [t, { min, max }] of ranges.entries()) {
      const price = result.prices[zone]![t]!;
      if (price >= toNumber(min) - half && price <= toNumber(max) + half) continue;
      if (rounds) return { kind: 'lots', message: '' };
      const message = `${zone} ${t + 1}: ${price} instead of ${text(min)} to ${text(max)} (${which})`;
      return { kind: 'price', message };
    }
  }
  const traded = volumeOf(book, result);
  const slack = Math.max(2e-6, lots) * book.orders.length * hoursOf(book.resolution) * book.periods;
  if (Math.abs(traded - volume) <= slack) return ok;
  if (rounds) return { kind: 'lots', message: '' };
  return { kind: 'volume', message: `${traded} MWh instead of ${text(truth.volume)} (${which})` };
}

const isWhole = ({ lot }: Book, { isInLots }: Truth): boolean => lot === undefined || isInLots;

/** Money that rounding a cut block up in each of its MTUs may add: some lots from the lowest price of an order to the highest. */
function excessOf({ orders, periods, resolution }: Book, lot: number): number {
  const prices = orders.flatMap((order) => {
    if (order.kind === 'curve') return order.points.map(({ price }) => price);
    return order.kind === 'complex' ? order.steps.map(({ price }) => price) : [order.price];
  });
  return lot * orders.length * periods * hoursOf(resolution) * (Math.max(...prices) - Math.min(...prices));
}

/**
 * Money by which rounding to lots may change the welfare: along sloped curves, and where losses or constraints bind. What a lossy line
 * loses by rounding is a gain where prices are negative.
 */
function roundingOf(book: Book, { prices }: Truth, lot: number): number {
  const slopes = book.orders.flatMap((order) => {
    if (order.kind !== 'curve' || order.shape !== 'linear') return [];
    return order.points.slice(1).map((point, i) => {
      const before = order.points[i]!;
      const power = before.power - point.power;
      return power > 0 ? (point.price - before.price) / power : 0;
    });
  });
  const bends = slopes.reduce((sum, slope) => sum + 2 * slope * lot * lot, 0) * book.periods;
  const isBound = book.constraints.length > 0 || book.lines.some(({ loss }) => loss > 0);
  const ends = Object.values(prices).flatMap((ranges) =>
    ranges.flatMap(({ min, max }) => [toNumber(min), toNumber(max)]),
  );
  const shifts = isBound ? 2 * lot * book.zones.length * book.periods * Math.max(...ends.map(Math.abs)) : 0;
  return (bends + shifts) * hoursOf(book.resolution);
}

/** MWh bought. */
function volumeOf(book: Book, { orders }: Result): number {
  const outcomes = new Map(orders.map((outcome) => [outcome.record_id, outcome]));
  const bought = book.orders.map((order) => {
    if (order.kind !== 'curve' && order.side === 'sell') return 0;
    const span = resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
    const { power } = outcomes.get(order.record_id)!;
    // A complex order tells its MW by MTU.
    const length = order.kind === 'complex' ? 1 : span;
    return [power].flat().reduce((sum, mw) => sum + Math.max(0, mw) * length, 0);
  });
  return bought.reduce((sum, mwh) => sum + mwh, 0) * hoursOf(book.resolution);
}
