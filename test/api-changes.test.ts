/** Orders that are replaced and taken back, over HTTP. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeGate } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { openApiHouse } from './api-house.ts';
import { reaches } from './support/house.ts';

const buy = { record_id: 'o-1', side: 'buy', price: 60, power: 80 };
const wind = { name: 'wind', zones: ['MERIT'] };
const gas = { name: 'gas', zones: ['MERIT'] };
const block = (record_id: string, changes: object = {}) => ({
  ...{ record_id, kind: 'block', side: 'sell', price: 50, from: 1, to: 1, power: 10, minAcceptance: 1 },
  ...changes,
});

test('PUT /orders/{record_id} replaces a version that If-Match names; the second of two desks gets the ETag of the last', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  const { id } = await hold();
  assert.equal((await ask('POST', '/orders', buy)).json.version, 1);
  const found = await ask('GET', '/orders/o-1');
  assert.deepEqual([found.json.version, found.headers.get('etag')], [1, '"1"']);
  const put = (price: number, match?: string) =>
    ask('PUT', `/orders/o-1?auction=${id}`, { ...buy, price }, match === undefined ? {} : { 'if-match': match });
  const none = await put(61);
  assert.deepEqual([none.status, none.json.code], [428, 'precondition-required']);
  const first = await put(61, '"1"');
  assert.deepEqual([first.status, first.json.version, first.headers.get('etag')], [200, 2, '"2"']);
  const second = await put(62, '"1"');
  assert.deepEqual([second.status, second.json.code, second.headers.get('etag')], [412, 'precondition-failed', '"2"']);
  assert.match(second.json.detail, /version 2 now/);
  // The same again is the same answer: whoever heard nothing may repeat it.
  assert.deepEqual((await put(61, '"1"')).json, first.json);
  for (const other of ['W/"2"', '"02"', '"x"']) assert.equal((await put(63, other)).status, 412, other);
  assert.equal((await put(63, '2')).json.code, 'invalid-request');
  assert.equal((await put(64, '*')).json.version, 3);
  const { json } = await ask('GET', '/orders/o-1/versions');
  assert.deepEqual(
    json.versions.map((each: { version: number; order: { price: number }; sequence: number }) => [
      each.version,
      each.order.price,
      each.sequence,
    ]),
    [
      [1, 60, 1],
      [2, 61, 2],
      [3, 64, 3],
    ],
  );
  assert.deepEqual(
    (await ask('GET', `/orders?auction=${id}`)).json.orders.map((o: { version: number }) => o.version),
    [3],
  );
});

test('PUT /orders/{record_id} says of an order that is unknown, wrong, cancelled, closed or executed which it is', async (t) => {
  const { ask, hold, clock, ports } = await openApiHouse(t);
  const { id } = await hold();
  await ask('POST', '/orders', [buy, { ...buy, record_id: 'gone' }, { ...buy, record_id: 'left' }]);
  await ask('DELETE', '/orders/gone');
  const code = async (order: string, body: unknown = { ...buy, record_id: order }) =>
    (await ask('PUT', `/orders/${order}?auction=${id}`, body, { 'if-match': '*' })).json.code;
  assert.equal(await code('nobody'), 'not-found');
  assert.equal(await code('gone'), 'order-cancelled');
  assert.equal(await code('o-1', { ...buy, record_id: 'other' }), 'invalid-request');
  assert.equal(await code('o-1', [buy]), 'invalid-request');
  const wrong = await ask('PUT', '/orders/o-1', { side: 'buy', price: 9000, power: 0.01 }, { 'if-match': '*' });
  assert.equal(wrong.json.code, 'invalid-order');
  assert.deepEqual(wrong.json.problems.map((p: { field: string }) => p.field).sort(), ['power', 'price']);
  assert.equal((await ask('GET', '/orders/o-1')).json.version, 1);
  const { record_id: _, ...nameless } = buy;
  assert.equal((await ask('PUT', '/orders/o-1', { ...nameless, price: 61 }, { 'if-match': '"1"' })).status, 200);
  clock.time = Date.parse('2030-01-01T11:00:00Z');
  assert.equal(await code('left', { ...buy, record_id: 'left', price: 70 }), 'gate-closed');
  await closeGate(ports, id);
  await reaches(ports, id, 'settled');
  assert.equal(await code('left', { ...buy, record_id: 'left', price: 70 }), 'order-executed');
  assert.equal((await ask('DELETE', '/orders/left')).json.code, 'order-executed');
  assert.deepEqual((await ask('GET', '/orders/o-1')).json.outcome.status, 'rejected');
});

test('PUT /orders/{record_id} is refused where a child, a partner, a group or the family would not fit any more', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  await hold();
  const leg = (record_id: string, side: string, loopWith: string) => block(record_id, { side, loopWith });
  const sent = [
    ...[block('parent'), block('child', { linkedTo: 'parent' }), block('grandchild', { linkedTo: 'child' })],
    ...[leg('in', 'buy', 'out'), leg('out', 'sell', 'in')],
  ];
  assert.equal((await ask('POST', '/orders', sent)).status, 201);
  const faults = async (order: { record_id: string }) => {
    const { status, json } = await ask('PUT', `/orders/${order.record_id}`, order, { 'if-match': '*' });
    return status === 200
      ? []
      : json.problems.map((p: { record_id: string; code: string }) => `${p.record_id} ${p.code}`);
  };
  assert.deepEqual(await faults({ ...buy, record_id: 'parent' }), ['child parent-not-a-block']);
  assert.deepEqual(await faults(block('child', { side: 'sell' })), []);
  assert.deepEqual(await faults(block('child', { linkedTo: 'parent' })), []);
  assert.deepEqual(await faults(block('parent', { linkedTo: 'grandchild' })), [
    'parent link-cycle',
    'child link-cycle',
    'grandchild link-cycle',
  ]);
  assert.deepEqual(await faults(block('out', { price: 51 })), ['in loop-not-mutual']);
  assert.deepEqual(await faults(leg('out', 'sell', 'in')), []);
  assert.deepEqual(await faults(block('out', { side: 'sell', loopWith: 'in', minAcceptance: 0.5 })), [
    'out loop-of-two-minima',
  ]);
  assert.deepEqual(await faults(block('child', { linkedTo: 'nobody' })), ['child unknown-parent']);
});

test('DELETE /orders cancels all orders of an auction, or of a portfolio, children before their parents', async (t) => {
  const { ask, hold, ports } = await openApiHouse(t);
  const { id } = await hold();
  const cancel = async (query = '') => {
    const { status, json } = await ask('DELETE', `/orders?auction=${id}${query}`);
    return status === 200 ? json.receipts.map((receipt: { record_id: string }) => receipt.record_id) : json.code;
  };
  assert.equal((await ask('DELETE', '/orders')).json.code, 'invalid-request');
  assert.deepEqual(await cancel(), []);
  const owned = (orders: object[]) =>
    submitOrders(ports, { participant: 'local', portfolios: [wind, gas] }, { auction: id, orders });
  await owned([
    block('parent', { portfolio: 'gas' }),
    block('child', { portfolio: 'gas', linkedTo: 'parent' }),
    block('theirs', { portfolio: 'wind', linkedTo: 'child' }),
    block('in', { portfolio: 'wind', side: 'buy', loopWith: 'out' }),
    block('out', { portfolio: 'gas', loopWith: 'in' }),
    { ...buy, portfolio: 'wind' },
  ]);
  assert.equal(await cancel('&portfolio=gas'), 'conflict');
  assert.deepEqual(await cancel('&portfolio=wind'), ['theirs', 'in', 'out', 'o-1']);
  assert.deepEqual(await cancel(), ['child', 'parent']);
  assert.deepEqual(await cancel(), []);
});

test('DELETE /orders says where there are more than one answer holds', async (t) => {
  const { ask, hold } = await openApiHouse(t, { largestAnswer: 1300 });
  const { id } = await hold();
  await ask(
    'POST',
    '/orders',
    ['a', 'b', 'c', 'd', 'e'].map((record_id) => ({ ...buy, record_id })),
  );
  const counts: [number, boolean][] = [];
  for (let more = true; more; ) {
    const { json } = await ask('DELETE', `/orders?auction=${id}`);
    more = json.more;
    counts.push([json.receipts.length, more]);
  }
  assert.deepEqual(counts, [
    [2, true],
    [2, true],
    [1, false],
  ]);
});

test('Idempotency-Key makes a request once: the same gets the stored answer, another one 422, of fifty at once one is written', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  const { id } = await hold();
  const key = (name: string, more: object = {}) => ({ 'idempotency-key': `"${name}"`, ...more });
  const first = await ask('POST', '/orders', [buy], key('k'));
  await ask('DELETE', '/orders/o-1');
  // The same meaning: fields in another order, the key without quotes.
  const { record_id, ...rest } = buy;
  const again = await ask('POST', '/orders', [{ ...rest, record_id }], { 'idempotency-key': 'k' });
  assert.deepEqual([again.status, again.json], [201, first.json]);
  assert.equal((await ask('POST', '/orders', [buy])).json.code, 'conflict');
  const other = await ask('POST', '/orders', [{ ...buy, price: 61 }], key('k'));
  assert.deepEqual([other.status, other.json.code], [422, 'key-reused']);
  assert.equal((await ask('DELETE', '/orders/o-1', undefined, key('k'))).status, 422);
  for (const wrong of ['', '"', '""', 'a b', 'x'.repeat(256)])
    assert.equal(
      (await ask('POST', '/orders', [buy], { 'idempotency-key': wrong })).json.code,
      'invalid-request',
      wrong,
    );
  const fifty = await Promise.all(
    Array.from({ length: 50 }, () => ask('POST', '/orders', { ...buy, record_id: 'one' }, key('one'))),
  );
  assert.deepEqual(new Set(fifty.map(({ status, json }) => `${status} ${json.sequence}`)), new Set(['201 3']));
  const put = (price: number, name: string) =>
    ask('PUT', '/orders/one', { ...buy, record_id: 'one', price }, key(name, { 'if-match': '"1"' }));
  const replaced = await put(61, 'r');
  await ask('PUT', '/orders/one', { ...buy, record_id: 'one', price: 62 }, { 'if-match': '"2"' });
  assert.deepEqual((await put(61, 'r')).json, replaced.json);
  assert.equal((await put(63, 'r')).status, 422);
  assert.equal((await put(61, 'other')).status, 412);
  const cancelled = await ask('DELETE', `/orders/one?auction=${id}`, undefined, key('d'));
  assert.deepEqual((await ask('DELETE', `/orders/one?auction=${id}`, undefined, key('d'))).json, cancelled.json);
});
