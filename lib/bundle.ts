/**
 * A function's code as one minified file, with what it needs at run time beside it. The stack deploys what this writes, the
 * benchmark measures it.
 */

import { copyFileSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type Metafile } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** @returns what went into the file, and how large it is */
export function bundle(entry: string, folder: string, marketsFolder: string): Metafile {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: [`src/lambda/${entry}.ts`],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    mainFields: ['module', 'main'],
    alias: { '@aws-sdk/credential-provider-node': join(root, 'src/lambda/credentials.ts') },
    // Some packages are CommonJS still and ask for builtin modules with `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  });
  cpSync(marketsFolder, join(folder, 'markets'), {
    recursive: true,
    filter: (source) => source === marketsFolder || source.endsWith('.json'),
  });
  // The solver looks for its WebAssembly beside itself.
  const solver = Object.keys(metafile.inputs).find((input) => input.endsWith('highs/build/highs.mjs'));
  if (solver) copyFileSync(join(root, solver.replace('.mjs', '.wasm')), join(folder, 'highs.wasm'));
  return metafile;
}
