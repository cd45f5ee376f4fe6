/**
 * `npm run bench`: seeded, checksummed, beside a peer or a bare loop in the same run. `--smoke` takes tiny inputs, to show that
 * it still runs and agrees; only the figures of a whole run mean something.
 */

import { benchClearing } from './clearing.ts';
import { benchCloud } from './cloud.ts';
import { benchIntake } from './intake.ts';

const smoke = process.argv.includes('--smoke');

await benchClearing(smoke);
await benchIntake(smoke);
await benchCloud(smoke);
