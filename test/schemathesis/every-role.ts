/**
 * The API as its document describes it, by thousands of requests that schemathesis makes of the document: for the public, and for
 * every role with its token.
 *
 *     npm run test:api           # SEED=7 for the same requests again, EXAMPLES=500 for more of them
 *
 * It finds answers that the document does not know, faults of the house, broken data that is taken, and routes that answer without
 * a token. `schemathesis.toml` beside this file says where more answers are allowed than it expects, and why.
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { scopesOfRole } from '../../src/access/roles.ts';
import type { LocalAccess } from '../../src/adapters/local/access/access.ts';
import { closeGate, createAuction, findAuction } from '../../src/auction/auctions.ts';
import { submitOrders } from '../../src/auction/intake/submit-orders.ts';
import { type Serving, serve } from '../../src/server.ts';
import { pythonWith } from '../cloud/emulator.ts';
import { until } from '../ports/workflow.cases.ts';

const version = '4.32.5';
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const examples = process.env.EXAMPLES ?? '25';

/** As the document's examples have them, so that these are there. */
const known = { auction: 'hourly-20250401t1000z', record_id: 'o-1' };

let serving: Serving;
let data: string;
let schemathesis: readonly [python: string, script: string];
const faults: Record<string, unknown>[] = [];

before(async () => {
  const python = await pythonWith(`schemathesis==${version}`);
  schemathesis = [python, join(dirname(python), 'schemathesis')];
  data = await mkdtemp(join(tmpdir(), 'merit-schemathesis-'));
  const log = (entry: Record<string, unknown>) => {
    if ('error' in entry) faults.push(entry);
  };
  serving = await serve({ data, port: 0, issuer: 'built-in', requestsPerSecond: 100_000, log });
  await furnish(serving);
});

after(async () => {
  await serving?.close();
  await rm(data, { recursive: true });
});

/** Clients of each role; an auction that is settled and one that is open, with an order of each participant. */
async function furnish({ ports, access }: Serving) {
  const { clients } = access!;
  const zones = [...new Set([...ports.markets.values()].flatMap((market) => market.zones))];
  for (const [client, may] of [
    ['writer', 'write'],
    ['reader', 'read'],
  ] as const)
    clients.addParticipant({ participant: client, client, access: may, portfolios: [{ name: 'all', zones }] });
  for (const role of ['operator', 'auditor'] as const) clients.add(role, scopesOfRole(role));
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  for (const id of [known.auction, 'open']) {
    await createAuction(ports, { id, market: 'hourly', gateClosure });
    for (const [participant, side] of [
      ['writer', 'buy'],
      ['reader', 'sell'],
    ] as const) {
      const order = { record_id: known.record_id, side, price: side === 'buy' ? 50 : 10, power: 10 };
      await submitOrders(ports, { participant }, { auction: id, orders: [order] });
    }
  }
  await closeGate(ports, known.auction);
  await until('the auction is settled', async () => (await findAuction(ports, known.auction)).state === 'settled');
}

const tokenOf = async (access: LocalAccess, client: string) => (await access.issue(client, undefined, 3600)).token;

for (const caller of ['public', 'reader', 'writer', 'operator', 'auditor'])
  test(`the API answers ${caller} as it is documented, by seed ${seed}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'merit-schemathesis-'));
    const token = caller === 'public' ? undefined : await tokenOf(serving.access!, caller);
    const [python, script] = schemathesis;
    const args = [
      ...[script, '--config-file', join(import.meta.dirname, 'schemathesis.toml'), 'run'],
      ...[`${serving.url}/openapi.json`, '--checks', 'all', '--max-examples', examples, '--seed', String(seed)],
      ...['--no-color', ...(token === undefined ? [] : ['--header', `Authorization: Bearer ${token}`])],
    ];
    const options = { cwd: folder, maxBuffer: 100_000_000 };
    try {
      const { stdout } = await promisify(execFile)(python, args, options);
      console.log(`${caller}: ${/\d+ generated.*/.exec(stdout)?.[0]}`);
    } catch (error) {
      const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string };
      assert.fail(`${stdout.slice(stdout.indexOf('= FAILURES =') - 40) || message}\n${stderr}`);
    } finally {
      await rm(folder, { recursive: true });
    }
    assert.deepEqual(faults.splice(0), []);
  });
