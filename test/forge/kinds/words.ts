/** What orders are told, and what the result says of itself: one field otherwise. */

import type { Outcome, Reason } from '../../../src/market/result.ts';
import { reasons } from '../../../src/market/result.ts';
import type { Dice } from '../../support/random-orders.ts';
import { type Draft, type Honest, kind, one, rounded } from '../forgery.ts';
import { tellGap } from '../retell.ts';

const ofReason = (name: string, change: (reason: Reason, honest: Honest, dice: Dice, told: Outcome) => boolean): void =>
  kind(`reason: ${name}`, 'bare', (draft, honest, dice) => {
    const told = one(
      draft.orders.filter(({ reason }) => reason !== undefined),
      dice,
    );
    return told?.reason !== undefined && change(told.reason, honest, dice, told);
  });

ofReason('a stranger that binds', (reason) => {
  reason.binding.push('nobody');
  return true;
});
ofReason('another order of the book that binds', (reason, { book }, dice) => {
  const { record_id } = dice.pick(book.orders);
  if (reason.binding.includes(record_id)) return false;
  reason.binding.push(record_id);
  return true;
});
ofReason('a zone that binds', (reason, { book }, dice) => {
  const zone = dice.pick(book.zones);
  if (reason.binding.includes(zone)) return false;
  reason.binding.push(zone);
  return true;
});
ofReason('nothing that binds', (reason) => {
  const had = reason.binding.length > 0;
  reason.binding.length = 0;
  return had;
});
ofReason('what binds told twice', (reason) => {
  const [first] = reason.binding;
  if (first !== undefined) reason.binding.push(first);
  return first !== undefined;
});
for (const [name, by] of [
  ['a hundredth', 0.01],
  ['1', 1],
  ['1e9', 1e9],
] as const) {
  ofReason(`distance ${name} more`, (reason) => {
    reason.distance += by;
    return true;
  });
  ofReason(`missed surplus ${name} more`, (reason) => {
    reason.missedSurplus += by;
    return true;
  });
}
ofReason('no distance', (reason) => {
  const had = reason.distance > 0.005;
  reason.distance = 0;
  return had;
});
ofReason('no missed surplus', (reason) => {
  const had = reason.missedSurplus > 0.005;
  reason.missedSurplus = 0;
  return had;
});
ofReason('another code', (reason, _, dice) => {
  const code = dice.pick(Object.keys(reasons) as Reason['code'][]);
  const other = code !== reason.code;
  reason.code = code;
  return other;
});

const ofOutcome = (name: string, change: (told: Outcome, honest: Honest, dice: Dice) => boolean): void =>
  kind(`outcome: ${name}`, 'bare', (draft, honest, dice) => change(dice.pick(draft.orders), honest, dice));

ofOutcome('a start', (told) => {
  const had = told.start !== undefined;
  told.start = 1;
  return !had;
});
ofOutcome('a reason of one that got all', (told) => {
  const had = told.reason !== undefined;
  told.reason = { code: 'partial_at_the_money', distance: 0, missedSurplus: 0, binding: [] };
  return !had;
});
ofOutcome('no reason', (told) => {
  const had = told.reason !== undefined;
  delete told.reason;
  return had;
});
ofOutcome('surplus a cent more', (told) => {
  told.surplus = rounded(told.surplus + 0.02, 2);
  return true;
});
ofOutcome('surplus the other way', (told) => {
  told.surplus = -told.surplus;
  return told.surplus !== 0;
});
ofOutcome('another status', (told, _, dice) => {
  const before = told.status;
  told.status = dice.pick(['accepted', 'partially_accepted', 'rejected']);
  return told.status !== before;
});
ofOutcome('ratio off by a millionth', (told) => {
  if (told.ratio === undefined) return false;
  told.ratio = Math.abs(told.ratio - 2e-6);
  return true;
});
ofOutcome('ratio of a curve', (told, { book }) => {
  told.ratio = 0.5;
  return book.orders.some(({ record_id, kind: of }) => record_id === told.record_id && of === 'curve');
});
ofOutcome('another participant', (told) => {
  told.participant = 'somebody';
  return true;
});
ofOutcome('another name', (told) => {
  told.record_id = 'unknown';
  return true;
});

const ofResult = (name: string, change: (draft: Draft, honest: Honest, dice: Dice) => boolean): void =>
  kind(`result: ${name}`, 'bare', change);

ofResult(
  'an outcome left out',
  ({ orders }, _, dice) => orders.splice(dice.whole(0, orders.length - 1), 1).length === 1,
);
ofResult('an outcome twice', ({ orders }, _, dice) => orders.push(structuredClone(dice.pick(orders))) > 0);
ofResult('outcomes in another order', ({ orders }) => orders.length > 1 && orders.push(orders.shift()!) > 0);
ofResult('of another book', (draft) => {
  draft.book = `sha256:${'1'.repeat(64)}`;
  return true;
});
ofResult('of another auction', (draft) => {
  draft.auction = 'another';
  return true;
});
for (const by of [0.01, -0.01, 0.02, 1, -1]) {
  ofResult(`welfare by ${by}`, (draft) => {
    draft.welfare = rounded(draft.welfare + by, 2);
    if (by > 0) tellGap(draft);
    return true;
  });
  ofResult(`bound by ${by}`, (draft) => {
    draft.bound = rounded(draft.bound + by, 2);
    draft.gap = (draft.bound - draft.welfare) / Math.max(1, Math.abs(draft.bound));
    return true;
  });
}
ofResult('no gap', (draft) => {
  const had = draft.gap > 0;
  draft.gap = 0;
  return had;
});
ofResult('optimal', (draft) => {
  const had = draft.status === 'feasible';
  draft.status = 'optimal';
  return had;
});
ofResult('a price of a zone that is not there', (draft) => {
  draft.prices.nowhere = [0];
  return true;
});
