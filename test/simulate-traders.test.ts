/** Simulated participants: whatever they draw an auction takes, and they trade with each other. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeGate, createAuction } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { readResult } from '../src/auction/views/results.ts';
import { tradersOf } from '../src/cli/traders/orders.ts';
import { openHouse, run } from './cli-house.ts';
import { diceOf, markets } from './support/extreme-markets.ts';
import { openTestHouse, reaches } from './support/house.ts';

test('every market takes what traders draw for it, the same seed draws the same, and they trade', async (t) => {
  const { ports } = await openTestHouse(t, { markets });
  const kinds = new Set<string>();
  let settled = 0;
  for (const [at, market] of markets.entries()) {
    const periods = market.constraints.length > 0 ? 2 : diceOf(at).pick([1, 4]);
    const scene = { ...market, periods };
    const id = `t-${at}`;
    await createAuction(ports, { id, market: market.market, periods, gateClosure: '2025-04-01T11:00:00Z' });
    const [traders, same] = [tradersOf(scene, at, 4), tradersOf(scene, at, 4)];
    for (let k = 0; k < 8; k++)
      for (const [n, trader] of traders.entries()) {
        const orders = trader.next();
        assert.deepEqual(same[n]!.next(), orders);
        await submitOrders(ports, { participant: trader.name }, { auction: id, orders });
        for (const { kind } of orders) kinds.add(kind!);
      }
    await closeGate(ports, id);
    await reaches(ports, id, 'settled', 'failed');
    const { state } = (await ports.auctions.find(id))!;
    if (state !== 'settled') continue;
    settled++;
    const { orders } = await readResult(ports, id);
    const statuses = new Set(orders.map(({ status }) => status));
    if (market.zones.length === 1)
      assert(statuses.has('accepted') && statuses.has('rejected'), `${market.market} trades`);
  }
  assert.deepEqual([...kinds].sort(), ['block', 'complex', 'curve', 'flexible', 'limit']);
  assert.equal(settled, markets.length);
});

test('merit simulate-traders fills an open auction, and says when its gate is closed', async (t) => {
  const { url } = await openHouse(t);
  const done = await run(['simulate-traders', 'a1', '--url', url, '--orders', '60', '--per-second', '1000', '--json']);
  assert.equal(done.code, 0, done.err);
  const { taken, replaced, gateClosed } = JSON.parse(done.out) as Record<string, number | boolean>;
  assert.equal(taken, 60);
  assert(Number(replaced) > 0);
  assert.equal(gateClosed, false);
  const closed = await run(['auctions', 'close', 'a1', '--url', url]);
  assert.equal(closed.code, 0, closed.err);
  const late = await run(['simulate-traders', 'a1', '--url', url]);
  assert.equal(late.code, 1);
  assert.match(late.err, /only an open auction takes orders/);
});
