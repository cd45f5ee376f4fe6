/**
 * The promises of the design under faults, by seeds (`simulate.ts`). `RUNS` and `SEED` change how many and from where; `npm run simulate`
 * makes a failing one small.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultKinds } from './faults.ts';
import { type Plant, plants } from './planted.ts';
import { commandOf, failureOf } from './shrink.ts';
import { type Simulation, simulate } from './simulate.ts';

const runs = Number(process.env.RUNS ?? 500);
const first = Number(process.env.SEED ?? 1);

const atOnce = 100;
const all: Simulation[] = [];

for (const [on, count] of [['one machine', runs] as const, ['cloud', runs / 5] as const])
  for (let from = first; from < first + count; from += atOnce) {
    const to = Math.min(from + atOnce, first + count);
    test(`${on}: the house keeps its promises under faults, seeds ${from} to ${to - 1}`, async () => {
      for (let seed = from; seed < to; seed++) {
        try {
          all.push(await simulate({ seed, on }));
        } catch (error) {
          throw new Error(commandOf({ seed, on }), { cause: error });
        }
      }
    });
  }

test('every fault has happened', { skip: runs < 500 && 'too few runs' }, (t) => {
  const sum = (of: (one: Simulation) => number) => all.reduce((total, one) => total + of(one), 0);
  const happened = faultKinds.map((kind) => [kind, sum(({ faults }) => faults[kind])] as const);
  t.diagnostic(`${sum(({ taken }) => taken)} orders taken, ${sum(({ settled }) => settled)} auctions settled`);
  t.diagnostic(happened.map(([kind, count]) => `${kind} ${count}`).join(', '));
  for (const [kind, count] of happened) assert(count > 10, `${kind} has hardly happened`);
});

test('a simulation is a function of its seed', async () => {
  for (const seed of [7, 8, 9])
    for (const on of ['one machine', 'cloud'] as const)
      assert.deepEqual(await simulate({ seed, on }), await simulate({ seed, on }));
});

/** A bug in the reading of SQLite is none of the cloud. */
const ofOneMachine: readonly string[] = ['an altered row accepted'];

for (const [name, plant] of Object.entries<Plant>(plants))
  test(`the simulation finds a planted bug: ${name}`, async (t) => {
    const seedOf = async (on: 'one machine' | 'cloud'): Promise<void> => {
      for (let seed = 1; seed <= 500; seed++) {
        const found = await failureOf({ seed, on, plant });
        if (found === undefined) continue;
        t.diagnostic(`${on}, seed ${seed}: ${(found as Error).message.split('\n')[0]}`);
        return;
      }
      assert.fail(`not within 500 seeds on ${on}`);
    };
    await seedOf('one machine');
    if (!ofOneMachine.includes(name)) await seedOf('cloud');
  });
