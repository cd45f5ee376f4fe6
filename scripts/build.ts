/**
 * `npm run build`: the functions as they are deployed, each in a folder of `dist/`, with their sizes. `cdk synth` makes them for
 * itself by the same call; nothing else of the project is compiled, since Node runs its sources.
 */

import { rmSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../lib/bundle.ts';
import { bundledNames } from '../lib/functions.ts';
import { readMarkets } from '../src/settings.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}dist`;

rmSync(folder, { recursive: true, force: true });
const bundles = bundle(bundledNames, folder, await readMarkets(`${root}markets`));
for (const [name, { bytes }] of Object.entries(bundles))
  console.log(`${relative(process.cwd(), folder)}/${name}`.padEnd(24), `${Math.round(bytes / 1000)} kB`.padStart(8));
