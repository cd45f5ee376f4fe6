/**
 * Clients that others' generators make of the OpenAPI document: complete, and of use. A generator that cannot name a schema leaves
 * it out with a warning, so none may be given.
 *
 *     npm run test:api
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { scopesOfRole } from '../../src/access/roles.ts';
import { closeGate, createAuction, findAuction } from '../../src/auction/auctions.ts';
import { type Serving, serve } from '../../src/server.ts';
import { pythonWith } from '../cloud/emulator.ts';
import { until } from '../ports/workflow.cases.ts';
import { testMarket } from '../support/house.ts';

const run = promisify(execFile);
const pythonGenerator = 'openapi-python-client==0.29.1';

const market = testMarket({
  orderKinds: ['limit', 'curve', 'block', 'flexible', 'complex'],
  schedule: { kind: 'manual' },
});

let serving: Serving;
let folder: string;
const tokens: Record<string, string> = {};

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merit-generated-clients-'));
  const data = join(folder, 'data');
  serving = await serve({ data, markets: [market], port: 0, issuer: 'built-in', log: () => {} });
  const { clients } = serving.access!;
  clients.addParticipant({
    participant: 'desk',
    client: 'desk',
    access: 'write',
    portfolios: [{ name: 'all', zones: market.zones }],
  });
  // The book is the auditor's to read.
  clients.add('operator', [...scopesOfRole('operator'), ...scopesOfRole('auditor')]);
  for (const client of ['desk', 'operator'])
    tokens[client] = (await serving.access!.issue(client, undefined, 3600)).token;
  const document = await (await fetch(`${serving.url}/openapi.json`)).text();
  await writeFile(join(folder, 'openapi.json'), document);
});

after(async () => {
  await serving?.close();
  await rm(folder, { recursive: true });
});

test('openapi-python-client knows every schema, and its client takes orders of five kinds to their result', async () => {
  const python = await pythonWith(pythonGenerator);
  const script = join(dirname(python), 'openapi-python-client');
  const output = join(folder, 'python');
  // It knows no streams of lines: they are bytes to it.
  const config = join(folder, 'python.json');
  const bytes = 'application/octet-stream';
  await writeFile(
    config,
    JSON.stringify({ content_type_overrides: { 'application/x-ndjson': bytes, 'text/csv': bytes } }),
  );
  const options = [
    '--config',
    config,
    '--path',
    join(folder, 'openapi.json'),
    '--output-path',
    output,
    '--meta',
    'none',
    '--fail-on-warning',
  ];
  const environment = { ...process.env, PATH: `${dirname(python)}:${process.env.PATH}` };
  const { stdout, stderr } = await run(python, [script, 'generate', ...options], { cwd: folder, env: environment });
  assert.doesNotMatch(`${stdout}${stderr}`, /Unable to|WARNING parsing|unsupported/i);

  await cp(output, join(folder, 'lib', 'merit_client'), { recursive: true });
  const walk = join(import.meta.dirname, 'walk.py');
  const walked = await run(python, [walk, serving.url, tokens.operator!, tokens.desk!], {
    env: { ...environment, PYTHONPATH: join(folder, 'lib'), PYTHONDONTWRITEBYTECODE: '1' },
  });
  const { prices, outcome, ...read } = JSON.parse(walked.stdout);
  assert.deepEqual(read, {
    receipts: ['limit', 'curve', 'block', 'flexible', 'complex'],
    refused: 'invalid-order',
    listed: ['block', 'complex', 'curve', 'flexible', 'limit'],
    state: 'settled',
    status: 'optimal',
    statuses: {
      limit: 'accepted',
      curve: 'partially_accepted',
      block: 'accepted',
      flexible: 'accepted',
      complex: 'partially_accepted',
    },
    book: ['Block', 'Complex', 'Curve', 'Flexible', 'Limit'].map((kind) => `${kind}OrderOfBook`),
  });
  assert.equal(prices.Z.length, 4);
  assert.equal(outcome.power, 10);
});

test('openapi-typescript: its types compile with those of openapi-fetch, and an order is what its kind says', async () => {
  const home = join(folder, 'typescript');
  await cp(join(import.meta.dirname, 'typescript'), home, { recursive: true });
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: home });
  const bin = (name: string) => join(home, 'node_modules', '.bin', name);
  await run(bin('openapi-typescript'), [join(folder, 'openapi.json'), '-o', 'api.d.ts'], { cwd: home });
  const strict = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', '--lib', 'es2022,dom'];
  await run(bin('tsc'), [...strict, 'walk.ts'], { cwd: home });
  await createAuction(serving.ports, {
    id: 'typed',
    periods: 4,
    gateClosure: new Date(Date.now() + 3_600_000).toISOString(),
  });
  const { stdout } = await run('node', ['walk.js', serving.url, tokens.desk!, 'typed'], { cwd: home });
  assert.deepEqual(JSON.parse(stdout), { state: 'open', kind: 'block', from: 1, refused: 'invalid-order' });
  await closeGate(serving.ports, 'typed');
  await until('the auction is settled', async () => (await findAuction(serving.ports, 'typed')).state === 'settled');
});
