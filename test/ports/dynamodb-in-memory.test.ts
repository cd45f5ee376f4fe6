/** The adapters over DynamoDB keep the promises of their ports, on tables in memory: the logic above the tables, without an emulator. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Participant } from '../../src/access/identity.ts';
import { openAuctionStore } from '../../src/adapters/aws/auction-store.ts';
import type { Item } from '../../src/adapters/aws/database.ts';
import { openOrderStore } from '../../src/adapters/aws/order-store.ts';
import { openRegistry, type RegisteredClient } from '../../src/adapters/aws/participants.ts';
import { openSigner } from '../../src/adapters/aws/signer.ts';
import { memoryKms } from '../support/memory-kms.ts';
import { openMemoryTables } from '../support/memory-table.ts';
import { anAuction, auctionStoreCases } from './auction-store.cases.ts';
import { anOrder, type OpenedStore, orderStoreCases } from './order-store.cases.ts';
import { participantsCases } from './participants.cases.ts';
import { signerCases } from './signer.cases.ts';

async function openStores(): Promise<OpenedStore> {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const database = openMemoryTables();
  const opened = (): OpenedStore => {
    const auctions = openAuctionStore(database, 'auctions', 1);
    const tables = { ordersTable: 'orders', intakeTable: 'intake' };
    const orders = openOrderStore({ database, ...tables, auctions, clock, budgetMs: 120_000 });
    return { auctions, orders, clock, reopen: async () => opened() };
  };
  return opened();
}

auctionStoreCases('dynamodb in memory', async () => (await openStores()).auctions);
orderStoreCases('dynamodb in memory', openStores);
test('dynamodb in memory: entries() refuses pages that do not lead to the hash that was acknowledged', async () => {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const database = openMemoryTables();
  const auctions = openAuctionStore(database, 'auctions', 1);
  const orders = openOrderStore({ database, ordersTable: 'orders', intakeTable: 'intake', auctions, clock });
  await auctions.create(anAuction());
  for (const record_id of ['o1', 'o2', 'o3']) await orders.append('a1', 'p', [anOrder(record_id)]);
  assert(await auctions.advance(anAuction(), anAuction({ state: 'closed' })));
  assert.equal((await orders.entries('a1')).length, 3);
  const pages = database.items('intake').filter(({ sk }) => String(sk).startsWith('page#'));
  const [first, second, third] = pages.sort((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1));
  const put = (item: Item) => database.put('intake', item);
  for (const [page, found] of [
    [{ ...second!, content: first!.content }, /entry 3 was changed/],
    [{ ...second!, participant: 'mallory' }, /entry 3 was changed/],
    [{ ...second!, first: 7 }, /entry 2 is missing/],
    [{ ...third!, content: first!.content }, /entry 3 is another than was acknowledged/],
  ] as const) {
    await put(page as Item);
    await assert.rejects(orders.entries('a1'), { code: 'damaged-data', message: found });
    await put(second!);
    await put(third!);
  }
  assert.equal((await orders.entries('a1')).length, 3);
});

signerCases('keys of KMS in memory', async () => {
  const { client, createKey } = memoryKms();
  const first = createKey();
  return {
    signer: openSigner(client, [first]),
    rotate: async () => openSigner(client, [first, createKey()]),
  };
});

test('dynamodb in memory: leaves() of shards end before the first gap until the book is sealed', async () => {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const database = openMemoryTables();
  const auctions = openAuctionStore(database, 'auctions', 3);
  const orders = openOrderStore({ database, ordersTable: 'orders', intakeTable: 'intake', auctions, clock });
  await auctions.create(anAuction());
  const sequencesNow = async () => (await orders.leaves('a1', 0, 100)).map(({ sequence }) => sequence);
  const taken: number[] = [];
  for (let i = 0; i < 30; i++) {
    const before = await sequencesNow();
    taken.push((await orders.append('a1', 'p', [anOrder(`o${i}`)]))[0]!.sequence);
    const now = await sequencesNow();
    assert.deepEqual(now.slice(0, before.length), before, 'nothing comes between');
    const gap = Array.from({ length: 100 }, (_, at) => at + 1).find((sequence) => !taken.includes(sequence))!;
    assert.equal(now.length, gap - 1);
    assert.deepEqual(
      now,
      now.map((_, at) => at + 1),
    );
  }
  const sealed = anAuction({ state: 'clearing', book: { hash: 'sha256:0', orders: 30 } });
  assert(await auctions.advance(anAuction(), sealed));
  assert.deepEqual(
    await sequencesNow(),
    taken.toSorted((a, b) => a - b),
  );
  assert.deepEqual(
    (await orders.leaves('a1', 7, 5)).map(({ sequence }) => sequence),
    taken
      .filter((sequence) => sequence > 7)
      .sort((a, b) => a - b)
      .slice(0, 5),
  );
});

participantsCases('dynamodb in memory', async () => {
  const registry = openRegistry(openMemoryTables(), 'participants');
  return {
    participants: registry,
    add: (participant) => registry.add({ client: participant.client, usageKey: 'none', participant }),
  };
});

test('dynamodb in memory: change() takes and gives at once, remove() frees the names, and neither does what it was not asked', async () => {
  const registry = openRegistry(openMemoryTables(), 'participants');
  const participant: Participant = {
    participant: 'acme',
    client: 'c1',
    access: 'write',
    portfolios: [{ name: 'a', zones: ['Z'] }],
  };
  const registered: RegisteredClient = { client: 'c1', usageKey: 'k', scopes: ['merit/orders.write'], participant };
  await registry.add(registered);
  await registry.change({ ...registered, scopes: [], participant: { ...participant, access: 'read' } });
  assert.deepEqual((await registry.get('c1'))?.scopes, []);
  assert.equal((await registry.find('c1'))?.access, 'read');
  for (const other of [
    { ...registered, client: 'c2' },
    { ...registered, participant: { ...participant, participant: 'umbra' } },
    { client: 'c1', usageKey: 'k' },
  ])
    await assert.rejects(registry.change(other), { code: 'not-found' });
  assert.equal((await registry.remove('c1'))?.client, 'c1');
  assert.equal(await registry.remove('c1'), undefined);
  assert.equal(await registry.find('c1'), undefined);
  await registry.add({ ...registered, client: 'c2', participant: { ...participant, client: 'c2' } });
});
