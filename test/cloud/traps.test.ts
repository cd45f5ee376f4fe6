/** What DynamoDB does to those who do not expect it, one trap a test: requests in flight at the gate, limits, partial batches. */

import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { type DynamoDBClient, GetItemCommand, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { awsStores } from '../../src/adapters/aws/stores.ts';
import type { OrderStore } from '../../src/auction/ports.ts';
import { shardOf } from '../../src/book/intake.ts';
import { chance } from '../../src/cli/demo/random.ts';
import type { CurveOrder, LimitOrder, Order } from '../../src/market/order.ts';
import { anAuction } from '../ports/auction-store.cases.ts';
import { recordingMeter } from '../support/meter.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { hold, injectFaults, isCommit } from './faults.ts';
import { createTables, newDynamo } from './resources.ts';

let emulator: Emulator;
before(async () => {
  emulator = await startEmulator();
});
after(() => emulator.stop());

const anOrder = (record_id: string, changes: Partial<LimitOrder> = {}): LimitOrder => ({
  record_id,
  zone: 'Z',
  kind: 'limit',
  side: 'buy',
  period: 1,
  price: 50,
  power: 10,
  ...changes,
});
const many = (count: number, from = 0): LimitOrder[] =>
  Array.from({ length: count }, (_, i) => anOrder(`o${from + i}`));

/** An open auction, and processes that take orders for it, each with a client of its own. */
async function openHouse(t: TestContext, shards = 1) {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const clients: DynamoDBClient[] = [];
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  const client = () => {
    // Without attempts of its own, so that it is the adapter that meets what goes wrong.
    const made = newDynamo(emulator.client, 1);
    clients.push(made);
    return made;
  };
  const environment = await createTables(client(), shards);
  const process = (changes: Partial<typeof environment> = {}, budgetMs = 120_000) => {
    const dynamodb = client();
    return {
      dynamodb,
      ...awsStores({ ...environment, ...changes }, [], {
        dynamodb,
        clock,
        meter: recordingMeter(),
        patienceMs: 1000,
        budgetMs,
      }),
    };
  };
  const house = process();
  await house.auctions.create(anAuction());
  const close = () => house.auctions.advance(anAuction(), anAuction({ state: 'closed' }));
  return { ...house, clock, environment, process, close };
}

const idsIn = async (orders: OrderStore) => (await orders.entries('a1')).map(({ order }) => order?.record_id);
const closesAt = '2025-04-01T11:00:00Z';

test('an order acknowledged just before the gate is in the seal, one in flight then is refused and never will be', async (t) => {
  const { orders, process, close } = await openHouse(t);
  await orders.append('a1', 'p', [anOrder('in-time')]);
  const slow = process();
  const held = hold(slow.dynamodb, isCommit, false);
  const late = slow.orders.append('a1', 'p', [anOrder('in-flight')]);
  await held.sent;
  await close();
  assert.deepEqual(await idsIn(orders), ['in-time']);
  await held.release();
  await assert.rejects(late, { code: 'gate-closed' });
  assert.deepEqual(await idsIn(orders), ['in-time']);
  assert.deepEqual(await orders.find('a1', 'p', ['in-flight']), []);
});

test('a write that was given up and is tried again after the gate is refused, and never arrives', async (t) => {
  const { orders, process, clock, close } = await openHouse(t);
  const slow = process();
  const held = hold(slow.dynamodb, isCommit, true);
  // Its own next attempts find the store down until the gate has closed.
  const faults = injectFaults(slow.dynamodb, chance(1), { throttled: 1 }, ['TransactWriteItemsCommand']);
  const late = slow.orders.append('a1', 'p', [anOrder('o1')]);
  late.catch(() => undefined);
  await held.sent;
  clock.time = closesAt;
  faults.heal();
  await assert.rejects(late, { code: 'gate-closed' });
  await held.release(); // before anybody seals
  await close();
  assert.deepEqual(await idsIn(orders), []);
});

test('a write that was done and not answered gets its receipt, even when it is asked for again after the gate', async (t) => {
  const { orders, process, clock, close } = await openHouse(t);
  const lossy = process();
  const faults = injectFaults(lossy.dynamodb, chance(1), { unanswered: 1 }, ['TransactWriteItemsCommand']);
  const asked = lossy.orders.append('a1', 'p', [anOrder('o1')]);
  while ((await orders.entries('a1')).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  clock.time = closesAt;
  faults.heal();
  const [receipt] = await asked;
  await close();
  const [stored] = await orders.list('a1');
  assert.deepEqual([receipt!.sequence, receipt!.hash], [stored!.sequence, stored!.hash]);
  assert.equal((await orders.entries('a1')).length, 1);
});

test('when nothing can be found out, the answer says so, and the same request again gives the receipts', async (t) => {
  const { orders, process } = await openHouse(t);
  const lossy = process({}, 300);
  const faults = injectFaults(lossy.dynamodb, chance(1), { unanswered: 1 }, ['TransactWriteItemsCommand']);
  await assert.rejects(lossy.orders.append('a1', 'p', [anOrder('o1')]).finally(faults.heal), {
    code: 'unavailable',
    message: /can't be found out now: send it again/,
  });
  const [receipt] = await lossy.orders.append('a1', 'p', [anOrder('o1')]);
  assert.equal(receipt!.sequence, 1);
  assert.deepEqual(await idsIn(orders), ['o1']);
});

test('a store that only throttles takes nothing and says unavailable', async (t) => {
  const { orders, process } = await openHouse(t);
  const throttled = process({}, 300);
  const faults = injectFaults(throttled.dynamodb, chance(1), { throttled: 1 }, ['TransactWriteItemsCommand']);
  const request = throttled.orders.append('a1', 'p', [anOrder('o1')]);
  await assert.rejects(request, { code: 'unavailable' });
  faults.heal();
  assert.deepEqual(await idsIn(orders), []);
});

test('requests at the gate spread over the shards of an auction, and the sequences stay unique', async (t) => {
  const { orders, process } = await openHouse(t, 4);
  const processes = [process(), process(), process()];
  const receipts = await Promise.all(
    Array.from({ length: 60 }, (_, i) => processes[i % 3]!.orders.append('a1', 'p', [anOrder(`o${i}`)])),
  );
  const sequences = receipts.flat().map(({ sequence }) => sequence);
  assert.equal(new Set(sequences).size, 60);
  const perShard = Map.groupBy(sequences, (sequence) => shardOf(sequence, 4));
  assert.deepEqual([...perShard.keys()].sort(), [0, 1, 2, 3]);
  const pages: number[] = [];
  for (let after = 0; ; ) {
    const page = await orders.list('a1', { after, limit: 7 });
    pages.push(...page.map(({ sequence }) => sequence));
    if (page.length < 7) break;
    after = page.at(-1)!.sequence;
  }
  assert.deepEqual(
    pages,
    sequences.toSorted((a, b) => a - b),
  );
});

test('an auction keeps the shards it was made with when the configuration changes', async (t) => {
  const { orders, process } = await openHouse(t, 4);
  await orders.append('a1', 'p', many(3));
  for (let i = 0; i < 8; i++) await orders.append('a1', 'p', [anOrder(`more-${i}`)]);
  const fewer = process({ INTAKE_SHARDS: '1' });
  await fewer.auctions.advance(anAuction(), anAuction({ state: 'closed' }));
  assert.equal(await fewer.orders.shards('a1'), 4);
  assert.equal((await fewer.orders.entries('a1')).length, 11);
});

test('what is delivered twice is taken once', async (t) => {
  const { orders, process } = await openHouse(t, 2);
  const doubled = process();
  const { counts } = injectFaults(doubled.dynamodb, chance(1), { doubled: 1 });
  const receipts = await doubled.orders.append('a1', 'p', many(150));
  await doubled.orders.cancel('a1', 'p', 'o7');
  assert.equal((await orders.entries('a1')).length, 151);
  assert.equal(receipts.length, 150);
  assert(counts.doubled > 3);
});

test('a request of more orders than a transaction takes is taken whole, with one receipt each', async (t) => {
  const { orders } = await openHouse(t, 2);
  const receipts = await orders.append('a1', 'p', many(1234));
  assert.deepEqual(
    receipts.map(({ record_id }) => record_id),
    many(1234).map(({ record_id }) => record_id),
  );
  assert.equal((await orders.list('a1')).length, 1234);
  assert.deepEqual(await orders.append('a1', 'p', many(1234)), receipts);
  assert.deepEqual((await orders.append('a1', 'p', many(10, 1230))).slice(0, 4), receipts.slice(1230));
  assert.equal((await orders.entries('a1')).length, 1240);
});

test('a conflict at the end of a large request leaves nothing of it, and its ids are free at once', async (t) => {
  const { orders } = await openHouse(t);
  await orders.append('a1', 'p', [anOrder('taken')]);
  const request = orders.append('a1', 'p', [...many(300), anOrder('taken', { price: 51 })]);
  await assert.rejects(request, { code: 'conflict', message: /order taken is there already with another body/ });
  assert.deepEqual(await orders.find('a1', 'p', ['o7']), []);
  assert.deepEqual(await idsIn(orders), ['taken']);
  const receipts = await orders.append('a1', 'p', [anOrder('o7', { price: 99 })]);
  assert.equal(receipts[0]?.sequence, 2);
});

test('a large request that died half-way is not there, and gives way to the next after a while', async (t) => {
  const { orders, process, clock } = await openHouse(t);
  const dying = process();
  const held = hold(dying.dynamodb, isCommit, false);
  const first = dying.orders.append('a1', 'p', many(250));
  await held.sent;
  assert.deepEqual(await orders.find('a1', 'p', ['o7']), []);
  await assert.rejects(orders.cancel('a1', 'p', 'o7'), { code: 'not-found' });
  // As long as it may be alive, nobody takes what it claims.
  const hasty = process({}, 300);
  await assert.rejects(hasty.orders.append('a1', 'p', [anOrder('o7', { price: 99 })]), { code: 'unavailable' });
  clock.time = '2025-04-01T10:30:02Z';
  const [receipt] = await orders.append('a1', 'p', [anOrder('o7', { price: 99 })]);
  assert.equal(receipt?.sequence, 1);
  // It was only slow: it finds its order taken, and keeps none.
  await held.release();
  await assert.rejects(first, { code: 'conflict' });
  assert.deepEqual(await idsIn(orders), ['o7']);
});

test('a large request that was taken for dead without need is taken once all the same', async (t) => {
  const { orders, process, clock } = await openHouse(t);
  const slow = process();
  const held = hold(slow.dynamodb, isCommit, false);
  const first = slow.orders.append('a1', 'p', many(250));
  await held.sent;
  clock.time = '2025-04-01T10:30:02Z';
  const again = await orders.append('a1', 'p', many(250));
  await held.release();
  assert.deepEqual(await first, again);
  assert.equal((await orders.entries('a1')).length, 250);
});

/** Text that no compression makes small. */
const noise = (random: ReturnType<typeof chance>) => Math.round(random.between(0, 1e15)) / 1e9;
const aCurve = (record_id: string, random: ReturnType<typeof chance>): CurveOrder => ({
  record_id,
  zone: 'Z',
  kind: 'curve',
  period: 1,
  shape: 'step',
  points: Array.from({ length: 1000 }, () => ({ price: noise(random), power: noise(random) })),
});

test('a request larger than an item is divided, and one larger than a transaction refused whole', async (t) => {
  const { orders } = await openHouse(t);
  const random = chance(5);
  const curves: Order[] = Array.from({ length: 40 }, (_, i) => aCurve(`c${i}`, random));
  const size = JSON.stringify(curves).length;
  assert(size > 1_500_000, `${size} characters`);
  const receipts = await orders.append('a1', 'p', curves);
  assert.equal(receipts.length, 40);
  assert.deepEqual(
    (await orders.entries('a1')).map(({ order }) => order),
    curves,
  );
  assert.deepEqual((await orders.find('a1', 'p', ['c39']))[0]?.order, curves[39]);
  const tooMany = Array.from({ length: 150 }, (_, i) => aCurve(`d${i}`, random));
  await assert.rejects(orders.append('a1', 'p', tooMany), { code: 'too-large' });
  assert.equal((await orders.entries('a1')).length, 40);
});

const scan = async (client: DynamoDBClient, table: string) =>
  (await client.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items!;

test('batches that are processed in part are asked for again until they are whole', async (t) => {
  const { orders, auctions, process, environment, dynamodb, clock, close } = await openHouse(t);
  const receipts = await orders.append('a1', 'p', many(130));
  for (const { record_id } of many(30, 100)) await orders.cancel('a1', 'p', record_id);
  const partial = process();
  const { counts } = injectFaults(partial.dynamodb, chance(3), { partial: 1 });
  assert.deepEqual(
    (await partial.orders.list('a1')).map(({ cancelled }) => cancelled),
    many(130).map((_, i) => i >= 100),
  );
  assert.deepEqual(await partial.orders.append('a1', 'p', many(100)), receipts.slice(0, 100));
  await close();
  await auctions.advance(anAuction({ state: 'closed' }), anAuction({ state: 'settled' }));
  clock.time = '2025-04-02T11:00:01Z';
  assert.equal(await partial.orders.expire(clock.now()), 130);
  assert.deepEqual(await scan(dynamodb, environment.INTAKE_TABLE), []);
  assert(counts.partial >= 4, `${counts.partial} partial batches`);
});

test('items carry their time to live, a day after the gate, in seconds', async (t) => {
  const { orders, dynamodb, environment } = await openHouse(t);
  await orders.append('a1', 'p', many(2));
  await orders.append('a1', 'p', many(120, 10));
  const ttls = (await scan(dynamodb, environment.ORDERS_TABLE)).map((item) => Number(item.ttl?.N));
  assert.deepEqual(new Set(ttls), new Set([Date.parse('2025-04-02T11:00:00Z') / 1000]));
  assert.equal(ttls.length, 122);
});

test('an order whose auction is not settled is kept beyond its time, and comes back when it went', async (t) => {
  const { orders, auctions, dynamodb, environment, clock, close } = await openHouse(t);
  await orders.append('a1', 'p', many(3));
  await orders.cancel('a1', 'p', 'o1');
  await close();
  await auctions.advance(anAuction({ state: 'closed' }), anAuction({ state: 'failed' }));
  const ttls = async () => (await scan(dynamodb, environment.ORDERS_TABLE)).map((item) => Number(item.ttl?.N));
  const inSeconds = (time: string) => Date.parse(time) / 1000;
  for (const [time, least] of [
    ['2025-04-01T23:00:01Z', '2025-04-02T23:00:00Z'],
    ['2025-04-02T12:00:00Z', '2025-04-03T12:00:00Z'],
    ['2025-04-05T12:00:00Z', '2025-04-06T12:00:00Z'],
  ] as const) {
    clock.time = time;
    assert.equal(await orders.expire(clock.now()), 0);
    for (const ttl of await ttls()) assert(ttl >= inSeconds(least), `${ttl} at ${time}`);
    assert.equal((await ttls()).length, 3);
  }
  assert.deepEqual(
    (await orders.list('a1')).map(({ cancelled }) => cancelled),
    [false, true, false],
  );
  assert.equal((await orders.find('a1', 'p', ['o2'])).length, 1);
  await auctions.advance(anAuction({ state: 'failed' }), anAuction({ state: 'settled' }));
  assert.equal(await orders.expire(clock.now()), 3);
});

test('a rush: 200 requests at one moment into two shards, by twenty processes; none is refused', async (t) => {
  const { orders, process } = await openHouse(t, 2);
  const houses = Array.from({ length: 20 }, () => process());
  let transactions = 0;
  for (const { dynamodb } of houses)
    dynamodb.middlewareStack.add(
      (next, { commandName }) =>
        async (given) => {
          if (commandName === 'TransactWriteItemsCommand') transactions++;
          return next(given);
        },
      { step: 'initialize' },
    );
  const rush = many(200).map((order, i) => houses[i % houses.length]!.orders.append('a1', 'p', [order]));
  const receipts = (await Promise.all(rush)).flat();
  t.diagnostic(`${transactions} transactions for ${receipts.length} requests`);
  assert.equal(new Set(receipts.map(({ sequence }) => sequence)).size, 200);
  assert.deepEqual(
    (await idsIn(orders)).sort(),
    many(200)
      .map(({ record_id }) => record_id)
      .sort(),
  );
  // Each tries alone, and lies down in the queue when another was faster; some commit for all. One after the other, each trying again
  // whenever another was faster, would be a hundred times as many as there are requests.
  assert(transactions < 10 * receipts.length, `${transactions} transactions`);
});

test('expired items that the table has not deleted yet are not found, and the log is gone', async (t) => {
  const { orders, auctions, dynamodb, environment, clock, close } = await openHouse(t, 2);
  await orders.append('a1', 'p', many(3));
  await close();
  await auctions.advance(anAuction({ state: 'closed' }), anAuction({ state: 'settled' }));
  clock.time = '2025-04-02T11:00:01Z';
  assert.deepEqual(await orders.find('a1', 'p', ['o1']), []);
  assert.equal(await orders.expire(clock.now()), 3);
  assert.equal(await orders.expire(clock.now()), 0);
  assert.equal((await scan(dynamodb, environment.ORDERS_TABLE)).length, 3);
  assert.deepEqual(await scan(dynamodb, environment.INTAKE_TABLE), []);
  assert.deepEqual(await orders.find('a1', 'p', ['o1']), []);
  assert.deepEqual(
    (await auctions.list()).map(({ id }) => id),
    ['a1'],
  );
});

test('advance() whose answer was lost is told from one that another writer made', async (t) => {
  const { auctions, process } = await openHouse(t);
  const lossy = process();
  const faults = injectFaults(lossy.dynamodb, chance(1), { unanswered: 1 }, ['TransactWriteItemsCommand']);
  const advanced = lossy.auctions.advance(anAuction(), anAuction({ state: 'closed' }));
  while ((await auctions.find('a1'))?.state === 'open') await new Promise((resolve) => setTimeout(resolve, 5));
  faults.heal();
  assert.equal(await advanced, true);
  assert.equal(await lossy.auctions.advance(anAuction(), anAuction({ state: 'closed' })), false);
});

test('the head of a shard that somebody tampered with takes no more orders in silence', async (t) => {
  const { orders, process, dynamodb, environment } = await openHouse(t);
  await orders.append('a1', 'p', [anOrder('o1')]);
  const key = { pk: { S: 'a1#0' }, sk: { S: 'head' } };
  const head = (await dynamodb.send(new GetItemCommand({ TableName: environment.INTAKE_TABLE, Key: key }))).Item;
  assert.equal(head?.entries?.N, '1');
  await dynamodb.send(
    new UpdateItemCommand({
      TableName: environment.INTAKE_TABLE,
      Key: key,
      UpdateExpression: 'SET closed = :closed',
      ExpressionAttributeValues: { ':closed': { BOOL: true } },
    }),
  );
  await assert.rejects(process().orders.append('a1', 'p', [anOrder('o2')]), { code: 'gate-closed' });
  await assert.rejects(orders.append('a1', 'p', [anOrder('o2')]), { code: 'gate-closed' });
});
