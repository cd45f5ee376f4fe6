/** A forger at work on ordinary orders of 100 MW: nothing that moves money, or hides that a result is not the best, is accepted. The long run is `npm run forge`; docs/forgeries.md says what it still finds. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { honestOf, thousandOrders, thousands } from './forge/books.ts';
import { attempt, kinds, stands, tally } from './forge/run.ts';
import { bookOf } from './support/families/families.ts';

const seed = Number(process.env.SEED ?? 1);
console.log(`# forgeries: SEED=${seed}`);

test('500 forgeries of ordinary orders: none that moves money is accepted', () => {
  assert(kinds.length >= 60);
  const found = tally();
  for (let k = 0; found.tried < 500; k++) {
    for (const helper of thousands) {
      const honest = honestOf(thousandOrders(helper, seed + k, 40));
      if (honest === undefined) continue;
      assert(stands(honest, honest.result), honest.name);
      for (const kind of kinds) if (found.tried < 500) attempt(kind, honest, seed + k, found);
    }
  }
  const moving = found.accepted.filter(({ harm }) => harm.money > 0.01 || harm.hidden > 0);
  assert.deepEqual(
    moving.map(({ kind, book, seed: of, harm }) => ({ kind, book, of, harm })),
    [],
  );
});

test('300 forged prices where ramps, exchange and schedules tie them: none is accepted', () => {
  const tied = ['ramps', 'flow-based', 'nodal', 'complex'] as const;
  const found = tally();
  for (let k = seed; found.tried < 300; k++) {
    const honest = honestOf({ name: `${tied[k % 4]} ${k}`, book: bookOf(tied[k % 4]!, k) });
    if (honest === undefined) continue;
    assert(stands(honest, honest.result), honest.name);
    for (const kind of kinds) if (kind.name.startsWith('price')) attempt(kind, honest, k, found);
  }
  const told = found.accepted.filter(({ harm }) => harm.price > 0);
  assert.deepEqual(
    told.map(({ kind, book, seed: of, harm }) => ({ kind, book, of, harm })),
    [],
  );
});
