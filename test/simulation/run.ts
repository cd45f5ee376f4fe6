/**
 * `npm run simulate`: simulations by seeds, with how often each fault happened. The first that fails is made small, and how to run it
 * again is said.
 */

import { parseArgs } from 'node:util';
import { type FaultKind, faultKinds, faults } from './faults.ts';
import { commandOf, failureOf, shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    cloud: { type: 'boolean', default: false },
    without: { type: 'string', default: '' },
    actions: { type: 'string' },
  },
});
const without = values.without.split(',').filter((kind) => kind !== '') as FaultKind[];
for (const kind of without)
  if (!(kind in faults)) throw new Error(`there is no fault ${kind}: ${faultKinds.join(', ')}`);
const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const on = values.cloud ? ('cloud' as const) : ('one machine' as const);
const options = { on, without, ...(values.actions !== undefined && { actions: Number(values.actions) }) };

const totals: Record<string, number> = { requests: 0, taken: 0, settled: 0 };
const began = Date.now();
for (let seed = first; seed < first + count; seed++) {
  try {
    const run = await simulate({ seed, ...options });
    const { requests, taken, settled } = run;
    for (const [what, some] of Object.entries({ requests, taken, settled, ...run.faults }))
      totals[what] = (totals[what] ?? 0) + some;
  } catch (error) {
    console.log(`seed ${seed} fails:`, error);
    const small = await shrink({ seed, ...options });
    console.log(`as small as it gets: ${commandOf(small)}\n`, await failureOf(small));
    process.exit(1);
  }
  if ((seed - first) % 1000 === 999)
    console.log(`${seed - first + 1} seeds, ${Math.round((Date.now() - began) / 1000)} s`);
}
console.table(totals);
console.log(`${count} seeds from ${first} keep all promises, ${Math.round((Date.now() - began) / 1000)} s`);
