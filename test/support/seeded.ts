/** Imported for its effect: all random tests of the file that imports it draw from one printed seed. `SEED` and `RUNS` change it. */

import fc from 'fast-check';

const seed = Number(process.env.SEED ?? 20250401);
const runs = process.env.RUNS === undefined ? {} : { numRuns: Number(process.env.RUNS) };
fc.configureGlobal({ seed, ...runs });
console.log(`# random values: SEED=${seed}`);
