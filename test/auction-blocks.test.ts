/** Orders of every kind through a whole house: taken, cleared, verified, settled, and told to their owners. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeGate } from '../src/auction/auctions.ts';
import { findOrder } from '../src/auction/intake/find-order.ts';
import { executedBlocks } from '../src/auction/views/executed-volumes.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import { orderKinds } from '../src/market/order.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, testMarket, watchNotices } from './support/house.ts';

const sell = { zone: 'Z', side: 'sell' };
const buy = { zone: 'Z', side: 'buy' };

test('a house settles blocks, flexible and complex orders, each with its list of powers', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [testMarket({ orderKinds: [...orderKinds] })] });
  const sent = watchNotices(ports);
  await hold(ports, 'a', { periods: 3 });
  await submit(ports, [
    ...[1, 2, 3].flatMap((period) => [
      { record_id: `need-${period}`, ...buy, period, price: 100, power: 100 },
      { record_id: `peak-${period}`, ...sell, period, price: 60 + period, power: 200 },
    ]),
    { record_id: 'night', kind: 'block', ...sell, price: 20, from: 1, to: 2, power: 30 },
    { record_id: 'extra', kind: 'block', ...sell, price: 10, from: 2, to: 2, power: 5, linkedTo: 'night' },
    { record_id: 'dear', kind: 'block', ...sell, price: 90, from: 1, to: 3, power: 10 },
    { record_id: 'washing', kind: 'flexible', ...buy, price: 80, power: 5, duration: 2, earliest: 1, latest: 2 },
    {
      record_id: 'unit',
      kind: 'complex',
      ...sell,
      condition: 'minimum-profit',
      fixedTerm: 100,
      steps: [2, 3].map((period) => ({ period, price: 30, power: 20 })),
    },
  ]);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  const seen = async (record_id: string) => {
    const { outcome } = await findOrder(ports, 'p', record_id, 'a');
    const { status, power, start, prices, reason } = outcome!;
    return [status, power, prices, start ?? reason?.code];
  };
  // Prices are those of the peakers: 61, 62, 63. The machine washes where it is cheapest.
  assert.deepEqual(await seen('night'), ['accepted', [30, 30], [61, 62], undefined]);
  assert.deepEqual(await seen('extra'), ['accepted', [5], [62], undefined]);
  assert.deepEqual(await seen('dear'), ['rejected', [0, 0, 0], [61, 62, 63], 'out_of_the_money']);
  assert.deepEqual(await seen('washing'), ['accepted', [5, 5], [61, 62], 1]);
  assert.deepEqual(await seen('unit'), ['accepted', [0, 20, 20], [61, 62, 63], undefined]);
  assert.deepEqual(executedBlocks(await readBook(ports, 'a'), await readResult(ports, 'a')), {
    Z: { buy: [5, 5, 0], sell: [30, 55, 20] },
  });
  // The state is seen before the disk has it; notices go out once it does.
  await until('the operator is told', async () => sent.some(({ kind }) => kind === 'auction-settled'));
  assert.deepEqual(
    sent.map((notice) => [notice.kind, 'record_id' in notice && notice.record_id]),
    [
      ['order-rejected', 'dear'],
      ['auction-settled', false],
    ],
  );
});

test('a house tells the owner of a paradoxically rejected block what it missed (E6)', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [testMarket({ orderKinds: ['limit', 'block'] })] });
  const sent = watchNotices(ports);
  await hold(ports);
  await submit(ports, [
    { record_id: 'plant', ...sell, price: 10, power: 40 },
    { record_id: 'town', ...buy, price: 50, power: 100 },
    { record_id: 'unit', kind: 'block', ...sell, price: 30, from: 1, to: 1, power: 70 },
  ]);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'settled');
  const notice = sent.find(({ kind }) => kind === 'order-rejected');
  assert(notice?.kind === 'order-rejected');
  assert.deepEqual(
    [notice.record_id, notice.reason.code, notice.reason.missedSurplus],
    ['unit', 'paradoxically_rejected', 1400],
  );
  assert.deepEqual((await findOrder(ports, 'p', 'unit', 'a')).outcome?.prices, [50]);
});
