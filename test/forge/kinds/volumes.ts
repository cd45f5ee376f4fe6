/** Volumes moved from one order to another, added or taken away, with everything else told to fit. */

import type { Dice } from '../../support/random-orders.ts';
import {
  type Draft,
  execute,
  type Honest,
  kind,
  one,
  rounded,
  type Single,
  same,
  singles,
  stepOf,
} from '../forgery.ts';

/** Two limit orders of one side, zone and MTU, drawn. */
function couple(
  draft: Draft,
  honest: Honest,
  dice: Dice,
  fits: (a: Single, b: Single) => boolean,
): [Single, Single] | undefined {
  const all = singles(draft, honest);
  for (let tries = 0; tries < 40 && all.length > 1; tries++) {
    const [a, b] = [dice.pick(all), dice.pick(all)];
    if (a !== b && same(a, b) && fits(a, b)) return [a, b];
  }
  return undefined;
}

function pass(from: Single, to: Single, mw: number): boolean {
  const most = rounded(Math.min(mw, from.mw, to.order.power - to.mw));
  if (most <= 0) return false;
  execute(from, from.mw - most);
  execute(to, to.mw + most);
  return true;
}

const alike = (a: Single, b: Single): boolean => a.order.price === b.order.price && a.order.power === b.order.power;

kind('volume: of equal orders exchanged', 'told', (draft, honest, dice) => {
  const found = couple(draft, honest, dice, (a, b) => alike(a, b) && a.mw !== b.mw);
  if (found === undefined) return false;
  const [a, b] = found;
  execute(a, b.mw);
  execute(b, a.mw);
  return true;
});

for (const [name, size] of [
  ['a lot', 1],
  ['two lots', 2],
  ['ten lots', 10],
  ['all', 1e12],
] as const) {
  kind(`volume: ${name} to another order of the same price`, 'told', (draft, honest, dice) => {
    const found = couple(
      draft,
      honest,
      dice,
      (a, b) => a.order.price === b.order.price && a.mw > 0 && b.mw < b.order.power,
    );
    return found !== undefined && pass(...found, size * stepOf(honest));
  });
  kind(`volume: ${name} to an order of another price`, 'told', (draft, honest, dice) => {
    const found = couple(
      draft,
      honest,
      dice,
      (a, b) => a.order.price !== b.order.price && a.mw > 0 && b.mw < b.order.power,
    );
    return found !== undefined && pass(...found, size * stepOf(honest));
  });
  kind(`volume: ${name} less of a buy and of a sell`, 'told', (draft, honest, dice) =>
    both(draft, honest, dice, -size),
  );
  kind(`volume: ${name} more of a buy and of a sell`, 'told', (draft, honest, dice) => both(draft, honest, dice, size));
}

/** A buy and a sell of one zone and MTU both more, or both less. */
function both(draft: Draft, honest: Honest, dice: Dice, lots: number): boolean {
  const all = singles(draft, honest);
  const room = ({ order, mw }: Single) => (lots > 0 ? order.power - mw : mw);
  const buy = one(
    all.filter((each) => each.order.side === 'buy' && room(each) > 0),
    dice,
  );
  if (buy === undefined) return false;
  const sell = one(
    all.filter(
      ({ order, ...each }) =>
        order.side === 'sell' &&
        order.zone === buy.order.zone &&
        order.period === buy.order.period &&
        room({ order, ...each }) > 0,
    ),
    dice,
  );
  if (sell === undefined) return false;
  const most = rounded(Math.min(Math.abs(lots) * stepOf(honest), room(buy), room(sell)));
  if (most <= 0) return false;
  execute(buy, buy.mw + Math.sign(lots) * most);
  execute(sell, sell.mw + Math.sign(lots) * most);
  return true;
}

kind('volume: shares of one price as they come instead of pro rata', 'told', (draft, honest, dice) => {
  const found = couple(
    draft,
    honest,
    dice,
    (a, b) => a.order.price === b.order.price && a.mw > 0 && b.mw > 0 && b.mw < b.order.power,
  );
  return found !== undefined && pass(...found, found[0].mw);
});

kind('volume: finer than a lot', 'told', (draft, honest, dice) => {
  const found = couple(draft, honest, dice, (a, b) => a.mw > 0 && b.mw < b.order.power);
  return found !== undefined && pass(...found, stepOf(honest) / 10);
});

kind('volume: more than an order asks for', 'bare', (draft, honest, dice) => {
  const found = one(singles(draft, honest), dice);
  if (found === undefined) return false;
  found.told.power = rounded(found.order.power + stepOf(honest));
  return true;
});

kind('volume: created', 'told', (draft, honest, dice) => {
  const found = one(
    singles(draft, honest).filter(({ mw, order }) => mw < order.power),
    dice,
  );
  if (found === undefined) return false;
  execute(found, Math.min(found.order.power, found.mw + stepOf(honest)));
  return true;
});

kind('volume: a lot of a curve to a limit order', 'told', (draft, honest, dice) => {
  const curves = honest.book.orders.flatMap((order, i) =>
    order.kind === 'curve' ? [{ order, told: draft.orders[i]! }] : [],
  );
  const curve = one(curves, dice);
  if (curve === undefined) return false;
  const { order } = curve;
  const other = one(
    singles(draft, honest).filter((each) => each.order.zone === order.zone && each.order.period === order.period),
    dice,
  );
  if (other === undefined) return false;
  const by = dice.pick([1, -1]) * stepOf(honest);
  const mw = rounded(other.mw + by);
  if (mw < 0 || mw > other.order.power) return false;
  execute(other, mw);
  // A curve's power is positive where it buys.
  curve.told.power = rounded((curve.told.power as number) + (other.order.side === 'buy' ? -by : by));
  return true;
});

kind('volume: of an hour to its quarters', 'told', (draft, honest, dice) => {
  const { book } = honest;
  const long = book.orders.flatMap((order, i) =>
    order.kind === 'limit' && order.resolution !== undefined && order.resolution !== book.resolution
      ? [{ order, told: draft.orders[i]! }]
      : [],
  );
  const found = one(long, dice);
  if (found === undefined) return false;
  const span =
    { PT15M: 1, PT30M: 2, PT60M: 4 }[found.order.resolution!] / { PT15M: 1, PT30M: 2, PT60M: 4 }[book.resolution];
  const by = dice.pick([-1, 1]) * dice.pick([1, 5]) * stepOf(honest);
  const mw = rounded((found.told.power as number) + by);
  if (mw < 0 || mw > found.order.power) return false;
  for (let t = 0; t < span; t++) {
    const period = (found.order.period - 1) * span + t + 1;
    const fits = singles(draft, honest).filter(
      (each) =>
        each.order.zone === found.order.zone &&
        each.order.period === period &&
        each.order.side === found.order.side &&
        each.mw - by >= 0 &&
        each.mw - by <= each.order.power,
    );
    const other = one(fits, dice);
    if (other === undefined) return false;
    execute(other, other.mw - by);
  }
  execute(found, mw);
  return true;
});
