import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openApiHouse } from './api-house.ts';

const buy = { record_id: 'o-1', side: 'buy', price: 60, power: 80 };

test('POST /orders takes the smallest order into the default market and answers its receipt', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  const auction = await hold();
  const { status, json } = await ask('POST', '/orders', buy);
  assert.equal(status, 201);
  assert.deepEqual([json.auction, json.record_id, json.participant, json.sequence], [auction.id, 'o-1', 'local', 1]);
  assert.match(json.hash, /^sha256:[0-9a-f]{64}$/);
});

test('POST /orders: nobody keeps a receipt or a refusal', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  await hold();
  const kept = async (method: string, path: string, body?: unknown) => {
    const { status, headers } = await ask(method, path, body);
    return [status, headers.get('cache-control')];
  };
  assert.deepEqual(await kept('POST', '/orders', buy), [201, 'no-store']);
  assert.deepEqual(await kept('POST', '/orders', {}), [400, 'no-store']);
  assert.deepEqual(await kept('GET', '/nothing'), [404, 'no-store']);
  assert.deepEqual(await kept('DELETE', '/markets'), [405, 'no-store']);
});

test('POST /orders takes a list and a batch, with a receipt per order in their order', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  const { id } = await hold();
  const list = await ask('POST', '/orders', [buy, { ...buy, record_id: 'o-2' }]);
  const batch = await ask('POST', '/orders', { auction: id, orders: [{ ...buy, record_id: 'o-3' }] });
  assert.deepEqual([list.status, batch.status], [201, 201]);
  const ids = [...list.json.receipts, ...batch.json.receipts].map((r) => [r.record_id, r.sequence]);
  assert.deepEqual(ids, [
    ['o-1', 1],
    ['o-2', 2],
    ['o-3', 3],
  ]);
});

test('POST /orders takes ?auction= for one order and for a list, and refuses two auctions', async (t) => {
  const { ask, refuse, hold } = await openApiHouse(t);
  const { id } = await hold({ id: 'second', gateClosure: '2030-01-01T11:30:00Z' });
  assert.equal((await ask('POST', `/orders?auction=${id}`, buy)).json.auction, 'second');
  assert.equal((await ask('POST', `/orders?auction=${id}`, [buy])).json.auction, 'second');
  const problem = await refuse('POST', `/orders?auction=${id}`, { auction: 'other', orders: [buy] });
  assert.equal(problem.code, 'invalid-request');
});

test('POST /orders gives a repeat the same receipt, and another body under the same id 409', async (t) => {
  const { ask, refuse, hold } = await openApiHouse(t);
  await hold();
  const first = await ask('POST', '/orders', buy);
  const again = await ask('POST', '/orders', { ...buy, kind: 'limit', zone: 'MERIT', period: 1 });
  assert.deepEqual(again.json, first.json);
  const problem = await refuse('POST', '/orders', [
    { ...buy, record_id: 'new' },
    { ...buy, price: 61 },
  ]);
  assert.equal(problem.code, 'conflict');
  assert.deepEqual(
    problem.problems.map(({ index, record_id }) => [index, record_id]),
    [[1, 'o-1']],
  );
  assert.equal((await ask('GET', '/orders/new')).status, 404);
});

test('POST /orders without a body answers 400 with errorMessage "Request body is empty"', async (t) => {
  const { refuse } = await openApiHouse(t);
  for (const body of [undefined, '', ' \n']) {
    const problem = await refuse('POST', '/orders', body);
    assert.deepEqual([problem.status, problem.errorMessage], [400, 'Request body is empty']);
  }
});

test('POST /orders says where JSON is broken, and that NaN and Infinity are not JSON', async (t) => {
  const { refuse } = await openApiHouse(t);
  const said = async (body: string) => {
    const problem = await refuse('POST', '/orders', body);
    assert.deepEqual([problem.status, problem.problems[0]?.code], [400, 'broken-json']);
    return problem.detail;
  };
  assert.match(await said('{"record_id":"a" "price":1}'), /position 17 \(line 1 column 18\)/);
  assert.match(await said('{"record_id":"a","price":NaN}'), /"price":NaN.*JSON has no NaN/);
  assert.match(await said('{"record_id":"a","price":Infinity}'), /JSON has no NaN and no Infinity/);
  assert.match(await said('[{"record_id":"a"'), /JSON at position 17/);
});

test('POST /orders refuses JSON that two readers may read as two orders, and names the place', async (t) => {
  const { refuse } = await openApiHouse(t);
  const places = async (body: string) => {
    const problem = await refuse('POST', '/orders', body);
    assert.equal(problem.status, 400);
    return problem.problems.map(({ field }) => field);
  };
  assert.deepEqual(await places('[{"record_id":"a","price":10,"price":90}]'), ['0.price']);
  assert.deepEqual(await places('{"record_id":"a","__proto__":{"price":1}}'), ['__proto__']);
  assert.deepEqual(await places('{"record_id":"a","price":10.00000000000000000001}'), ['price']);
});

test('POST /orders refuses a declared type that is not JSON, and takes JSON without a declared type', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  await hold();
  for (const type of ['text/csv', 'application/x-www-form-urlencoded', 'application/jsonp']) {
    const { status, json } = await ask('POST', '/orders', JSON.stringify(buy), { 'content-type': type });
    assert.deepEqual([status, json.code], [415, 'unsupported-media-type']);
    assert(json.detail.includes(type));
  }
  const encoded = await ask('POST', '/orders', JSON.stringify(buy), { 'content-encoding': 'gzip' });
  assert.equal(encoded.status, 415);
  for (const type of ['', 'application/json; charset=utf-8', 'application/vnd.merit+json'])
    assert.equal((await ask('POST', '/orders', JSON.stringify(buy), { 'content-type': type })).status, 201);
});

test('POST /orders refuses a body and a batch over the limit with 413', async (t) => {
  const { ask, refuse, hold } = await openApiHouse(t, { bodyLimit: 1000, batchLimit: 3 });
  await hold();
  const long = await refuse('POST', '/orders', { ...buy, record_id: 'x'.repeat(1000) });
  assert.deepEqual([long.status, long.code], [413, 'too-large']);
  const orders = ['a', 'b', 'c', 'd'].map((record_id) => ({ ...buy, record_id }));
  const many = await refuse('POST', '/orders', orders);
  assert.deepEqual([many.status, many.detail], [413, '4 orders are more than the 3 of one request']);
  assert.equal((await ask('POST', '/orders', orders.slice(1))).status, 201);
});

/** What is wrong with an order for the hourly auction, and the field that the answer names. */
const wrongOrders: Record<string, [order: unknown, field: string]> = {
  'a number': [5, ''],
  null: [null, ''],
  'a list in the list': [[], ''],
  'no record_id': [{ side: 'buy', price: 60, power: 80 }, 'record_id'],
  'a record_id with a space': [{ ...buy, record_id: 'a b' }, 'record_id'],
  'a number as record_id': [{ ...buy, record_id: 7 }, 'record_id'],
  'text as price': [{ ...buy, price: '60' }, 'price'],
  'null as price': [{ ...buy, price: null }, 'price'],
  'an unknown side': [{ ...buy, side: 'hold' }, 'side'],
  'an unknown field': [{ ...buy, colour: 'green' }, 'colour'],
  'an unknown kind': [{ ...buy, kind: 'lottery' }, 'kind'],
  'a kind that the market does not take': [
    { record_id: 'f', kind: 'flexible', side: 'buy', price: 1, power: 1, duration: 1, earliest: 1, latest: 1 },
    'kind',
  ],
  'an unknown zone': [{ ...buy, zone: 'ATLANTIS' }, 'zone'],
  'a period after the last': [{ ...buy, period: 2 }, 'period'],
  'period 0': [{ ...buy, period: 0 }, 'period'],
  'half a period': [{ ...buy, period: 1.5 }, 'period'],
  'a price above the limit': [{ ...buy, price: 4000.01 }, 'price'],
  'a price below the limit': [{ ...buy, price: -500.01 }, 'price'],
  'a price off the tick': [{ ...buy, price: 60.001 }, 'price'],
  'negative power': [{ ...buy, power: -1 }, 'power'],
  'zero power': [{ ...buy, power: 0 }, 'power'],
  'absurd power': [{ ...buy, power: 1e9 }, 'power'],
  'power above the limit of the market': [{ ...buy, power: 10_000.1 }, 'power'],
  'power off the lot': [{ ...buy, power: 80.05 }, 'power'],
  'a curve that rises': [
    {
      record_id: 'c',
      kind: 'curve',
      shape: 'step',
      points: [
        { price: 10, power: 5 },
        { price: 20, power: 6 },
      ],
    },
    'points.1.power',
  ],
};

for (const [what, [order, field]] of Object.entries(wrongOrders))
  test(`POST /orders refuses ${what}, naming order and field, and takes nothing`, async (t) => {
    const { ask, refuse, hold } = await openApiHouse(t);
    const { id } = await hold();
    const problem = await refuse('POST', '/orders', [{ ...buy, record_id: 'good' }, order]);
    assert.deepEqual([problem.status, problem.code], [400, 'invalid-order']);
    const [first] = problem.problems;
    assert.deepEqual([first?.index, first?.field ?? ''], [1, field], JSON.stringify(problem));
    assert(first!.message.length > 0);
    assert.deepEqual((await ask('GET', `/orders?auction=${id}`)).json.orders, []);
  });

test('POST /orders refuses numbers that JSON turns into infinity', async (t) => {
  const { refuse, hold } = await openApiHouse(t);
  await hold();
  const problem = await refuse('POST', '/orders', '{"record_id":"o-1","side":"buy","price":60,"power":1e999}');
  assert.deepEqual([problem.code, problem.problems[0]?.field], ['invalid-request', 'power']);
});

test('POST /orders is not harmed by __proto__, and takes no order with two equal keys', async (t) => {
  const { refuse, hold } = await openApiHouse(t);
  await hold();
  const proto = await refuse(
    'POST',
    '/orders',
    '{"record_id":"a","side":"buy","price":1,"power":1,"__proto__":{"x":1}}',
  );
  assert.deepEqual([proto.code, proto.problems[0]?.field], ['invalid-request', '__proto__']);
  assert.equal(({} as Record<string, unknown>).x, undefined);
  const twice = '{"record_id":"a","record_id":"b","side":"buy","price":1,"power":1}';
  const { code, problems } = await refuse('POST', '/orders', twice);
  assert.deepEqual([code, problems[0]?.field], ['invalid-request', 'record_id']);
});

test('POST /orders refuses a body that is no order, no list and no batch', async (t) => {
  const { refuse, hold } = await openApiHouse(t);
  await hold();
  for (const body of ['5', '"order"', 'null', 'true', '[]', '{"orders":[]}', '{"orders":{}}', '{"orders":[],"x":1}']) {
    const problem = await refuse('POST', '/orders', body);
    assert.equal(problem.status, 400, body);
  }
});

test('POST /orders refuses an unknown auction, an early one, a closed one and a cancelled one', async (t) => {
  const { ask, refuse, hold, clock } = await openApiHouse(t);
  const code = async (auction: string) => {
    const { status, code } = await refuse('POST', '/orders', { auction, orders: [buy] });
    return [status, code];
  };
  assert.deepEqual(await code('nowhere'), [404, 'not-found']);
  const early = await hold({ id: 'early', gateOpening: '2030-01-01T10:45:00Z' });
  assert.deepEqual(await code(early.id), [409, 'gate-not-open']);
  const cancelled = await hold({ id: 'cancelled' });
  await ask('POST', `/auctions/${cancelled.id}/cancel`);
  assert.deepEqual(await code(cancelled.id), [409, 'gate-closed']);
  const late = await hold({ id: 'late' });
  clock.time = Date.parse(late.gateClosure);
  assert.deepEqual(await code(late.id), [409, 'gate-closed']);
});

test('POST /orders refuses the hour that a clock change leaves out', async (t) => {
  const { ask, refuse, hold, clock } = await openApiHouse(t);
  clock.time = Date.parse('2030-03-25T10:00:00Z');
  const { id, delivery } = await hold({ market: 'days', date: '2030-03-31', gateClosure: undefined });
  assert.equal(delivery.periods, 23);
  const problem = await refuse('POST', '/orders', { auction: id, orders: [{ ...buy, period: 24 }] });
  assert.deepEqual([problem.code, problem.problems[0]?.field], ['invalid-order', 'period']);
  assert.equal((await ask('POST', '/orders', { auction: id, orders: [{ ...buy, period: 23 }] })).status, 201);
});

test('GET /orders/{record_id} finds an order again, DELETE cancels it once', async (t) => {
  const { ask, refuse, hold, clock } = await openApiHouse(t);
  const { id } = await hold();
  const receipt = (await ask('POST', '/orders', buy)).json;
  const found = (await ask('GET', `/orders/o-1?auction=${id}`)).json;
  assert.deepEqual([found.order.price, found.sequence, found.hash], [60, 1, receipt.hash]);
  const cancelled = await ask('DELETE', `/orders/o-1?auction=${id}`);
  assert.deepEqual([cancelled.status, cancelled.json.sequence], [200, 2]);
  assert.deepEqual((await ask('DELETE', '/orders/o-1')).json, cancelled.json);
  assert.equal((await ask('GET', '/orders/o-1')).json.cancelled, true);
  assert.equal((await refuse('GET', '/orders/o-2')).code, 'not-found');
  assert.equal((await refuse('DELETE', '/orders/o-2')).code, 'not-found');
  assert.equal((await refuse('GET', '/orders/a%20b')).code, 'invalid-request');
  await ask('POST', '/orders', { ...buy, record_id: 'o-3' });
  clock.time = Date.parse('2030-01-01T11:00:00Z');
  assert.equal((await refuse('DELETE', `/orders/o-3?auction=${id}`)).code, 'gate-closed');
});

test('GET /orders pages through an auction by sequence', async (t) => {
  const { ask, refuse, hold } = await openApiHouse(t);
  const { id } = await hold();
  await ask(
    'POST',
    '/orders',
    ['a', 'b', 'c'].map((record_id) => ({ ...buy, record_id })),
  );
  const first = (await ask('GET', `/orders?auction=${id}&limit=2`)).json;
  assert.deepEqual([first.orders.map((o: { sequence: number }) => o.sequence), first.next], [[1, 2], 2]);
  const rest = (await ask('GET', `/orders?auction=${id}&limit=2&after=${first.next}`)).json;
  assert.deepEqual([rest.orders.map((o: { sequence: number }) => o.sequence), rest.next], [[3], undefined]);
  assert.equal((await refuse('GET', '/orders')).code, 'invalid-request');
  assert.equal((await refuse('GET', '/orders?auction=nowhere')).code, 'not-found');
  for (const query of ['limit=0', 'limit=x', 'limit=1e3', 'after=-1', 'colour=green', 'limit=1&limit=2'])
    assert.equal((await refuse('GET', `/orders?auction=${id}&${query}`)).code, 'invalid-request', query);
});
