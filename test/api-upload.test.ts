/** Many orders in one stream, over HTTP. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createApp } from '../src/api/app.ts';
import { openApiHouse } from './api-house.ts';

const buy = (record_id: string, changes: object = {}) => ({ record_id, side: 'buy', price: 60, power: 80, ...changes });
const block = (record_id: string, changes: object = {}) => ({
  ...{ record_id, kind: 'block', side: 'sell', price: 50, from: 1, to: 1, power: 10, minAcceptance: 1 },
  ...changes,
});

async function openUploads(t: TestContext) {
  const house = await openApiHouse(t);
  const app = createApp(house.ports);
  const { id } = await house.hold();
  /** @param body  text, or bytes in chunks that need not end where lines do */
  const upload = async (
    body: string | Uint8Array[],
    type = 'application/x-ndjson',
    more: Record<string, string> = {},
  ) => {
    const chunks = typeof body === 'string' ? [Buffer.from(body)] : body;
    const stream = ReadableStream.from(chunks) as ReadableStream<Uint8Array>;
    const init = { method: 'POST', headers: { 'content-type': type, ...more }, body: stream, duplex: 'half' };
    const answer = await app.request(`/order-uploads?auction=${id}`, init as RequestInit);
    return { status: answer.status, json: (await answer.json()) as Answered };
  };
  return { ...house, id, upload };
}
interface Answered {
  readonly auction: string;
  readonly accepted: number;
  readonly refused: number;
  readonly problems: readonly Problem[];
  readonly stopped: { readonly line: number; readonly code: string };
  readonly code: string;
  readonly detail: string;
}
interface Problem {
  readonly line: number;
  readonly record_id?: string;
  readonly field?: string;
  readonly code: string;
}
const told = (problems: readonly Problem[]) =>
  problems.map(({ line, field, code }) => `${line} ${field ?? '-'} ${code}`);

test('POST /order-uploads takes each line of NDJSON for itself, and reports line, field and code of those that it refuses', async (t) => {
  const { ask, upload, id } = await openUploads(t);
  await ask('POST', '/orders', [buy('there'), buy('gone')]);
  await ask('DELETE', '/orders/gone');
  const lines = [
    JSON.stringify(buy('a')),
    '{"record_id": "broken"',
    '',
    JSON.stringify(buy('b', { price: 9000, power: 0.01 })),
    JSON.stringify(buy('there', { price: 61 })),
    JSON.stringify(buy('there')),
    JSON.stringify(buy('gone')),
    JSON.stringify(block('leg', { side: 'buy', loopWith: 'other' })),
    JSON.stringify(block('parent', { price: 9000 })),
    JSON.stringify(block('child', { linkedTo: 'parent' })),
    JSON.stringify(block('grandchild', { linkedTo: 'child' })),
    '['.repeat(100),
    '17',
    JSON.stringify(block('other', { loopWith: 'leg' })),
    JSON.stringify(block('alone', { loopWith: 'nobody' })),
    `"${'x'.repeat(600_000)}"`,
    JSON.stringify(buy('last')),
  ];
  const bytes = Buffer.from(lines.join('\n'));
  const chunks = Array.from({ length: Math.ceil(bytes.length / 97) }, (_, i) => bytes.subarray(97 * i, 97 * (i + 1)));
  const notUtf8 = Buffer.from([0x0a, 0x22, 0xff, 0x22]);
  const { status, json } = await upload([...chunks, notUtf8]);
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual([json.auction, json.accepted, json.refused], [id, 4, 13]);
  assert.deepEqual(told(json.problems), [
    ...[
      '2 - broken-json',
      '4 price price-off-limits',
      '4 power power-off-lot',
      '5 record_id conflict',
      '6 record_id duplicate',
      '7 record_id conflict',
    ],
    ...['9 price price-off-limits', '10 linkedTo parent-refused', '11 linkedTo unknown-parent', '12 - too-deep'],
    ...['13  invalid-type', '15 loopWith unknown-partner', '16 - too-long', '18 - not-utf8'],
  ]);
  const { orders } = (await ask('GET', `/orders?auction=${id}`)).json;
  assert.deepEqual(orders.map((o: { record_id: string }) => o.record_id).sort(), [
    ...['a', 'gone', 'last', 'leg', 'other', 'there'],
  ]);
  // The same again changes nothing.
  const again = await upload([...chunks, notUtf8]);
  assert.deepEqual(again.json, json);
  assert.equal((await ask('GET', `/orders?auction=${id}`)).json.orders.length, 6);
});

test('POST /order-uploads reads CSV whose header names the fields', async (t) => {
  const { ask, upload, id } = await openUploads(t);
  const csv = [
    '\uFEFFrecord_id,kind,side,price,power,from,to,minAcceptance,exclusiveGroup',
    'a,,buy,60,80,,,,',
    'b,block,sell,50.5,10,1,1,1,g',
    '"c",limit,buy,"1,5",80,,,,',
    'd,,buy,60',
    'e,,buy,0x10,80,,,,',
    'f,,buy,61,80,,,,',
  ].join('\r\n');
  const { status, json } = await upload(csv, 'text/csv; charset=utf-8');
  assert.equal(status, 200, JSON.stringify(json));
  assert.deepEqual([json.accepted, json.refused], [3, 3]);
  assert.deepEqual(told(json.problems), ['4 price invalid-type', '5 - broken-csv', '6 price invalid-type']);
  const found = (await ask('GET', `/orders/b?auction=${id}`)).json.order;
  assert.deepEqual([found.kind, found.price, found.exclusiveGroup], ['block', 50.5, 'g']);
  const unknown = await upload('record_id,colour\na,red\n', 'text/csv');
  assert.deepEqual([unknown.status, unknown.json.code], [400, 'invalid-request']);
  assert.match(unknown.json.detail, /column "colour" is no field; they are record_id/);
  assert.match((await upload('price,price\n1,2\n', 'text/csv')).json.detail, /there twice/);
  const open = await upload(`record_id,side\n"${'x'.repeat(2_000_000)}`, 'text/csv');
  assert.equal(open.status === 400 || open.json.refused > 0, true, JSON.stringify(open.json).slice(0, 300));
});

test('POST /order-uploads refuses what it does not read: nothing, another type, compressed bytes, a closed gate', async (t) => {
  const { upload, clock, ask, id } = await openUploads(t);
  for (const type of ['application/json', 'text/plain', ''])
    assert.equal((await upload('{}', type)).json.code, 'unsupported-media-type', type);
  const bomb = gzipSync('x'.repeat(100));
  assert.equal((await upload([bomb], 'text/csv', { 'content-encoding': 'gzip' })).status, 415);
  for (const [body, type] of [
    ['', 'application/x-ndjson'],
    ['\n\n', 'application/x-ndjson'],
    ['record_id\n', 'text/csv'],
  ] as const)
    assert.equal((await upload(body, type)).json.code, 'invalid-request', type);
  clock.time = Date.parse('2030-01-01T11:00:00Z');
  const late = await upload(JSON.stringify(buy('late')));
  assert.deepEqual([late.status, late.json.code], [409, 'gate-closed']);
  assert.equal((await ask('GET', `/orders?auction=${id}`)).json.orders.length, 0);
});

test('POST /order-uploads says from which line on nothing was taken, where the gate closes under it', async (t) => {
  const { upload, clock, ask, id } = await openUploads(t);
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `${JSON.stringify(buy(`o${from + i}`))}\n`).join('');
  async function* body() {
    yield Buffer.from(lines(0, 700));
    clock.time = Date.parse('2030-01-01T11:00:00Z');
    yield Buffer.from(lines(700, 1200));
  }
  const { status, json } = await upload(body() as unknown as Uint8Array[]);
  assert.equal(status, 200);
  assert.deepEqual([json.accepted, json.refused], [500, 0]);
  const { line, code } = json.stopped;
  assert.deepEqual([line, code], [501, 'gate-closed']);
  assert.equal((await ask('GET', `/orders?auction=${id}`)).json.orders.length, 500);
});

test('POST /order-uploads takes the two legs of a loop together, however far they lie apart', async (t) => {
  const { upload } = await openUploads(t);
  const between = Array.from({ length: 600 }, (_, i) => buy(`o${i}`));
  const sent = [block('in', { side: 'buy', loopWith: 'out' }), ...between, block('out', { loopWith: 'in' })];
  const { json } = await upload(sent.map((order) => `${JSON.stringify(order)}\n`).join(''));
  assert.deepEqual([json.accepted, json.refused], [602, 0]);
});

test('POST /order-uploads takes ten thousand orders in one stream, a thousand problems told of those that it refuses', async (t) => {
  const { upload } = await openUploads(t);
  const rows = Array.from({ length: 10_000 }, (_, i) => `o${i},buy,${i % 5 === 0 ? 9000 : 60},10`);
  const { json } = await upload(`record_id,side,price,power\n${rows.join('\n')}\n`, 'text/csv');
  assert.deepEqual([json.accepted, json.refused, json.problems.length], [8000, 2000, 1000]);
  assert.equal(json.problems[0]!.line, 2);
});
