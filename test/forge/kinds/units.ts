/** Blocks, flexible and complex orders told otherwise; what they no longer trade, orders of one MTU do. */

import { profileOf, spanOf } from '../../../src/verify/view/units.ts';
import type { Dice } from '../../support/random-orders.ts';
import { type Draft, execute, type Honest, kind, one, pairsOf, rounded, singles, stepOf } from '../forgery.ts';

/** More of a side in a zone and MTU is sold (or bought) by limit orders there; false where they cannot. */
function take(draft: Draft, honest: Honest, dice: Dice, zone: string, period: number, sold: number): boolean {
  let left = rounded(sold);
  const here = singles(draft, honest).filter(({ order }) => order.zone === zone && order.period === period);
  for (let tries = 0; tries < 12 && left !== 0 && here.length > 0; tries++) {
    const each = dice.pick(here);
    const now = each.told.power as number;
    const sign = each.order.side === 'sell' ? 1 : -1;
    const to = rounded(Math.min(each.order.power, Math.max(0, now + sign * left)));
    left = rounded(left - sign * (to - now));
    execute(each, to);
  }
  return left === 0;
}

function replace(draft: Draft, honest: Honest, dice: Dice, which: number, powers: readonly number[]): boolean {
  const order = honest.book.orders[which]!;
  const told = draft.orders[which]!;
  const sign = 'side' in order && order.side === 'sell' ? 1 : -1;
  const before = told.power as number[];
  const span = order.kind === 'complex' ? 1 : spanOf(order, honest.book);
  const periodsOf = (k: number): number[] => {
    const first = order.kind === 'complex' ? k : (profileOf(order as never, told.start)[k]!.period - 1) * span;
    return Array.from({ length: span }, (_, j) => first + j + 1);
  };
  for (const [k, mw] of powers.entries())
    for (const period of mw === before[k] ? [] : periodsOf(k))
      if (!take(draft, honest, dice, order.zone, period, sign * (before[k]! - mw))) return false;
  told.power = [...powers];
  return true;
}

const indexOf = (
  draft: Draft,
  honest: Honest,
  dice: Dice,
  fits: (pair: ReturnType<typeof pairsOf>[number]) => boolean,
) =>
  one(
    [...pairsOf(draft, honest).entries()].flatMap(([i, pair]) => (fits(pair) ? [i] : [])),
    dice,
  );

const rejected = (draft: Draft, i: number, missed: number) => {
  Object.assign(draft.orders[i]!, {
    status: 'rejected',
    ratio: 0,
    reason: { code: 'paradoxically_rejected', distance: 0, missedSurplus: missed, binding: [] },
  });
};

kind('block: an accepted one left out, others trade instead', 'told', (draft, honest, dice) => {
  const i = indexOf(draft, honest, dice, ({ order, told }) => order.kind === 'block' && told.ratio === 1);
  if (i === undefined) return false;
  const { power } = draft.orders[i]!;
  if (
    !replace(
      draft,
      honest,
      dice,
      i,
      (power as number[]).map(() => 0),
    )
  )
    return false;
  rejected(draft, i, Math.max(0, draft.orders[i]!.surplus));
  return true;
});

kind('block: a rejected one accepted, others trade less', 'told', (draft, honest, dice) => {
  const i = indexOf(draft, honest, dice, ({ order, told }) => order.kind === 'block' && told.ratio === 0);
  if (i === undefined) return false;
  const order = honest.book.orders[i]!;
  if (order.kind !== 'block') return false;
  if (
    !replace(
      draft,
      honest,
      dice,
      i,
      profileOf(order).map(({ power }) => power),
    )
  )
    return false;
  Object.assign(draft.orders[i]!, { status: 'accepted', ratio: 1 });
  return true;
});

for (const lots of [-1, 1, 10]) {
  kind(`block: a ratio ${lots > 0 ? 'up' : 'down'} by ${Math.abs(lots)} lots`, 'told', (draft, honest, dice) => {
    const i = indexOf(
      draft,
      honest,
      dice,
      ({ order, told }) => order.kind === 'block' && told.ratio! > 0 && order.minAcceptance < 1,
    );
    if (i === undefined) return false;
    const order = honest.book.orders[i]!;
    if (order.kind !== 'block') return false;
    const asked = profileOf(order).map(({ power }) => power);
    const now = draft.orders[i]!.power as number[];
    const most = Math.max(...asked);
    const ratio = (now[asked.indexOf(most)]! + lots * stepOf(honest)) / most;
    if (ratio < order.minAcceptance || ratio > 1) return false;
    const step = stepOf(honest);
    if (
      !replace(
        draft,
        honest,
        dice,
        i,
        asked.map((mw) => rounded(Math.round((mw * ratio) / step) * step)),
      )
    )
      return false;
    const reason = { code: 'partial_at_the_money' as const, distance: 0, missedSurplus: 0, binding: [] };
    const whole = ratio === 1;
    Object.assign(draft.orders[i]!, {
      status: whole ? 'accepted' : 'partially_accepted',
      ratio,
      ...(!whole && { reason }),
    });
    return true;
  });
}

kind('block: of equal ones the outcomes exchanged', 'told', (draft, honest, dice) => {
  const blocks = pairsOf(draft, honest).filter(({ order }) => order.kind === 'block' || order.kind === 'flexible');
  const words = ({
    order: { record_id: _, intake: __, ...rest },
  }: {
    order: { record_id: string; intake?: unknown };
  }) => JSON.stringify(rest);
  const a = one(blocks, dice);
  const b = blocks.find(
    (each) => a !== undefined && each !== a && words(each) === words(a) && each.told.status !== a.told.status,
  );
  if (a === undefined || b === undefined) return false;
  const { record_id, participant, ...rest } = structuredClone(a.told);
  for (const [to, fields] of [
    [a.told, structuredClone(b.told)],
    [b.told, { ...rest, record_id, participant }],
  ] as const) {
    const own = { record_id: to.record_id, ...(to.participant !== undefined && { participant: to.participant }) };
    for (const key of Object.keys(to)) delete (to as Record<string, unknown>)[key];
    Object.assign(to, fields, own);
    if (to.participant === undefined) delete to.participant;
  }
  return true;
});

kind('flexible: started somewhere else', 'told', (draft, honest, dice) => {
  const i = indexOf(draft, honest, dice, ({ order, told }) => order.kind === 'flexible' && told.ratio === 1);
  if (i === undefined) return false;
  const order = honest.book.orders[i]!;
  if (order.kind !== 'flexible') return false;
  const start = dice.whole(order.earliest, order.latest);
  const told = draft.orders[i]!;
  if (start === told.start) return false;
  const power = told.power as number[];
  if (
    !replace(
      draft,
      honest,
      dice,
      i,
      power.map(() => 0),
    )
  )
    return false;
  told.start = start;
  return replace(draft, honest, dice, i, power);
});

kind('complex: a lot from one MTU to another', 'told', (draft, honest, dice) => {
  const i = indexOf(draft, honest, dice, ({ order, told }) => order.kind === 'complex' && told.status !== 'rejected');
  if (i === undefined) return false;
  const power = [...(draft.orders[i]!.power as number[])];
  const [a, b] = [dice.whole(0, power.length - 1), dice.whole(0, power.length - 1)];
  if (a === b || power[a]! < stepOf(honest)) return false;
  power[a] = rounded(power[a]! - stepOf(honest));
  power[b] = rounded(power[b]! + stepOf(honest));
  return replace(draft, honest, dice, i, power);
});

for (const lots of [-1, 1, -5]) {
  kind(`complex: ${Math.abs(lots)} lots ${lots > 0 ? 'more' : 'less'} in one MTU`, 'told', (draft, honest, dice) => {
    const i = indexOf(draft, honest, dice, ({ order, told }) => order.kind === 'complex' && told.status !== 'rejected');
    if (i === undefined) return false;
    const power = [...(draft.orders[i]!.power as number[])];
    const t = dice.whole(0, power.length - 1);
    power[t] = rounded(power[t]! + lots * stepOf(honest));
    return power[t]! >= 0 && replace(draft, honest, dice, i, power);
  });
}

kind('order: in the money and told to be paradoxically rejected', 'told', (draft, honest, dice) => {
  const { book } = honest;
  const found = one(
    singles(draft, honest).filter(({ mw }) => mw > 0),
    dice,
  );
  if (found === undefined) return false;
  const sign = found.order.side === 'sell' ? 1 : -1;
  const { order, mw, told } = found;
  execute(found, 0);
  told.reason = { code: 'paradoxically_rejected', distance: 0, missedSurplus: Math.max(0, told.surplus), binding: [] };
  draft.prices[order.zone] = draft.prices[order.zone]!.map((price, t) =>
    dice.chance(0.2)
      ? dice.chance(0.5)
        ? book.priceLimits.max
        : book.priceLimits.min
      : t === order.period - 1
        ? price
        : price,
  );
  return take(draft, honest, dice, order.zone, order.period, sign * mw);
});

kind('long order: less than its mean price asks', 'told', (draft, honest, dice) => {
  const { book } = honest;
  const i = indexOf(
    draft,
    honest,
    dice,
    ({ order, told }) =>
      order.kind === 'limit' && (order.resolution ?? book.resolution) !== book.resolution && told.power !== 0,
  );
  if (i === undefined) return false;
  const order = book.orders[i]!;
  if (order.kind !== 'limit') return false;
  const told = draft.orders[i]!;
  const span = spanOf(order, book);
  const sign = order.side === 'sell' ? 1 : -1;
  const mw = told.power as number;
  const left = dice.chance(0.5) ? 0 : rounded(Math.max(0, mw - stepOf(honest)));
  for (let k = 1; k <= span; k++)
    if (!take(draft, honest, dice, order.zone, (order.period - 1) * span + k, sign * (mw - left))) return false;
  execute({ order, told }, left);
  told.reason = { code: 'paradoxically_rejected', distance: 0, missedSurplus: Math.max(0, told.surplus), binding: [] };
  if (dice.chance(0.5)) draft.status = 'feasible';
  return true;
});
