/**
 * What the house accepts it can always finish: books of every kind at the ends of what admission lets through, sent through the real
 * door. Each request is refused with a reason or taken; each auction settles, by the last line where it must, and that is counted.
 *
 * `npm test` holds 500 auctions, always the same; `npm run test:long` 20,000 by a new seed. `SEED` and `RUNS` repeat a run.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../../src/api/app.ts';
import { closeGate, createAuction, findAuction, restartAuction } from '../../src/auction/auctions.ts';
import { findOrder, listOrders } from '../../src/auction/intake/find-order.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { readDiagnosis } from '../../src/auction/records/diagnosis.ts';
import { readResult } from '../../src/auction/views/results.ts';
import { diceOf, markets, requestsOf } from '../support/extreme-markets.ts';
import { openTestHouse } from '../support/house.ts';

const isLong = process.env.RUNS !== undefined;
const runs = Number(process.env.RUNS ?? 500);
const seed = Number(process.env.SEED || (isLong ? Math.floor(Math.random() * 2 ** 31) : 1));
/** Of the 500 of `npm test`: those that the engine or the verifier fail on. May only fall. */
const mostByLastLine = 1;
/** A book may have several faults; each restart leaves out what one diagnosis found. */
const mostRestarts = 5;

interface Counts {
  taken: number;
  refused: number;
  settled: number;
  byLastLine: number;
  leftOut: number;
}

/** The final state, after as many restarts as the last line needs. */
async function endOf(ports: Ports, id: string): Promise<{ state: string; restarts: number; cause?: string }> {
  for (let restarts = 0; ; restarts++) {
    // A diagnosis clears the book many times: the test's own limit bounds it.
    let auction = await findAuction(ports, id);
    while (auction.state !== 'settled' && auction.failure?.diagnosis === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      auction = await findAuction(ports, id);
    }
    const { state, cause } = auction;
    if (state === 'settled' || restarts === mostRestarts) return { state, restarts, ...(cause && { cause }) };
    const { without } = await readDiagnosis(ports, id);
    await restartAuction(ports, id, without);
  }
}

test(`every auction that opens ends, by seed ${seed}`, { timeout: 14_400_000 }, async (t) => {
  const { ports } = await openTestHouse(t, { markets });
  const app = createApp(ports, { log: (entry) => assert.fail(`a fault of our own: ${JSON.stringify(entry)}`) });
  const counts: Counts = { taken: 0, refused: 0, settled: 0, byLastLine: 0, leftOut: 0 };
  const causes = new Map<string, string>();
  for (let k = 0; k < runs; k++) {
    const dice = diceOf(seed + k);
    const market = dice.pick(markets);
    const periods = market.constraints.length > 0 ? 2 : dice.pick([1, 2, 4, 4]);
    const id = `x-${k}`;
    await createAuction(ports, { id, market: market.market, periods, gateClosure: '2025-04-01T11:00:00Z' });
    const sent: string[] = [];
    for (const orders of requestsOf({ market, periods, dice })) {
      const answer = await app.request('/orders', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ auction: id, orders }),
      });
      if (answer.status === 201) {
        counts.taken += orders.length;
        sent.push(...orders.map(({ record_id }) => String(record_id)));
        continue;
      }
      const { problems } = (await answer.json()) as { problems: { message: string }[] };
      assert.equal(answer.status, 400, `SEED=${seed + k}: ${JSON.stringify(orders)}`);
      assert(problems.length > 0 && problems.every(({ message }) => message !== ''), `SEED=${seed + k}: no reason`);
      counts.refused++;
    }
    await closeGate(ports, id);
    const { state, restarts, cause } = await endOf(ports, id);
    assert.equal(state, 'settled', `SEED=${seed + k} RUNS=1: ${cause}`);
    counts.settled++;
    const { orders, excluded = [] } = await readResult(ports, id);
    assert.deepEqual(orders.map(({ record_id }) => record_id).sort(), sent.toSorted(), `SEED=${seed + k}`);
    if (restarts > 0) {
      counts.byLastLine++;
      counts.leftOut += excluded.length;
      causes.set(`${seed + k} in ${market.market}`, (await readDiagnosisOfRun(ports, id)) ?? '');
    }
    for (const view of await listOrders(ports, id)) assert(view.outcome !== undefined, `SEED=${seed + k}`);
    if (sent.length > 0) await findOrder(ports, 'local', sent[0]!, id);
  }
  t.diagnostic(`SEED=${seed} RUNS=${runs}: ${JSON.stringify(counts)}`);
  for (const [where, cause] of [...causes].slice(0, 40)) t.diagnostic(`last line, SEED=${where}: ${cause}`);
  if (!isLong)
    assert(
      counts.byLastLine <= mostByLastLine,
      `${counts.byLastLine} by the last line, at most ${mostByLastLine} before`,
    );
});

/** What stopped the first run of an auction. */
async function readDiagnosisOfRun(ports: Ports, id: string): Promise<string | undefined> {
  const text = await ports.archive.read(`diagnoses/${id}.run-1.json`);
  return text === undefined ? undefined : (JSON.parse(text) as { details: string[] }).details[0]?.slice(0, 160);
}
