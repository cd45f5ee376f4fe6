/** Prices moved, with everything else told to fit. */

import type { Dice } from '../../support/random-orders.ts';
import { type Draft, type Honest, kind, one, rounded, tickOf } from '../forgery.ts';

interface Cell {
  readonly zone: string;
  readonly t: number;
}

const cellOf = ({ book }: Honest, dice: Dice): Cell => ({
  zone: dice.pick(book.zones),
  t: dice.whole(0, book.periods - 1),
});

/** Zones that have the price of a cell in its MTU. */
const together = ({ prices }: Draft, { book }: Honest, { zone, t }: Cell): string[] =>
  book.zones.filter((other) => Math.abs(prices[other]![t]! - prices[zone]![t]!) < 1e-9);

function move(draft: Draft, honest: Honest, zones: readonly string[], t: number, to: number): boolean {
  const { min, max } = honest.book.priceLimits;
  const tick = tickOf(honest);
  const price = rounded(Math.min(max, Math.max(min, Math.round(to / tick) * tick)));
  const changed = zones.some((zone) => draft.prices[zone]![t] !== price);
  for (const zone of zones) draft.prices[zone]![t] = price;
  return changed;
}

/** Prices that some order of an MTU names. */
function limitsAt({ book }: Honest, zones: readonly string[]): number[] {
  const all = book.orders
    .filter(({ zone }) => zones.includes(zone))
    .flatMap((order) => {
      if (order.kind === 'curve') return order.points.map(({ price }) => price);
      return order.kind === 'complex' ? order.steps.map(({ price }) => price) : [order.price];
    });
  return [...new Set(all)].sort((a, b) => a - b);
}

const goals: Readonly<Record<string, (limits: readonly number[], at: number, tick: number) => number | undefined>> = {
  'down to the next limit': (limits, at) => limits.filter((limit) => limit < at).at(-1),
  'up to the next limit': (limits, at) => limits.find((limit) => limit > at),
  'halfway down to the next limit': (limits, at) => half(limits.filter((limit) => limit < at).at(-1), at),
  'halfway up to the next limit': (limits, at) =>
    half(
      limits.find((limit) => limit > at),
      at,
    ),
  'a tick down': (_, at, tick) => at - tick,
  'a tick up': (_, at, tick) => at + tick,
  'two ticks up': (_, at, tick) => at + 2 * tick,
};
const half = (a: number | undefined, b: number) => (a === undefined ? undefined : (a + b) / 2);

for (const [name, goal] of Object.entries(goals)) {
  for (const all of [false, true]) {
    kind(`price: ${name}, ${all ? 'of all zones that share it' : 'of one zone'}`, 'told', (draft, honest, dice) => {
      const cell = cellOf(honest, dice);
      const shared = together(draft, honest, cell);
      if (!all && shared.length === 1 && honest.book.zones.length > 1) return false;
      const to = goal(limitsAt(honest, shared), draft.prices[cell.zone]![cell.t]!, tickOf(honest));
      return to !== undefined && move(draft, honest, all ? shared : [cell.zone], cell.t, to);
    });
  }
}

kind('price: that of some order', 'told', (draft, honest, dice) => {
  const cell = cellOf(honest, dice);
  const shared = together(draft, honest, cell);
  const to = one(limitsAt(honest, honest.book.zones), dice);
  return to !== undefined && move(draft, honest, shared, cell.t, to);
});

kind('price: to a limit of the market', 'told', (draft, honest, dice) => {
  const cell = cellOf(honest, dice);
  const { min, max } = honest.book.priceLimits;
  return move(draft, honest, together(draft, honest, cell), cell.t, dice.pick([min, max]));
});

kind('price: a tenth higher or lower', 'told', (draft, honest, dice) => {
  const cell = cellOf(honest, dice);
  const at = draft.prices[cell.zone]![cell.t]!;
  return move(draft, honest, together(draft, honest, cell), cell.t, at * dice.pick([0.9, 1.1]));
});

kind('price: a whole unit higher or lower', 'told', (draft, honest, dice) => {
  const cell = cellOf(honest, dice);
  const at = draft.prices[cell.zone]![cell.t]!;
  return move(draft, honest, together(draft, honest, cell), cell.t, at + dice.pick([-1, 1]));
});

kind('price: those of two MTUs exchanged', 'told', (draft, honest, dice) => {
  const [a, b] = [cellOf(honest, dice), cellOf(honest, dice)];
  const [x, y] = [draft.prices[a.zone]![a.t]!, draft.prices[a.zone]![b.t]!];
  if (x === y) return false;
  move(draft, honest, together(draft, honest, { zone: a.zone, t: b.t }), b.t, x);
  return move(draft, honest, together(draft, honest, a), a.t, y);
});

kind('price: those of two zones exchanged', 'told', (draft, honest, dice) => {
  const [a, b] = [cellOf(honest, dice), dice.pick(honest.book.zones)];
  const [x, y] = [draft.prices[a.zone]![a.t]!, draft.prices[b]![a.t]!];
  if (x === y) return false;
  move(draft, honest, [a.zone], a.t, y);
  return move(draft, honest, [b], a.t, x);
});

kind('price: one MTU dearer and another as much cheaper', 'told', (draft, honest, dice) => {
  const [a, b] = [cellOf(honest, dice), cellOf(honest, dice)];
  if (a.t === b.t) return false;
  const by = dice.pick([tickOf(honest), 1, 5, 10]);
  const [x, y] = [draft.prices[a.zone]![a.t]!, draft.prices[a.zone]![b.t]!];
  move(draft, honest, together(draft, honest, { zone: a.zone, t: b.t }), b.t, y - by);
  return move(draft, honest, together(draft, honest, a), a.t, x + by);
});

kind('price: all of a day a tick dearer', 'told', (draft, honest) => {
  const { periods, zones, priceLimits } = honest.book;
  for (const zone of zones)
    for (let t = 0; t < periods; t++)
      draft.prices[zone]![t] = rounded(Math.min(priceLimits.max, draft.prices[zone]![t]! + tickOf(honest)));
  return true;
});

kind('price: so that a block is just at the money', 'told', (draft, honest, dice) => {
  const block = one(
    honest.book.orders.filter(({ kind }) => kind === 'block' || kind === 'flexible'),
    dice,
  );
  if (block === undefined || !('price' in block)) return false;
  const t = dice.whole(0, honest.book.periods - 1);
  return move(draft, honest, together(draft, honest, { zone: block.zone, t }), t, block.price);
});

kind('price: finer than the tick', 'told', (draft, honest, dice) => {
  const { zone, t } = cellOf(honest, dice);
  draft.prices[zone]![t] = draft.prices[zone]![t]! + tickOf(honest) / 10;
  return true;
});
