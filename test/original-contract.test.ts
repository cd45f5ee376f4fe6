/**
 * The contract of the system that came before, kept as the smallest case of our own: a client posts a list of records and gets
 * 201; a function answers `{results, orders: [{status, power}]}`; another takes one such order, keeps it, or raises.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../src/api/app.ts';
import { closeGate } from '../src/auction/auctions.ts';
import { askResults, question } from '../src/auction/intake/ask-results.ts';
import { settleOrder, singleOrder } from '../src/auction/steps/settle-order.ts';
import { task } from '../src/auction/steps/task.ts';
import { hold, openTestHouse, reaches } from './support/house.ts';

const ask = task(question, askResults);
const settle = task(singleOrder, settleOrder);

test('a list of records is posted, cleared, asked for and settled order by order', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  assert.deepEqual(await ask(ports, {}), { results: false }, 'before any gate has closed');
  const records = [
    { record_id: 'unique_id_1', side: 'sell', price: 10, power: 50 },
    { record_id: 'unique_id_2', side: 'buy', price: 90, power: 50 },
    { record_id: 'unique_id_3', side: 'buy', price: -100, power: 20 },
  ];
  const posted = await createApp(ports).request('/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(records),
  });
  assert.equal(posted.status, 201);

  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  const answer = (await ask(ports, {})) as { results: boolean; orders: { status: string; power: number }[] };
  assert.equal(answer.results, true);
  assert.deepEqual(
    answer.orders.map(({ status, power }) => ({ status, power })),
    [
      { status: 'accepted', power: 50 },
      { status: 'accepted', power: 50 },
      { status: 'rejected', power: 0 },
    ],
  );

  for (const order of answer.orders.slice(0, 2)) {
    const { key } = (await settle(ports, order)) as { key: string };
    assert.match(key, /^orders\/order_\d{13}\.json$/);
    assert.deepEqual(JSON.parse((await ports.archive.read(key))!), order);
  }
  await assert.rejects(settle(ports, answer.orders[2]), { message: 'Order status is rejected!' });
});

test('askResults(): results are false until they are final; an auction that is not there is an error', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  assert.deepEqual(await ask(ports, { auction: 'a' }), { results: false, auction: 'a' });
  await assert.rejects(ask(ports, { auction: 'b' }), { code: 'not-found' });
});

test('settleOrder() takes the smallest order, and two that meet in a millisecond are both kept', async (t) => {
  const { ports } = await openTestHouse(t);
  const one = (await settle(ports, { status: 'accepted', power: 1 })) as { key: string };
  const other = (await settle(ports, { status: 'accepted', power: 2 })) as { key: string };
  assert.notEqual(one.key, other.key);
  assert.deepEqual(JSON.parse((await ports.archive.read(other.key))!), { status: 'accepted', power: 2 });
});

test('settleOrder() takes nothing that is no order', async (t) => {
  const { ports } = await openTestHouse(t);
  for (const wrong of [{}, { status: 'accepted' }, { status: 'sold', power: 1 }, [], null])
    await assert.rejects(settle(ports, wrong), { name: 'ZodError' });
});
