/** Blocks that name each other, through the use cases: what came in before, cancellations, and what the seal leaves out. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../src/api/app.ts';
import { closeGate } from '../src/auction/auctions.ts';
import { cancelOrder } from '../src/auction/intake/cancel-order.ts';
import { findOrder, listOrders } from '../src/auction/intake/find-order.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import type { Ports } from '../src/auction/ports.ts';
import { sealAuction } from '../src/auction/steps/seal-book.ts';
import { readBook } from '../src/auction/views/results.ts';
import { checkIntake } from '../src/book/check-intake.ts';
import { AuctionError } from '../src/market/errors.ts';
import { calledBy } from './access-house.ts';
import { hold, openTestHouse, reaches, submit, testMarket, watchNotices } from './support/house.ts';

const markets = [testMarket({ zones: ['Y', 'Z'], orderKinds: ['limit', 'curve', 'block'], lines: [] })];
const block = (record_id: string, changes: object = {}) => ({
  record_id,
  kind: 'block',
  zone: 'Z',
  side: 'sell',
  price: 30,
  from: 1,
  to: 1,
  power: 10,
  ...changes,
});

const problemsOf = async (request: Promise<unknown>): Promise<string[]> => {
  const error = await request.then(
    () => assert.fail('it was taken'),
    (reason: unknown) => reason,
  );
  assert(error instanceof AuctionError, String(error));
  return error.problems.map(({ record_id, field, code }) => `${error.code}: ${record_id} ${field} ${code}`);
};
const isCancelled = async (ports: Ports, record_id: string) => (await findOrder(ports, 'p', record_id, 'a')).cancelled;

test('submitOrders() lets a block name what came in before, and nothing else', async (t) => {
  const { ports } = await openTestHouse(t, { markets });
  await hold(ports);
  await submit(ports, [block('parent', { exclusiveGroup: 'g' }), block('gone')]);
  await cancelOrder(ports, 'p', 'gone', 'a');
  await submit(ports, [block('child', { linkedTo: 'parent' }), block('second', { exclusiveGroup: 'g' })]);
  const refused = submit(ports, [
    block('a', { linkedTo: 'nobody' }),
    block('b', { linkedTo: 'gone' }),
    block('c', { linkedTo: 'parent', zone: 'Y' }),
    block('d', { exclusiveGroup: 'g', zone: 'Y' }),
    block('e', { loopWith: 'parent', side: 'buy' }),
  ]);
  assert.deepEqual(await problemsOf(refused), [
    'invalid-order: a linkedTo unknown-parent',
    'invalid-order: b linkedTo parent-cancelled',
    'invalid-order: c linkedTo parent-in-another-zone',
    'invalid-order: d exclusiveGroup group-in-several-zones',
    'invalid-order: e loopWith loop-not-mutual',
  ]);
  // Names are a participant's own: q has no parent, and a group g in any zone.
  const others = submitOrders(
    ports,
    { participant: 'q' },
    { auction: 'a', orders: [block('child', { linkedTo: 'parent' })] },
  );
  assert.deepEqual(await problemsOf(others), ['invalid-order: child linkedTo unknown-parent']);
  await submitOrders(
    ports,
    { participant: 'q' },
    { auction: 'a', orders: [block('own', { exclusiveGroup: 'g', zone: 'Y' })] },
  );
  // The same request again is the same orders.
  await submit(ports, [block('child', { linkedTo: 'parent' })]);
});

test('cancelOrder() keeps a parent as long as it has children', async (t) => {
  const { ports } = await openTestHouse(t, { markets });
  await hold(ports);
  await submit(ports, [block('parent'), block('child', { linkedTo: 'parent' })]);
  const early = cancelOrder(ports, 'p', 'parent', 'a');
  await assert.rejects(early, { message: 'order parent is the parent of child: cancel child first' });
  assert.deepEqual(await problemsOf(early), ['conflict: child linkedTo parent-in-use']);
  await cancelOrder(ports, 'p', 'child', 'a');
  const receipt = await cancelOrder(ports, 'p', 'parent', 'a');
  assert.deepEqual(await cancelOrder(ports, 'p', 'parent', 'a'), receipt);
});

test('cancelOrder() of a leg takes the loop back', async (t) => {
  const { ports } = await openTestHouse(t, { markets });
  await hold(ports);
  const legs = [block('out', { loopWith: 'in' }), block('in', { loopWith: 'out', side: 'buy' })];
  assert.deepEqual(await problemsOf(submit(ports, legs.slice(0, 1))), ['invalid-order: out loopWith unknown-partner']);
  await submit(ports, legs);
  const receipt = await cancelOrder(ports, 'p', 'out', 'a');
  assert.deepEqual([await isCancelled(ports, 'in'), await isCancelled(ports, 'out')], [true, true]);
  assert.deepEqual(await cancelOrder(ports, 'p', 'out', 'a'), receipt);
});

test('sealAuction() leaves out a child whose parent was cancelled as it came in, and tells its owner', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets });
  await hold(ports);
  const sent = watchNotices(ports);
  await submit(ports, [block('parent'), block('stays')]);
  // Between the check and the write: the store itself does not look at what orders name.
  await ports.orders.append('a', 'p', [
    { ...block('child', { linkedTo: 'parent' }), kind: 'block', side: 'sell', minAcceptance: 1 },
  ]);
  await ports.orders.cancel('a', 'p', 'parent');
  clock.time = '2025-04-01T11:00:00Z';
  const auction = (await ports.auctions.find('a'))!;
  assert(await ports.auctions.advance(auction, { ...auction, state: 'closed', run: 1 }));
  await sealAuction(ports, { auction: 'a', run: 1 });
  const book = await readBook(ports, 'a');
  assert.deepEqual(
    book.orders.map(({ record_id }) => record_id),
    ['stays'],
  );
  assert.deepEqual(checkIntake(book), []);
  assert.deepEqual(sent, [
    {
      id: 'order-left-out:a:p:child',
      kind: 'order-left-out',
      auction: 'a',
      participant: 'p',
      record_id: 'child',
      cause: 'order child: parent, its parent, was cancelled',
      ...{ state: 'closed', run: 1, sequence: sent[0]!.sequence, at: '2025-04-01T11:00:00Z' },
    },
  ]);
});

test('listOrders() says of an order that the seal left out why it has no outcome', async (t) => {
  const { ports, clock } = await openTestHouse(t, { markets });
  await hold(ports);
  await submit(ports, [block('parent'), block('stays')]);
  for (const [child, linkedTo] of [
    ['child', 'parent'],
    ['grandchild', 'child'],
  ])
    await ports.orders.append('a', 'p', [
      { ...block(child!, { linkedTo }), kind: 'block', side: 'sell', minAcceptance: 1 },
    ]);
  await ports.orders.cancel('a', 'p', 'parent');
  clock.time = '2025-04-01T11:00:00Z';
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  const views = await listOrders(ports, 'a');
  assert.deepEqual(
    views.map(({ record_id, cancelled, outcome, leftOut }) => [record_id, cancelled, outcome?.status, leftOut]),
    [
      ['parent', true, undefined, undefined],
      ['stays', false, 'rejected', undefined],
      ['child', false, undefined, 'it names parent, which is not in the book: it was cancelled, or left out itself'],
      [
        'grandchild',
        false,
        undefined,
        'it names child, which is not in the book: it was cancelled, or left out itself',
      ],
    ],
  );
  // The same in the API, whose schema knows the field.
  const answer = await createApp(ports, calledBy('p')).request('/orders?auction=a');
  assert.match(await answer.text(), /"leftOut":"it names parent/);
});
