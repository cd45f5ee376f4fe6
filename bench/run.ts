/**
 * `npm run bench`: seeded, checksummed, beside a peer or a bare loop in the same run. `npm run bench -- intake` runs that one
 * alone. `--smoke` takes tiny inputs, to show that it still runs and agrees; only the figures of a whole run mean something.
 */

import { benchClearing } from './clearing.ts';
import { benchCloud } from './cloud.ts';
import { benchDecisions } from './decisions.ts';
import { benchIntake } from './intake.ts';
import { benchIntakeCloud } from './intake-cloud.ts';
import { benchNeighbours } from './neighbours.ts';
import { benchRush } from './rush.ts';
import { benchUsage } from './usage.ts';

const benches: Readonly<Record<string, (smoke: boolean) => Promise<void>>> = {
  clearing: benchClearing,
  decisions: benchDecisions,
  intake: benchIntake,
  'intake-cloud': benchIntakeCloud,
  cloud: benchCloud,
  neighbours: benchNeighbours,
  rush: benchRush,
  usage: benchUsage,
};

const smoke = process.argv.includes('--smoke');
const asked = process.argv.slice(2).filter((argument) => argument !== '--smoke');
for (const name of asked.length > 0 ? asked : Object.keys(benches)) {
  const bench = benches[name];
  if (bench === undefined) throw new Error(`there is no benchmark ${name}, only ${Object.keys(benches).join(' and ')}`);
  await bench(smoke);
}
