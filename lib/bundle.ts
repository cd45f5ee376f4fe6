/**
 * The functions' code: of each one minified file with its source map, and what it needs at run time beside it. The stack deploys what
 * this writes, `npm run build` shows it, the benchmark measures it.
 */

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type Metafile } from 'esbuild';
import type { Market } from '../src/market/market.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What `NODE_OPTIONS` has to say for Node to read the source maps. */
export const nodeOptions = '--enable-source-maps';
const docsScript = fileURLToPath(new URL('js/standalone.js', import.meta.resolve('@scalar/fastify-api-reference')));

export type Bundle = Metafile['outputs'][string];

/**
 * Write each function into a folder of its name. All at once, since they share most of what has to be read.
 *
 * @returns of each what went into the file, and its size
 */
export function bundle<Name extends string>(
  names: readonly Name[],
  folder: string,
  markets: readonly Market[],
): Record<Name, Bundle> {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, `src/lambda/${name}.ts`])),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
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
    // So that a stack in a log names lines of ours (`nodeOptions`). Without the sources' text, which are where the log is read.
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    metafile: true,
  });
  const outputs = Object.values(metafile.outputs);
  const bundles = names.map((name) => {
    const made = outputs.find(({ entryPoint }) => entryPoint === `src/lambda/${name}.ts`)!;
    nameSourcesFrom(root, join(folder, name));
    addFiles(join(folder, name), made, markets);
    return [name, made] as const;
  });
  return Object.fromEntries(bundles) as Record<Name, Bundle>;
}

/** In the source map, whose paths lead from where it was written to where the project lies: the same map on every machine. */
function nameSourcesFrom(project: string, folder: string): void {
  const file = join(folder, 'index.mjs.map');
  const map = JSON.parse(readFileSync(file, 'utf8')) as { sources: string[] };
  const sources = map.sources.map((source) => relative(project, resolve(folder, source)).replaceAll(sep, '/'));
  writeFileSync(file, JSON.stringify({ ...map, sources }));
}

function addFiles(folder: string, { inputs }: Bundle, markets: readonly Market[]): void {
  writeFileSync(join(folder, 'markets.json'), JSON.stringify(markets));
  // The page at /docs asks the API for its script.
  if (Object.keys(inputs).includes('src/lambda/api.ts')) copyFileSync(docsScript, join(folder, 'scalar.js'));
  // The solver looks for its WebAssembly beside itself.
  const solver = Object.keys(inputs).find((input) => input.endsWith('highs/build/highs.mjs'));
  if (solver) copyFileSync(join(root, solver.replace('.mjs', '.wasm')), join(folder, 'highs.wasm'));
}
