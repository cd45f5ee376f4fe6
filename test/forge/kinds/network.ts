/** Flows and net positions told otherwise. */

import { execute, kind, one, rounded, same, singles, stepOf } from '../forgery.ts';

kind('flow: sent round a ring', 'told', (draft, { book, ...honest }, dice) => {
  // A way from a zone back to it, over different lines.
  const way: { id: string; sign: number }[] = [];
  const start = dice.pick(book.zones);
  let at = start;
  do {
    const next = one(
      book.lines.filter(({ id, from, to }) => (from === at || to === at) && !way.some((step) => step.id === id)),
      dice,
    );
    if (next === undefined) return false;
    way.push({ id: next.id, sign: next.from === at ? 1 : -1 });
    at = next.from === at ? next.to : next.from;
  } while (at !== start);
  const mw = stepOf({ book, ...honest }) * dice.pick([1, 5, 50]);
  const t = dice.whole(0, book.periods - 1);
  for (const { id, sign } of way) draft.flows[id]![t] = rounded(draft.flows[id]![t]! + sign * mw);
  return true;
});

kind('flow: the other way', 'told', (draft, { book }, dice) => {
  const line = one(book.lines, dice);
  if (line === undefined) return false;
  const t = dice.whole(0, book.periods - 1);
  const mw = draft.flows[line.id]![t]!;
  draft.flows[line.id]![t] = rounded(-mw);
  return mw !== 0;
});

for (const lots of [1, -1, 10]) {
  kind(`flow: ${lots} lots more, orders at both ends give way`, 'told', (draft, honest, dice) => {
    const { book } = honest;
    const line = one(book.lines, dice);
    if (line === undefined) return false;
    const period = dice.whole(1, book.periods);
    const mw = lots * stepOf(honest);
    const at = (zone: string, sold: number) => {
      const each = one(
        singles(draft, honest).filter(({ order, mw: now }) => {
          const to = now + (order.side === 'sell' ? sold : -sold);
          return order.zone === zone && order.period === period && to >= 0 && to <= order.power;
        }),
        dice,
      );
      if (each !== undefined) execute(each, each.mw + (each.order.side === 'sell' ? sold : -sold));
      draft.netPositions[zone]![period - 1] = rounded(draft.netPositions[zone]![period - 1]! + sold);
      return each !== undefined;
    };
    draft.flows[line.id]![period - 1] = rounded(draft.flows[line.id]![period - 1]! + mw);
    return at(line.from, mw) && at(line.to, -mw);
  });
}

kind('flow: a lot more than what the zones send', 'told', (draft, honest, dice) => {
  const line = one(honest.book.lines, dice);
  if (line === undefined) return false;
  const t = dice.whole(0, honest.book.periods - 1);
  draft.flows[line.id]![t] = rounded(draft.flows[line.id]![t]! + dice.pick([-1, 1]) * stepOf(honest));
  return true;
});

kind('net position: a lot off', 'told', (draft, honest, dice) => {
  const zone = dice.pick(honest.book.zones);
  const t = dice.whole(0, honest.book.periods - 1);
  draft.netPositions[zone]![t] = rounded(draft.netPositions[zone]![t]! + dice.pick([-1, 1]) * stepOf(honest));
  return true;
});

kind('net positions: a lot from one zone to another, by orders of one price', 'told', (draft, honest, dice) => {
  const all = singles(draft, honest);
  const a = one(
    all.filter(({ mw }) => mw > 0),
    dice,
  );
  const b = one(
    all.filter(
      (each) =>
        a !== undefined &&
        !same(a, each) &&
        each.order.zone !== a.order.zone &&
        each.order.period === a.order.period &&
        each.order.side === a.order.side &&
        each.order.price === a.order.price &&
        each.mw < each.order.power,
    ),
    dice,
  );
  if (a === undefined || b === undefined) return false;
  const line = honest.book.lines.find(
    ({ from, to }) => [from, to].includes(a.order.zone) && [from, to].includes(b.order.zone),
  );
  if (line === undefined) return false;
  const mw = rounded(Math.min(a.mw, b.order.power - b.mw, dice.pick([1, 10]) * stepOf(honest)));
  const [t, sign] = [a.order.period - 1, a.order.side === 'sell' ? 1 : -1];
  execute(a, a.mw - mw);
  execute(b, b.mw + mw);
  const add = (row: number[], by: number) => {
    row[t] = rounded(row[t]! + by);
  };
  add(draft.netPositions[a.order.zone]!, -sign * mw);
  add(draft.netPositions[b.order.zone]!, sign * mw);
  add(draft.flows[line.id]!, line.from === b.order.zone ? sign * mw : -sign * mw);
  return true;
});
