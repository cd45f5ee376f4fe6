/** What the functions are made of: small where they have to start fast, the solver only where something is cleared. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bundle, nodeOptions } from '../lib/bundle.ts';
import { functionNames } from '../lib/functions.ts';
import { parseMarket } from '../src/market/market.ts';
import { testMarket } from './support/house.ts';

/** Bundled once for both. */
let folder: string;
let bundles: ReturnType<typeof bundle<(typeof functionNames)[number]>>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merit-bundle-'));
  bundles = bundle(functionNames, folder, [testMarket()]);
});
after(() => rm(folder, { recursive: true }));

test('bundle(): post-orders has at most 500 kB, only what clears has the solver, and markets lie beside each', () => {
  assert(bundles['post-orders'].bytes <= 500_000, `post-orders has ${bundles['post-orders'].bytes} bytes`);
  for (const name of functionNames) {
    const inputs = Object.keys(bundles[name].inputs);
    const clears = name === 'clear' || name === 'diagnose';
    assert.equal(
      inputs.some((input) => /\/highs\/|^src\/clearing\/solver\//.test(input)),
      clears,
      `${name} and the solver`,
    );
    assert.equal(existsSync(join(folder, name, 'highs.wasm')), clears, `${name} and its WebAssembly`);
    assert.equal(existsSync(join(folder, name, 'scalar.js')), name === 'api', `${name} and the script of /docs`);
    const [market] = JSON.parse(readFileSync(join(folder, name, 'markets.json'), 'utf8'));
    assert.deepEqual(parseMarket(market, 'the bundle'), testMarket());
  }
  const inputs = Object.keys(bundles['post-orders'].inputs);
  for (const foreign of ['@scalar', 'client-s3', 'client-sfn', 'client-sns', 'aws-xray-sdk', 'src/verify/'])
    assert(!inputs.some((input) => input.includes(foreign)), `post-orders has ${foreign}`);
});

test('bundle(): source maps are the same wherever they are made, have no text of the sources, and stay small', (t) => {
  let largest = 0;
  for (const name of functionNames) {
    const text = readFileSync(join(folder, name, 'index.mjs.map'), 'utf8');
    const { sources, sourcesContent } = JSON.parse(text) as { sources: string[]; sourcesContent?: unknown };
    assert.equal(sourcesContent, undefined);
    assert.ok(sources.includes(`src/lambda/${name}.ts`), name);
    for (const source of sources) assert.match(source, /^((src|node_modules)\/|package\.json$)/, name);
    largest = Math.max(largest, text.length);
  }
  t.diagnostic(`the largest has ${Math.round(largest / 1000)} kB`);
  assert(largest <= 3_000_000, `${largest} bytes`);
});

test('a function that fails names the line of the sources, as it is deployed', () => {
  // Caught: of what nobody catches Node shows the line as well, and a minified file has few.
  const script = `import(${JSON.stringify(join(folder, 'seal', 'index.mjs'))}).catch(({ stack }) => console.log(stack))`;
  const { stdout } = spawnSync(process.execPath, ['-e', script], {
    encoding: 'utf8',
    env: { NODE_OPTIONS: nodeOptions },
  });
  assert.match(stdout, /the environment does not say ENVIRONMENT/);
  assert.match(stdout, /at readEnvironment \(\S*\/src\/lambda\/environment\.ts:\d+:\d+\)/);
});
