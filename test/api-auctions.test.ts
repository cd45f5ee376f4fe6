import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type ApiHouse, openApiHouse } from './api-house.ts';

const hour = [
  { record_id: 'wind', side: 'sell', price: 5, power: 30 },
  { record_id: 'plant', side: 'sell', price: 60, power: 100 },
  { record_id: 'load', side: 'buy', price: 90, power: 80 },
  { record_id: 'late', side: 'buy', price: 20, power: 10 },
];

/** Close the gate and wait until every order has its outcome. */
async function settle({ ask }: ApiHouse, id: string): Promise<void> {
  assert.equal((await ask('POST', `/auctions/${id}/close`)).status, 200);
  for (;;) {
    const { state, cause } = (await ask('GET', `/auctions/${id}`)).json;
    assert.notEqual(state, 'failed', cause);
    if (state === 'settled') return;
    await setImmediate();
  }
}

async function settledHour(house: ApiHouse): Promise<string> {
  const { id } = await house.hold();
  await house.ask('POST', '/orders', hour);
  await settle(house, id);
  return id;
}

test('POST /auctions holds an auction, gives the same again, and refuses another under its id', async (t) => {
  const { ask, refuse } = await openApiHouse(t);
  const request = {
    market: 'pair',
    id: 'mine',
    start: '2030-01-01T12:00:00Z',
    periods: 4,
    gateClosure: '2030-01-01T11:00:00Z',
  };
  const made = await ask('POST', '/auctions', request);
  assert.deepEqual([made.status, made.headers.get('location'), made.json.state], [201, '/auctions/mine', 'open']);
  assert.deepEqual((await ask('POST', '/auctions', request)).json, made.json);
  assert.equal((await refuse('POST', '/auctions', { ...request, periods: 8 })).code, 'conflict');
});

test('POST /auctions refuses what makes no auction, naming the field', async (t) => {
  const { refuse } = await openApiHouse(t);
  const field = async (request: object) => {
    const problem = await refuse('POST', '/auctions', request);
    assert.equal(problem.code, 'invalid-request', JSON.stringify(problem));
    return problem.problems[0]?.field;
  };
  assert.equal(await field({ market: 'pair', gateClosure: 'noon' }), 'gateClosure');
  assert.equal(
    await field({ market: 'pair', gateOpening: '2028-01-01T00:00:00Z', gateClosure: '2029-01-01T00:00:00Z' }),
    'gateClosure',
  );
  assert.equal(await field({ market: 'hourly', slot: '2030-01-01T12:30:00Z' }), 'slot');
  assert.equal(await field({ market: 'days', date: '2030-02-30' }), 'date');
  assert.equal(await field({ market: 'pair', periods: 0 }), 'periods');
  assert.equal(await field({ market: 'pair', colour: 'green' }), 'colour');
  assert.equal(
    (await refuse('POST', '/auctions', { market: 'nowhere', gateClosure: '2030-01-01T11:00:00Z' })).code,
    'not-found',
  );
  assert.equal((await refuse('POST', '/auctions', '')).errorMessage, 'Request body is empty');
});

test('GET /auctions lists by market and state', async (t) => {
  const { ask, refuse, hold } = await openApiHouse(t);
  const a = await hold({ id: 'a' });
  const b = await hold({ id: 'b', market: 'pair', gateClosure: '2030-01-01T11:30:00Z' });
  const ids = async (query: string) =>
    (await ask('GET', `/auctions${query}`)).json.auctions.map((auction: { id: string }) => auction.id);
  assert.deepEqual(await ids(''), ['b', 'a']);
  assert.deepEqual(await ids('?market=hourly'), ['a']);
  await ask('POST', `/auctions/${a.id}/cancel`, { cause: 'storm' });
  assert.deepEqual(await ids('?state=cancelled'), ['a']);
  assert.deepEqual(await ids('?state=open&limit=1'), [b.id]);
  assert.equal((await ask('GET', '/auctions/a')).json.cause, 'storm');
  assert.equal((await refuse('GET', '/auctions?state=asleep')).problems[0]?.field, 'state');
  assert.equal((await refuse('GET', '/auctions/nowhere')).code, 'not-found');
  assert.equal((await refuse('GET', '/auctions/Not%20An%20Id')).code, 'invalid-request');
});

test('an auction shows nothing of its book or result before they are public', async (t) => {
  const { refuse, ask, hold } = await openApiHouse(t);
  const { id } = await hold();
  await ask('POST', '/orders', hour);
  for (const what of ['prices', 'flows', 'curves', 'result', 'book'])
    assert.equal((await refuse('GET', `/auctions/${id}/${what}`)).code, 'wrong-state', what);
  assert.equal((await refuse('POST', `/auctions/${id}/restart`)).code, 'wrong-state');
  for (const what of ['prices', 'flows', 'curves', 'result', 'book'])
    assert.equal((await refuse('GET', `/auctions/nowhere/${what}`)).code, 'not-found', what);
});

test('a settled auction answers prices, flows, curves, result, book, outcomes and its execution', async (t) => {
  const house = await openApiHouse(t);
  const { ask, refuse } = house;
  const id = await settledHour(house);
  const get = async (path: string) => (await ask('GET', path)).json;
  const prices = await get(`/auctions/${id}/prices`);
  assert.deepEqual([prices.state, prices.currency, prices.zones], ['settled', 'EUR', { MERIT: [60] }]);
  assert.deepEqual(prices.start, ['2030-01-01T11:00:00Z']);
  assert.equal(prices.hourly, undefined);
  const { lines, netPositions } = await get(`/auctions/${id}/flows`);
  assert.deepEqual([lines, netPositions], [{}, { MERIT: [0] }]);
  const [curve] = (await get(`/auctions/${id}/curves`)).zones.MERIT;
  assert.deepEqual(curve, { price: [5, 20, 60, 90], buy: [90, 90, 80, 80], sell: [30, 30, 130, 130] });
  const { orders } = await get(`/auctions/${id}/result`);
  assert.deepEqual(orders.map((o: { status: string }) => o.status).toSorted(), [
    'accepted',
    'accepted',
    'partially_accepted',
    'rejected',
  ]);
  assert.equal((await get(`/auctions/${id}/book`)).orders.length, 4);
  const { outcome } = await get(`/orders/late?auction=${id}`);
  assert.deepEqual([outcome.status, outcome.reason.code, outcome.prices], ['rejected', 'out_of_the_money', [60]]);
  const { executions } = await get(`/executions?auction=${id}`);
  assert.equal(executions.length, 1);
  const { events, execution } = await get(`/executions/${executions[0].id}`);
  assert.deepEqual([execution.auction, events[0].type], [id, 'ExecutionStarted']);
  assert.equal((await refuse('GET', '/executions/nothing-1')).code, 'not-found');
  assert.equal((await refuse('POST', `/auctions/${id}/cancel`)).code, 'wrong-state');
  const late = await refuse('POST', '/orders', { auction: id, orders: [{ ...hour[0], record_id: 'too-late' }] });
  assert.equal(late.code, 'gate-closed');
});

test('what is published has an entity tag, and is not sent to a client that has it', async (t) => {
  const house = await openApiHouse(t);
  const id = await settledHour(house);
  for (const what of ['prices', 'flows', 'curves', 'result', 'book']) {
    const path = `/auctions/${id}/${what}`;
    const etag = (await house.ask('GET', path)).headers.get('etag')!;
    assert.match(etag, /^"[a-z]+-[a-z]+-sha256:[0-9a-f]{64}"$/);
    const again = await house.ask('GET', path, undefined, { 'if-none-match': `"other", W/${etag}` });
    assert.deepEqual([again.status, again.json], [304, '']);
    assert.equal((await house.ask('GET', path, undefined, { 'if-none-match': '"other"' })).status, 200);
  }
});

test('prices, flows and curves of a settled auction may be kept by anybody for ever, and nothing else by anybody', async (t) => {
  const house = await openApiHouse(t);
  const id = await settledHour(house);
  const kept = async (path: string) => (await house.ask('GET', path)).headers.get('cache-control');
  for (const what of ['prices', 'flows', 'curves'])
    assert.equal(await kept(`/auctions/${id}/${what}`), 'public, max-age=31536000, immutable');
  for (const path of [`/auctions/${id}/result`, `/auctions/${id}/book`, `/auctions/${id}`, '/auctions'])
    assert.equal(await kept(path), 'no-cache', path);
  const open = await house.hold({ market: 'pair', start: '2030-01-01T12:00:00Z', periods: 4 });
  for (const path of [`/auctions/${open.id}/prices`, '/nowhere', `/orders?auction=${id}`])
    assert.equal(await kept(path), 'no-store', path);
});

test('GET /auctions/{id}/prices adds hourly means to quarter hours, and the zones differ across a full line', async (t) => {
  const house = await openApiHouse(t);
  const { id } = await house.hold({ market: 'pair', start: '2030-01-01T12:00:00Z', periods: 4 });
  const orders = [1, 2, 3, 4].flatMap((period) => [
    { record_id: `s${period}`, zone: 'NORTH', side: 'sell', period, price: 10 * period, power: 100 },
    { record_id: `b${period}`, zone: 'SOUTH', side: 'buy', period, price: 90, power: 80 },
  ]);
  assert.equal((await house.ask('POST', '/orders', { auction: id, orders })).status, 201);
  await settle(house, id);
  const prices = (await house.ask('GET', `/auctions/${id}/prices`)).json;
  assert.deepEqual(prices.zones, { NORTH: [10, 20, 30, 40], SOUTH: [90, 90, 90, 90] });
  assert.deepEqual(prices.hourly, { start: ['2030-01-01T12:00:00Z'], zones: { NORTH: [25], SOUTH: [90] } });
  const { NORTH } = prices.volumes;
  assert.deepEqual([NORTH, prices.untraded], [{ buy: [0, 0, 0, 0], sell: [50, 50, 50, 50] }, {}]);
  const flows = (await house.ask('GET', `/auctions/${id}/flows`)).json;
  assert.deepEqual(flows.lines, { 'NORTH-SOUTH': [50, 50, 50, 50] });
  assert.deepEqual(flows.start[3], '2030-01-01T12:45:00Z');
});

test('an auction without orders, and one with buyers only, settle too', async (t) => {
  const house = await openApiHouse(t);
  const empty = await house.hold({ id: 'empty' });
  await settle(house, empty.id);
  const { zones, untraded } = (await house.ask('GET', '/auctions/empty/prices')).json;
  assert.deepEqual([zones.MERIT.length, untraded], [1, { MERIT: [1] }]);
  assert.deepEqual((await house.ask('GET', '/auctions/empty/curves')).json.zones.MERIT, [
    { price: [], buy: [], sell: [] },
  ]);
  const buyers = await house.hold({ id: 'buyers' });
  await house.ask('POST', '/orders', { auction: buyers.id, orders: [hour[2]] });
  await settle(house, buyers.id);
  assert.equal((await house.ask('GET', '/orders/load?auction=buyers')).json.outcome.status, 'rejected');
});
