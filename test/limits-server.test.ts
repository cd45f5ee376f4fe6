/** Limits of a server: of one client, of one address, and of all requests at one time. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { everybody } from '../src/access/identity.ts';
import { createApp } from '../src/api/app.ts';
import { openLimits } from '../src/api/limits.ts';
import { serve } from '../src/server.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { openTestHouse, testMarket } from './support/house.ts';

test('a client and an address have limits of their own, and are told when to come again', async (t) => {
  const data = join(await temporaryFolder(t), 'data');
  const options = { data, port: 0, markets: [testMarket()], issuer: 'built-in', requestsPerSecond: 1, log: () => {} };
  const serving = await serve(options);
  t.after(() => serving.close());
  /** How many of fifteen calls get which status. */
  const count = async (headers: Record<string, string> = {}) => {
    const statuses = [];
    for (let i = 0; i < 15; i++) statuses.push((await fetch(`${serving.url}/markets`, { headers })).status);
    return Object.fromEntries(
      [...Map.groupBy(statuses, (status) => status)].map(([status, all]) => [status, all.length]),
    );
  };
  for (const name of ['one', 'other']) {
    await run(['client', 'add', name, '--role', 'operator', '--data', data]);
    const { token } = await serving.access!.issue(name);
    assert.deepEqual(await count({ authorization: `Bearer ${token}` }), { 200: 10, 429: 5 }, name);
  }
  assert.deepEqual(await count({ authorization: 'Bearer nonsense' }), { 401: 10, 429: 5 });
  const refused = await fetch(`${serving.url}/markets`);
  assert.equal(refused.status, 429, 'without a token the address counts, as with one that does not hold');
  assert(Number(refused.headers.get('retry-after')) >= 1);
  assert.match(
    await refused.text(),
    /"detail":"this address has made more than 10 requests in 10 s".*"code":"too-many-requests"/,
  );
});

test('more requests at one time than are worked on get 429, and the next ones are taken', async (t) => {
  const { ports } = await openTestHouse(t);
  const { promise, resolve } = Promise.withResolvers<void>();
  const { list } = ports.auctions;
  ports.auctions.list = async (filter) => {
    await promise;
    return list.call(ports.auctions, filter);
  };
  const limits = openLimits({ atOnce: 3, addressOf: () => 'here' });
  const app = createApp(ports, { limits, identify: async () => ({ ...everybody }) });
  const waiting = Array.from({ length: 3 }, () => app.request('/auctions'));
  const refused = await app.request('/auctions');
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '1']);
  resolve();
  for (const each of await Promise.all(waiting)) assert.equal(each.status, 200);
  assert.equal((await app.request('/auctions')).status, 200);
});
