/** What the functions are made of: small where they have to start fast, the solver only where something is cleared. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bundle } from '../lib/bundle.ts';
import { functionNames } from '../lib/functions.ts';
import { parseMarket } from '../src/market/market.ts';
import { testMarket } from './support/house.ts';

test('bundle(): post-orders has at most 500 kB, only clear has the solver, and markets lie beside each', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'merit-bundle-'));
  t.after(() => rm(folder, { recursive: true }));
  const bundles = bundle(functionNames, folder, [testMarket()]);
  assert(bundles['post-orders'].bytes <= 500_000, `post-orders has ${bundles['post-orders'].bytes} bytes`);
  for (const name of functionNames) {
    const inputs = Object.keys(bundles[name].inputs);
    const clears = name === 'clear';
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
