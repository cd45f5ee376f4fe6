/** Webhooks of participants: what they are told, signed by whom, how often, and where they may not lie. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import type { LookupFunction } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { noLog, openDurability } from '../src/adapters/local/durability.ts';
import { openHeads } from '../src/adapters/local/heads.ts';
import { openNotices } from '../src/adapters/local/notices.ts';
import { openWebhooks, type WebhooksOptions } from '../src/adapters/local/webhooks.ts';
import { isPublic } from '../src/adapters/webhooks/addresses.ts';
import { closeGate } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import type { Notice } from '../src/auction/ports.ts';
import { messagesFor, webhookKinds } from '../src/auction/webhooks.ts';
import { openAccessHouse } from './access-house.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches } from './support/house.ts';
import { recordingMeter } from './support/meter.ts';
import { openReceiver, type Received } from './support/receiver.ts';
import { toldOf } from './support/told.ts';

const receiverFile = (name: string) => fileURLToPath(new URL(`../clients/webhooks/${name}`, import.meta.url));
const { fault, Inbox } = (await import(receiverFile('receiver.mjs'))) as {
  fault(headers: object, body: string, secrets: string[], now?: number): string | undefined;
  Inbox: new () => { take(id: string, data: object): string };
};

const settled = (auction: string): Notice => ({
  id: `auction-settled:${auction}`,
  kind: 'auction-settled',
  ...toldOf(auction),
  orders: 3,
});
const rejected = (participant: string, record_id: string): Notice => ({
  id: `order-rejected:a:${participant}:${record_id}`,
  kind: 'order-rejected',
  ...toldOf('a'),
  participant,
  record_id,
  status: 'rejected',
  reason: { code: 'out_of_the_money', distance: 5, missedSurplus: 0, binding: [] },
});

/** Webhooks over a database in memory, told by notices as in a house. */
function open(t: TestContext, options: Partial<WebhooksOptions> = {}) {
  const database = options.database ?? new DatabaseSync(':memory:');
  const logged: Record<string, unknown>[] = [];
  const meter = recordingMeter();
  const shared = {
    database,
    durability: openDurability(noLog, openHeads(undefined, new Map())),
    clock: { now: () => new Date() },
    log: (entry: Record<string, unknown>) => void logged.push(entry),
    meter,
  };
  const webhooks = openWebhooks({ ...shared, anywhere: true, firstPauseMs: 1, ...options });
  const notices = openNotices({ ...shared, webhooks });
  const close = async () => {
    await notices.close();
    await webhooks.close();
  };
  t.after(close);
  return { webhooks, notices, database, logged, meter, close };
}

test('a participant is told of its own orders and of its auctions, in signed messages that say where the auction was', async (t) => {
  const { url, received } = await openReceiver(t);
  const house = await openTestHouse(t, { privateWebhooks: true });
  const { ports } = house;
  const { webhooks } = house;
  const { id, secret } = await webhooks().add('p', { url });
  await hold(ports);
  const order = (record_id: string, side: string, price: number) => ({ record_id, side, price, power: 10 });
  const orders = [
    order('s', 'sell', 10),
    order('b', 'buy', 60),
    order('dear', 'sell', 90),
    order('dearer', 'sell', 91),
  ];
  await submitOrders(ports, { participant: 'p' }, { auction: 'a', orders });
  await submitOrders(ports, { participant: 'q' }, { auction: 'a', orders: [order('theirs', 'sell', 95)] });
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  await until('both messages are there', async () => received.length === 2 || undefined);
  const byType = (type: string) => received.find(({ message }) => message.type === type)!.message;
  const { data } = byType('order-rejected');
  assert.deepEqual(
    [
      data.auction,
      data.state,
      data.run,
      data.sequence,
      data.orders.map((one: Notice & { record_id: string }) => one.record_id),
    ],
    ['a', 'final', 1, 15, ['dear', 'dearer']],
  );
  assert.deepEqual(Object.keys(data.orders[0]).sort(), ['id', 'reason', 'record_id', 'status']);
  assert.deepEqual(byType('auction-settled').data, {
    auction: 'a',
    state: 'settled',
    run: 1,
    sequence: 16,
    id: 'auction-settled:a',
    orders: 5,
  });
  assert(!received.some(({ body }) => body.includes('theirs')));
  const at = Date.parse(house.clock.time) / 1000;
  for (const { headers, body } of received) assert.equal(fault(headers, body, [secret], at), undefined);
  // What became of a message is written down after its receiver has it.
  await until('both are delivered', async () => {
    const states = (await webhooks().deliveries('p', id, { limit: 10 })).map((one) => `${one.state} ${one.attempts}`);
    return states.join() === 'delivered 1,delivered 1' || undefined;
  });
});

test('messagesFor() makes one message of the orders of one kind, and none of what is others’ or was not asked for', () => {
  const notices: Notice[] = [rejected('p', 'o1'), rejected('q', 'o2'), rejected('p', 'o3'), settled('a'), settled('b')];
  const types = (participant: string, kinds = [...webhookKinds]) =>
    messagesFor(participant, kinds, notices).map(({ type, data }) => `${type} ${data.auction}`);
  assert.deepEqual(types('p'), ['order-rejected a', 'auction-settled a', 'auction-settled b']);
  assert.deepEqual(types('r'), ['auction-settled a', 'auction-settled b']);
  assert.deepEqual(types('p', ['order-rejected']), ['order-rejected a']);
  const diagnosed: Notice = { id: 'd', kind: 'auction-diagnosed', ...toldOf('a'), found: 'orders', orders: 1 };
  assert.deepEqual(messagesFor('p', webhookKinds, [diagnosed]), []);
});

test('what a receiver does not take comes again under its id, then is dead, and comes again when it is asked for', async (t) => {
  let status = 500;
  const { url, received } = await openReceiver(t, () => status);
  const { webhooks, notices, logged, meter } = open(t, { mostAttempts: 3 });
  const { id } = await webhooks.add('p', { url });
  await notices.send([settled('a')]);
  await notices.send([settled('a')]); // a step that runs twice tells once
  const deliveries = (state?: 'dead') => webhooks.deliveries('p', id, { ...(state && { state }), limit: 10 });
  await until('it is dead', async () => (await deliveries('dead')).length === 1 || undefined);
  const [dead] = await deliveries();
  assert.equal(dead!.error, `${url} answered 500`);
  assert.deepEqual(
    received.map(({ headers }) => [headers['webhook-id'], headers['webhook-delivery']]),
    [1, 2, 3].map((attempt) => [dead!.id, `${dead!.id}.${attempt}`]),
  );
  assert.deepEqual(logged.filter(({ event }) => event === 'webhook-dead').length, 1);
  assert.deepEqual(meter.recorded, [{ name: 'webhook_messages_undelivered', value: 1 }]);
  status = 204;
  assert.equal(await webhooks.replay('p', id), 1);
  await until('it is delivered', async () => (await deliveries())[0]!.state === 'delivered' || undefined);
  assert.equal(received[3]!.headers['webhook-id'], dead!.id);
  assert.equal(received[3]!.body, received[0]!.body);
  assert.equal(await webhooks.replay('p', id, [dead!.id, 'msg_000000000000000000000000']), 1);
  await until('it came once more', async () => received.length === 5 || undefined);
});

test('410 ends the attempts at once; what a closed house did not deliver the next one does', async (t) => {
  const answers = [410, 500];
  const { url, received } = await openReceiver(t, () => answers.shift() ?? 204);
  const first = open(t);
  const { id } = await first.webhooks.add('p', { url });
  await first.notices.send([settled('a')]);
  const states = async () =>
    (await first.webhooks.deliveries('p', id, { limit: 10 })).map(({ state, attempts }) => `${state} ${attempts}`);
  await until('it is dead', async () => (await states())[0] === 'dead 1' || undefined);
  await first.close();
  const slow = open(t, { database: first.database, firstPauseMs: 100_000 });
  await slow.notices.send([settled('b')]);
  await until('one attempt was made', async () => received.length === 2 || undefined);
  await until('it is put off', async () => (await states())[0] === 'waiting 1' || undefined);
  await slow.close();
  const later = open(t, { database: first.database, clock: { now: () => new Date(Date.now() + 101_000) } });
  await until('it is delivered', async () => (await states())[0] === 'delivered 2' || undefined);
  assert.equal((await later.webhooks.list('p'))[0]!.id, id);
});

test('a receiver that never answers holds up nobody else', async (t) => {
  const silent = await openReceiver(t, () => undefined);
  const quick = await openReceiver(t);
  const { webhooks, notices } = open(t);
  await webhooks.add('p', { url: silent.url });
  await webhooks.add('q', { url: quick.url });
  await notices.send(['a', 'b', 'c', 'd'].map(settled));
  await until('the other has all', async () => quick.received.length === 4 || undefined);
  await until('two are with it, and no more', async () => silent.received.length === 2 || undefined);
});

test('a message may be made of a new key and the one before, which signs for a day more', async (t) => {
  const { url, received } = await openReceiver(t);
  let ahead = 0;
  const { webhooks, notices } = open(t, { clock: { now: () => new Date(Date.now() + ahead) } });
  const own = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
  const { id, secret, keys } = await webhooks.add('p', { url, secret: own });
  assert.equal(secret, own);
  const next = await webhooks.rotate('p', id);
  assert.deepEqual(
    next.keys.map((key) => key.id).slice(1),
    keys.map((key) => key.id),
  );
  assert.match(next.keys[1]!.until!, /Z$/);
  const told = async (name: string): Promise<Received> => {
    const before = received.length;
    await notices.send([settled(name)]);
    await until(`${name} is told`, async () => received.length > before || undefined);
    return received.at(-1)!;
  };
  const faults = ({ headers, body }: Received) =>
    [own, next.secret].map((each) => fault(headers, body, [each], (Date.now() + ahead) / 1000));
  const both = await told('a');
  assert.deepEqual(faults(both), [undefined, undefined]);
  assert.equal(both.headers['webhook-key-id'], next.keys.map((key) => key.id).join(' '));
  ahead = 25 * 3_600_000;
  assert.deepEqual(faults(await told('b')), ['its signature is not right', undefined]);
  assert.equal((await webhooks.list('p'))[0]!.keys.length, 1);
});

test('the receivers that come along take what is Merit’s and of now, once, and drop what comes late', async (t) => {
  const { url, received } = await openReceiver(t);
  const { webhooks, notices } = open(t);
  const { secret } = await webhooks.add('p', { url });
  await notices.send([settled('a')]);
  await until('it is told', async () => received.length === 1 || undefined);
  const [{ headers, body }] = received as [Received];
  const now = Number(headers['webhook-timestamp']);
  const other = `whsec_${Buffer.alloc(24).toString('base64')}`;
  const cases: [headers: object, body: string, secrets: string[], now: number][] = [
    [headers, body, [other, secret], now + 299],
    [headers, body, [secret], now + 301],
    [headers, body, [secret], now - 301],
    [headers, body, [other], now],
    [headers, `${body} `, [secret], now],
    [{ ...headers, 'webhook-id': 'msg_1' }, body, [secret], now],
    [{ ...headers, 'webhook-timestamp': String(now + 1) }, body, [secret], now],
    [{ ...headers, 'webhook-signature': `v2,x ${headers['webhook-signature']}` }, body, [secret], now],
    [{}, body, [secret], now],
  ];
  const expected = [
    undefined,
    'it is not of now',
    'it is not of now',
    ...Array.from({ length: 4 }, () => 'its signature is not right'),
    undefined,
    'it is not signed',
  ];
  assert.deepEqual(
    cases.map((each) => fault(...each)),
    expected,
  );
  const inbox = new Inbox();
  const deliveries = [
    ['m1', 14],
    ['m2', 16],
    ['m1', 14],
    ['m3', 15],
    ['m4', 16],
    ['m5', 21],
  ] as const;
  const took = ['new', 'new', 'repeated', 'late', 'new', 'new'];
  assert.deepEqual(
    deliveries.map(([id, sequence]) => inbox.take(id, { auction: 'a', sequence })),
    took,
  );
  const script = `import json, sys; sys.path.insert(0, sys.argv[1]); import receiver
given = json.loads(sys.argv[2]); inbox = receiver.Inbox()
print(json.dumps([[receiver.fault(h, b.encode(), s, n) for h, b, s, n in given[0]],
  [inbox.take(i, {"auction": "a", "sequence": q}) for i, q in given[1]]]))`;
  const folder = receiverFile('.');
  const environment = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const given = JSON.stringify([cases, deliveries]);
  const { stdout } = await promisify(execFile)('python3', ['-c', script, folder, given], { env: environment });
  assert.deepEqual(JSON.parse(stdout), [expected.map((each) => each ?? null), took]);
});

test('isPublic() takes addresses that are anybody’s, and none of this machine, its network, or behind a translation', () => {
  for (const address of ['1.1.1.1', '9.9.9.9', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])
    assert(isPublic(address), address);
  for (const address of [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:1.1.1.1',
    '64:ff9b::7f00:1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    '2002:7f00:1::',
    '2001:db8::1',
    'localhost',
  ])
    assert(!isPublic(address), address);
});

/** A name service in which a name has one address after another. */
const namesGoing = (...addresses: string[]): LookupFunction =>
  ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
    callback(null, [{ address: addresses.length > 1 ? addresses.shift()! : addresses[0]!, family: 4 }])) as never;

test('a webhook lies on a public address, by https, when it is registered and at each delivery', async (t) => {
  const { url, received } = await openReceiver(t);
  const port = new URL(url).port;
  const { webhooks } = open(t, { anywhere: false, lookup: namesGoing('10.0.0.1') });
  const codeOf = (address: string) =>
    webhooks.add('p', { url: address }).then(
      () => 'taken',
      (error) => error.problems[0].code,
    );
  assert.deepEqual(
    await Promise.all(
      [
        'http://1.1.1.1/',
        'https://127.0.0.1/',
        'https://2130706433/',
        'https://0x7f.1/',
        'https://[::1]/',
        'https://[::ffff:10.0.0.1]/',
        'https://name.example/',
        'https://u:p@1.1.1.1/',
        'ftp://1.1.1.1/',
        'https://1.1.1.1/',
      ].map(codeOf),
    ),
    [
      'not-https',
      'private-address',
      'private-address',
      'private-address',
      'private-address',
      'private-address',
      'private-address',
      'credentials',
      'no-url',
      'taken',
    ],
  );
  // A name that is public when it is looked at first, and ours afterwards.
  const rebound = open(t, { anywhere: false, lookup: namesGoing('1.1.1.1', '127.0.0.1'), mostAttempts: 1 });
  const { id } = await rebound.webhooks.add('p', { url: `https://name.example:${port}/` });
  await rebound.notices.send([settled('a')]);
  await until(
    'it is given up',
    async () => (await rebound.webhooks.deliveries('p', id, { state: 'dead', limit: 1 }))[0],
  );
  const [dead] = await rebound.webhooks.deliveries('p', id, { limit: 1 });
  assert.equal(dead!.error, 'name.example is 127.0.0.1, which is no public address');
  assert.deepEqual(received, []);
});

test('a redirect is no answer, and is not followed', async (t) => {
  const inside = await openReceiver(t);
  const outside = await openReceiver(t, (_, response) => {
    response.writeHead(307, { location: inside.url }).end();
    return undefined;
  });
  const { webhooks, notices } = open(t, { mostAttempts: 1 });
  const { id } = await webhooks.add('p', { url: outside.url });
  await notices.send([settled('a')]);
  await until('it is given up', async () => (await webhooks.deliveries('p', id, { state: 'dead', limit: 1 }))[0]);
  assert.deepEqual([outside.received.length, inside.received.length], [1, 0]);
});

test('over the API a webhook is its participant’s: others find none, and nobody is told its secret again', async (t) => {
  const { ask } = await openAccessHouse(t);
  const secret = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  const made = await ask('acme', 'POST', '/webhooks', { url: 'https://1.1.1.1/hook', secret });
  assert.equal(made.status, 201, JSON.stringify(made.json));
  assert.equal(made.json.secret, secret);
  const { id } = made.json;
  const { json } = await ask('acme', 'GET', '/webhooks');
  assert.deepEqual(json.webhooks[0].url, 'https://1.1.1.1/hook');
  assert(!JSON.stringify(json).includes('whsec'));
  assert.deepEqual((await ask('umbra', 'GET', '/webhooks')).json, { webhooks: [] });
  for (const [method, path] of [
    ['DELETE', `/webhooks/${id}`],
    ['POST', `/webhooks/${id}/rotate`],
    ['GET', `/webhooks/${id}/deliveries`],
    ['POST', `/webhooks/${id}/replay`],
  ] as const)
    assert.equal((await ask('umbra', method, path)).json.code, 'not-found', path);
  assert.equal((await ask('acme', 'POST', `/webhooks/${id}/rotate`, {})).json.keys.length, 2);
  assert.deepEqual((await ask('acme', 'GET', `/webhooks/${id}/deliveries`)).json, { deliveries: [] });
  assert.deepEqual((await ask('acme', 'POST', `/webhooks/${id}/replay`)).json, { replayed: 0 });
  const refused = await ask('acme', 'POST', '/webhooks', { url: 'https://169.254.169.254/latest' });
  assert.deepEqual([refused.status, refused.json.problems[0].code], [400, 'private-address']);
  for (let i = 1; i < 5; i++)
    assert.equal((await ask('acme', 'POST', '/webhooks', { url: 'https://1.1.1.1/' })).status, 201);
  assert.equal((await ask('acme', 'POST', '/webhooks', { url: 'https://1.1.1.1/' })).status, 409);
  assert.equal((await ask('acme', 'DELETE', `/webhooks/${id}`)).status, 204);
  assert.equal((await ask('acme', 'DELETE', `/webhooks/${id}`)).status, 404);
});
