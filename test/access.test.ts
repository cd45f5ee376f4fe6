/**
 * Who may call what: every route with every caller, and whose orders are whose.
 *
 * The routes come from the app, so a new one fails here until it is said who may call it.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Access, accessOf, accessTable, permit } from '../src/access/routes.ts';
import { type Caller, callers, hold, openAccessHouse } from './access-house.ts';

const all = callers;
const participants: readonly Caller[] = ['acme', 'umbra', 'reader'];
const writers: readonly Caller[] = ['acme', 'umbra'];

/** By operationId: who gets through. Written out, so that the table of the product is not held against itself. */
const through: Readonly<Record<string, readonly Caller[]>> = {
  readLanding: all,
  checkHealth: all,
  checkReadiness: all,
  checkLiveness: all,
  readOpenApi: all,
  readDocs: all,
  readDocsScript: all,
  explainProblem: all,
  readKeys: all,
  readEvidenceKeys: all,
  issueToken: all,
  listMarkets: all,
  findMarket: all,
  listAuctions: all,
  findAuction: all,
  readNetwork: all,
  readTree: all,
  readPrices: all,
  readFlows: all,
  readCurves: all,
  streamEvents: all,
  readSettlement: all,
  listTrades: [...participants, 'operator', 'auditor'],
  readStatements: [...participants, 'operator', 'auditor'],
  downloadStatements: [...participants, 'operator', 'auditor'],
  addWebhook: writers,
  listWebhooks: participants,
  removeWebhook: writers,
  rotateWebhook: writers,
  listDeliveries: participants,
  replayDeliveries: writers,
  submitOrders: writers,
  uploadOrders: writers,
  listOrders: participants,
  findOrder: participants,
  listOrderVersions: participants,
  replaceOrder: writers,
  cancelOrder: writers,
  proveOrder: participants,
  cancelOrders: writers,
  readMetrics: ['operator'],
  createAuction: ['operator'],
  closeGate: ['operator'],
  cancelAuction: ['operator'],
  restartAuction: ['operator'],
  changeNetwork: ['operator'],
  readDiagnosis: ['operator', 'auditor'],
  readBook: ['auditor'],
  readResult: ['auditor'],
  listExecutions: ['auditor'],
  readExecution: ['auditor'],
};

test('every route lets through who may call it, and answers others 401 or 403', async (t) => {
  const house = await openAccessHouse(t);
  const seen = new Map<string, string[]>();
  for (const { id, method, path } of house.routes) {
    const address = path.replaceAll(/\{\w+\}/g, 'nothing');
    const passed: Caller[] = [];
    for (const caller of callers) {
      const { status } = await house.ask(caller, method.toUpperCase(), address);
      if (status !== 401 && status !== 403) passed.push(caller);
      else if (id !== 'issueToken') assert.equal(status, caller === 'none' ? 401 : 403, `${id} as ${caller}`);
      else passed.push(caller); // 401 of its own: no credentials of a client
    }
    seen.set(id, passed);
  }
  assert.deepEqual(Object.fromEntries(seen), through);
});

test('the table has the routes of the app and no others', async (t) => {
  const { routes } = await openAccessHouse(t);
  const known = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  assert.deepEqual(known.sort(), Object.keys(accessTable).sort());
});

test('permit() lets nobody call what is not in the table', () => {
  const everything = {
    client: 'c',
    scopes: ['merit/operator', 'merit/auditor', 'merit/orders.write'],
    participant: 'p',
  };
  for (const [method, path] of [
    ['GET', '/secret'],
    ['PATCH', '/orders'],
    ['GET', '/constructor'],
    ['GET', '/orders/o-1'],
  ])
    assert.equal(accessOf(method!, path!), undefined);
  assert.throws(() => permit(undefined, everything as never), { code: 'forbidden' });
  assert.throws(() => permit(undefined, undefined), { code: 'unauthorized' });
  assert.throws(() => permit({ anyOf: [] } as Access, everything as never), { code: 'forbidden' });
  assert.equal(accessOf('HEAD', '/auctions/{id}/book'), accessOf('GET', '/auctions/{id}/book'));
});

test('HEAD is no way around GET', async (t) => {
  const { ask } = await openAccessHouse(t);
  assert.equal((await ask('none', 'HEAD', '/orders?auction=a')).status, 401);
  assert.equal((await ask('operator', 'HEAD', '/executions')).status, 403);
});

const order = (record_id: string, changes: object = {}) => ({
  record_id,
  side: 'sell',
  price: 10,
  power: 5,
  ...changes,
});

test('an order is its participant’s: others find, list and cancel nothing, and cannot tell whether it is there', async (t) => {
  const house = await openAccessHouse(t);
  const { ask } = house;
  const auction = await hold(house);
  assert.equal((await ask('acme', 'POST', '/orders', { auction, orders: [order('mine'), order('too')] })).status, 201);
  for (const caller of ['umbra', 'reader'] as const)
    for (const query of ['', `?auction=${auction}`, '?auction=none']) {
      const there = await ask(caller, 'GET', `/orders/mine${query}`);
      const nowhere = await ask(caller, 'GET', `/orders/moon${query}`);
      assert.equal(there.status, 404);
      assert.deepEqual(JSON.parse(JSON.stringify(there.json).replaceAll('mine', 'moon')), nowhere.json);
    }
  const cancelled = await ask('umbra', 'DELETE', '/orders/mine');
  const nothing = await ask('umbra', 'DELETE', '/orders/moon');
  assert.deepEqual([cancelled.status, nothing.status], [404, 404]);
  assert.deepEqual(JSON.parse(JSON.stringify(cancelled.json).replaceAll('mine', 'moon')), nothing.json);
  assert.deepEqual((await ask('umbra', 'GET', `/orders?auction=${auction}`)).json.orders, []);

  // The same id of another participant is another order.
  assert.equal(
    (await ask('umbra', 'POST', '/orders', { auction, orders: [order('mine', { price: 90 })] })).status,
    201,
  );
  const own = async (caller: Caller) => (await ask(caller, 'GET', `/orders/mine?auction=${auction}`)).json;
  assert.deepEqual([(await own('acme')).order.price, (await own('umbra')).order.price], [10, 90]);
  assert.deepEqual([(await own('acme')).participant, (await own('umbra')).participant], ['acme', 'umbra']);
  assert.equal((await ask('umbra', 'DELETE', '/orders/mine')).json.participant, 'umbra');
  assert.equal((await own('acme')).cancelled, false);
  const page = (await ask('acme', 'GET', `/orders?auction=${auction}&limit=1`)).json;
  assert.deepEqual([page.orders.map((view: { record_id: string }) => view.record_id), page.next], [['mine'], 1]);
  const rest = (await ask('acme', 'GET', `/orders?auction=${auction}&after=${page.next}&limit=5`)).json;
  assert.deepEqual(
    rest.orders.map((view: { record_id: string }) => view.record_id),
    ['too'],
  );
});

test('a participant names nobody else in the body, and no order, group or portfolio of anybody else', async (t) => {
  const house = await openAccessHouse(t);
  const { ask } = house;
  const auction = await hold(house);
  const block = { kind: 'block', from: 1, to: 1 };
  assert.equal((await ask('acme', 'POST', '/orders', { auction, orders: [order('acmes-own', block)] })).status, 201);
  const send = (changes: object) => ask('umbra', 'POST', '/orders', { auction, orders: [order('x', changes)] });
  for (const participant of ['acme', 'nobody', 'local']) {
    const { status, json } = await send({ participant });
    assert.deepEqual([status, json.problems[0].record_id, json.problems[0].field], [403, 'x', 'participant']);
  }
  for (const portfolio of ['acme', 'none']) {
    const { status, json } = await send({ portfolio });
    assert.deepEqual([status, json.problems[0].record_id, json.problems[0].field], [403, 'x', 'portfolio']);
  }
  const [there, nowhere] = [
    await send({ ...block, linkedTo: 'acmes-own' }),
    await send({ ...block, linkedTo: 'orphan' }),
  ];
  assert.equal(there.status, 400);
  assert.deepEqual(JSON.parse(JSON.stringify(there.json).replaceAll('acmes-own', 'orphan')), nowhere.json);
  const taken = await send({ participant: 'umbra', portfolio: 'all' });
  assert.deepEqual([taken.status, taken.json.receipts[0].participant], [201, 'umbra']);
});

test('the public sees no curves before they are published, an auditor does once the book is sealed', async (t) => {
  const house = await openAccessHouse(t);
  const { ask, ports } = house;
  const id = await hold(house);
  await ask('acme', 'POST', '/orders', { auction: id, orders: [order('o')] });
  await ask('operator', 'POST', `/auctions/${id}/close`);
  const settled = async () => (await ask('none', 'GET', `/auctions/${id}`)).json.state === 'settled';
  while (!(await settled())) await new Promise(setImmediate);
  for (const caller of ['none', 'umbra', 'auditor'] as const)
    assert.equal((await ask(caller, 'GET', `/auctions/${id}/curves`)).status, 200);
  assert.equal((await ask('auditor', 'GET', `/auctions/${id}/book`)).json.orders[0].portfolio, 'all');
  const auction = (await ports.auctions.find(id))!;
  await ports.auctions.create({ ...auction, id: 'sealed', state: 'clearing' });
  for (const caller of ['none', 'acme', 'operator'] as const)
    assert.equal((await ask(caller, 'GET', '/auctions/sealed/curves')).status, 409);
  assert.notEqual((await ask('auditor', 'GET', '/auctions/sealed/curves')).status, 409);
});
