/** A search over several calls of the workflow: limits of a market's config, checkpoints in the archive, crashes in between. */

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { randomBlocks } from '../bench/random-blocks.ts';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import type { Ports } from '../src/auction/ports.ts';
import { checkpointFolder, checkpointKey } from '../src/auction/records/keys.ts';
import { tasks } from '../src/auction/steps/tasks.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import { canonical } from '../src/book/canonical.ts';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import type { Market } from '../src/market/market.ts';
import { readMarkets } from '../src/settings.ts';
import { hold, openTestHouse, reaches, submit, type TestHouse, testMarket } from './support/house.ts';

/** Its search takes several branches. */
const day = randomBlocks({ seed: 2, blocks: 40, zones: 2, periods: 8, steps: 4 });

const blockMarket = (clearing: Market['clearing'], attempts = 100) =>
  testMarket({
    zones: day.zones,
    lines: day.lines,
    orderKinds: ['limit', 'block'],
    patience: { firstSeconds: 1, mostSeconds: 4, attempts },
    ...(clearing !== undefined && { clearing }),
  });

async function openBlockHouse(t: TestContext, clearing: Market['clearing'], attempts?: number): Promise<TestHouse> {
  const house = await openTestHouse(t, { markets: [blockMarket(clearing, attempts)] });
  await hold(house.ports, 'a', { start: '2025-04-01T22:00:00Z', periods: day.periods });
  await submit(house.ports, day.orders);
  return house;
}

/** How often Clear was called, and how often the workflow heard that there are no results yet. */
async function callsOf(ports: Ports): Promise<[calls: number, without: number]> {
  const events = (await ports.workflow.history('a-1'))!;
  const exits = (state: string) => events.filter((event) => event.type.endsWith('Exited') && event.state === state);
  return [exits('Clear').length, exits('WaitForResults').length];
}

const checkpointsOf = ({ archive }: Ports, run = 1): Promise<string[]> =>
  archive.list(checkpointFolder({ id: 'a', run }));

/** What one call without limits gives. */
async function wholeResult(ports: Ports): Promise<string> {
  const book = await readBook(ports, 'a');
  return canonical((await clear(book, bookHash(book))).result);
}

test('branchesPerCall: Clear answers no results until the search is done, and the result is that of one call', async (t) => {
  const { ports } = await openBlockHouse(t, { branchesPerCall: 2 });
  await closeGate(ports, 'a');
  const settled = await reaches(ports, 'a', 'settled');
  const [calls, without] = await callsOf(ports);
  assert(calls > 2, `${calls} calls`);
  assert.equal(without, calls - 1);
  assert.equal((await checkpointsOf(ports)).length, calls - 1);
  assert.equal(settled.result?.status, 'optimal');
  assert.equal(canonical(await readResult(ports, 'a')), await wholeResult(ports));
});

test('without limits one call searches to the proof, and leaves no checkpoint', async (t) => {
  const { ports } = await openBlockHouse(t, undefined);
  await closeGate(ports, 'a');
  assert.equal((await reaches(ports, 'a', 'settled')).result?.status, 'optimal');
  assert.deepEqual(await callsOf(ports), [1, 0]);
  assert.deepEqual(await checkpointsOf(ports), []);
});

test('publishAtGap: a result is published as soon as a call leaves so small a gap', async (t) => {
  const { ports } = await openBlockHouse(t, { branchesPerCall: 1, publishAtGap: 0.5 });
  await closeGate(ports, 'a');
  const { result } = await reaches(ports, 'a', 'settled');
  assert.equal(result?.status, 'feasible');
  assert(result.gap > 0 && result.gap <= 0.5, `${result.gap}`);
  assert.deepEqual(await callsOf(ports), [1, 0]);
});

test('publishAfterSeconds: when the time is over the best result there is is published', async (t) => {
  const house = await openBlockHouse(t, { branchesPerCall: 1, publishAfterSeconds: 60 });
  const { ports, clock } = house;
  const { write } = ports.archive;
  ports.archive.write = async (key, text) => {
    await write.call(ports.archive, key, text);
    if (key === checkpointKey({ id: 'a', run: 1 }, 1))
      clock.time = new Date(clock.now().getTime() + 60_000).toISOString();
  };
  await closeGate(ports, 'a');
  const { result } = await reaches(ports, 'a', 'settled');
  assert.equal(result?.status, 'feasible');
  assert.deepEqual(await callsOf(ports), [2, 1]);
});

test('millisecondsPerCall: a call ends by the clock', async (t) => {
  const house = await openBlockHouse(t, { millisecondsPerCall: 3 });
  // Each look at the clock takes a millisecond.
  let looks = 0;
  house.clock.now = () => new Date(Date.parse(house.clock.time) + looks++);
  await closeGate(house.ports, 'a');
  assert.equal((await reaches(house.ports, 'a', 'settled')).result?.status, 'optimal');
  assert((await callsOf(house.ports))[0] > 2);
  assert.equal(canonical(await readResult(house.ports, 'a')), await wholeResult(house.ports));
});

test('patience counts the calls: in the last one the best result there is is published', async (t) => {
  const { ports } = await openBlockHouse(t, { branchesPerCall: 1 }, 2);
  await closeGate(ports, 'a');
  const { result } = await reaches(ports, 'a', 'settled');
  assert.equal(result?.status, 'feasible');
  assert.deepEqual(await callsOf(ports), [2, 1]);
  assert.equal((await checkpointsOf(ports)).length, 1);
});

test('a crash in between: the next start goes on from the last checkpoint', async (t) => {
  const whole = await openBlockHouse(t, { branchesPerCall: 2 });
  await closeGate(whole.ports, 'a');
  await reaches(whole.ports, 'a', 'settled');
  const [calls] = await callsOf(whole.ports);

  const house = await openTestHouse(t, { markets: [blockMarket({ branchesPerCall: 2 })] });
  await hold(house.ports, 'a', { start: '2025-04-01T22:00:00Z', periods: day.periods });
  await submit(house.ports, day.orders);
  // The second checkpoint is on disk, and then the process hears nothing more.
  const { write } = house.ports.archive;
  let cut = () => {};
  const wasCut = new Promise<void>((resolve) => {
    cut = resolve;
  });
  house.ports.archive.write = async (key, text) => {
    await write.call(house.ports.archive, key, text);
    if (key !== checkpointKey({ id: 'a', run: 1 }, 2)) return;
    cut();
    throw Object.assign(new Error('cut'), { name: 'Unavailable' });
  };
  await closeGate(house.ports, 'a');
  await wasCut;
  await house.reopen();
  await reaches(house.ports, 'a', 'settled');
  const types = (await house.ports.workflow.history('a-1'))!.map((event) => event.type);
  assert(types.includes('ExecutionRestarted'));
  assert.equal((await checkpointsOf(house.ports)).length, calls - 1);
  assert.equal(canonical(await readResult(house.ports, 'a')), await wholeResult(house.ports));
});

test('a call that was cut after it had written its result: the next one takes that result', async (t) => {
  const { ports } = await openBlockHouse(t, { branchesPerCall: 1, publishAtGap: 0.5 });
  const sealed = { auction: 'a', run: 1 };
  const { start } = ports.workflow;
  ports.workflow.start = async () => 'a-1';
  await closeGate(ports, 'a');
  ports.workflow.start = start;
  await tasks.SealBook(ports, sealed);
  const { advance } = ports.auctions;
  ports.auctions.advance = async () => {
    throw new Error('cut');
  };
  await assert.rejects(tasks.Clear(ports, { ...sealed, attempt: 1 }), /cut/);
  ports.auctions.advance = advance;
  const written = await ports.archive.read('results/a.json');
  // By now that would not be good enough any more.
  const stricter = { ...ports, markets: new Map([['test', blockMarket({ branchesPerCall: 1 })]]) };
  assert.equal(((await tasks.Clear(stricter, { ...sealed, attempt: 1 })) as { results: boolean }).results, true);
  assert.equal(await ports.archive.read('results/a.json'), written);
  assert.equal((await findAuction(ports, 'a')).result?.status, 'feasible');
  await tasks.Verify(ports, sealed);
});

test('a damaged checkpoint costs what was searched before it: the search begins anew', async (t) => {
  const { ports, metrics } = await openBlockHouse(t, { branchesPerCall: 2 });
  const { read } = ports.archive;
  ports.archive.read = async (key) => {
    const text = await read.call(ports.archive, key);
    return key === checkpointKey({ id: 'a', run: 1 }, 2) ? text?.slice(0, 1000) : text;
  };
  await closeGate(ports, 'a');
  assert.equal((await reaches(ports, 'a', 'settled')).result?.status, 'optimal');
  assert.equal(canonical(await readResult(ports, 'a')), await wholeResult(ports));
  assert.match(await metrics(), /^checkpoints_refused\S* 1$/m);
});

test('a market that says publishAtGap says how long a call may take', async (t) => {
  assert.throws(() => blockMarket({ publishAtGap: 0.01 }), {
    code: 'invalid-market',
    message: /clearing\.publishAtGap: is looked at between calls/,
  });
  // From a file, as an operator has it.
  const folder = await mkdtemp(join(tmpdir(), 'merit-markets-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(
    join(folder, 'test.json'),
    JSON.stringify(blockMarket({ branchesPerCall: 100, publishAtGap: 0.001 })),
  );
  assert.deepEqual((await readMarkets(folder, 'test'))[0]?.clearing, { branchesPerCall: 100, publishAtGap: 0.001 });
});

test('longestSearchMs: where calls cannot last, one ends by the clock although the market has no limits', async (t) => {
  const house = await openBlockHouse(t, undefined);
  let looks = 0;
  house.clock.now = () => new Date(Date.parse(house.clock.time) + looks++);
  Object.assign(house.ports, { longestSearchMs: 3 });
  await closeGate(house.ports, 'a');
  assert.equal((await reaches(house.ports, 'a', 'settled')).result?.status, 'optimal');
  assert((await callsOf(house.ports))[0] > 2);
  assert.equal(canonical(await readResult(house.ports, 'a')), await wholeResult(house.ports));
});
