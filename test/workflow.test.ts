/** The workflow file over the whole house: late results, failure and restart, steps that run twice, cut executions. */

import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { closeGate, findAuction, restartAuction } from '../src/auction/auctions.ts';
import { findOrder } from '../src/auction/intake/find-order.ts';
import type { Ports } from '../src/auction/ports.ts';
import { bookKey } from '../src/auction/records/keys.ts';
import { resume } from '../src/auction/steps/resume.ts';
import { tasks } from '../src/auction/steps/tasks.ts';
import { readBook, readResult } from '../src/auction/views/results.ts';
import { ended, until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, testMarket, watchNotices } from './support/house.ts';

const late = (probability: number, seed: number, attempts = 20) =>
  testMarket({
    rehearsal: { lateResults: { probability, seed } },
    patience: { firstSeconds: 1, mostSeconds: 4, attempts },
  });

const answersOfClear = async (ports: Ports, execution: string): Promise<boolean[]> =>
  (await ports.workflow.history(execution))!
    .filter((event) => event.type === 'TaskStateExited' && event.state === 'Clear')
    .map((event) => (event.detail as { output: { clearing: { results: boolean } } }).output.clearing.results);

test('late results: Clear is asked again until true, the history shows it, and a seed says how often', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [late(0.5, 7)] });
  const ids = Array.from({ length: 8 }, (_, i) => `a${i}`);
  const asked: number[] = [];
  for (const id of ids) {
    await hold(ports, id);
    await submit(ports, undefined, id);
    await closeGate(ports, id);
    await reaches(ports, id, 'settled');
    const answers = await answersOfClear(ports, `${id}-1`);
    assert.deepEqual(answers, [...Array.from({ length: answers.length - 1 }, () => false), true]);
    asked.push(answers.length);
  }
  assert.deepEqual(asked, [4, 1, 2, 1, 2, 1, 1, 1]);
});

test('late results: the wait doubles up to the market’s limit', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [late(1, 1, 5)] });
  await hold(ports);
  await closeGate(ports, 'a');
  await reaches(ports, 'a', 'failed');
  const waits = (await ports.workflow.history('a-1'))!
    .filter((event) => event.type === 'WaitStateEntered')
    .map((event) => (event.detail as { input: { clearing: { retryAfterSeconds: number } } }).input.clearing);
  assert.deepEqual(
    waits.map((clearing) => clearing.retryAfterSeconds),
    [1, 2, 4, 4],
  );
});

test('when patience is at its end: notice, failed with the cause; restarted with more patience it settles', async (t) => {
  const house = await openTestHouse(t, { markets: [late(1, 1, 3)] });
  const sent = watchNotices(house.ports);
  await hold(house.ports);
  await submit(house.ports);
  await closeGate(house.ports, 'a');
  const failed = await reaches(house.ports, 'a', 'failed');
  assert.equal(failed.cause, 'NoResults: clearing had no results after 3 attempts');
  assert.equal((await ended(house.ports.workflow, 'a-1')).status, 'failed');
  const { sequence, ...told } = sent[0]!;
  const where = { auction: 'a', run: 1, state: 'failed', at: failed.updatedAt };
  assert.deepEqual(told, { id: 'auction-failed:a:1', kind: 'auction-failed', cause: failed.cause, ...where });
  assert(sequence! > 0);
  await house.reopen({ markets: [late(0, 1)] });
  const restarted = await restartAuction(house.ports, 'a');
  assert.equal(restarted.run, 2);
  const settled = await reaches(house.ports, 'a', 'settled', 'failed');
  assert.deepEqual([settled.state, settled.cause], ['settled', undefined]);
  assert.equal((await ended(house.ports.workflow, 'a-2')).status, 'succeeded');
  assert.equal((await findOrder(house.ports, 'p', 'load')).outcome?.status, 'accepted');
});

test('a book that was changed in the archive: failed, and restarted once it is the sealed one again', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [late(0.5, 7)] });
  const sent = watchNotices(ports);
  await hold(ports);
  await submit(ports);
  // What the archive gives back is broken from sealing on.
  const { read } = ports.archive;
  ports.archive.read = async (key) => {
    const text = await read.call(ports.archive, key);
    return key === bookKey('a') ? text?.replace('"price":30', '"price":31') : text;
  };
  await closeGate(ports, 'a');
  const failed = await reaches(ports, 'a', 'failed');
  assert.match(failed.cause!, /books\/a\.json was changed/);
  // The state is seen before the disk has it; notices go out once it does.
  await until('the operator is told', async () => sent.length > 0);
  assert.equal(sent[0]?.kind, 'auction-failed');
  await assert.rejects(readResult(ports, 'a'), { code: 'wrong-state' });
  ports.archive.read = read;
  await restartAuction(ports, 'a');
  const settled = await reaches(ports, 'a', 'settled', 'failed');
  assert.equal(settled.state, 'settled', settled.cause);
  assert.equal(settled.book?.hash, failed.book?.hash);
});

test('a result that the verifier rejects never becomes final, and the cause names the invariant', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  await submit(ports);
  // A dishonest engine: its result has another price from the beginning, hash and all.
  const { write } = ports.archive;
  ports.archive.write = async (key, text) =>
    write.call(
      ports.archive,
      key,
      key.startsWith('results/') ? text.replace('"prices":{"Z":[45]', '"prices":{"Z":[44]') : text,
    );
  const { advance } = ports.auctions;
  ports.auctions.advance = async (from, next) => {
    if (next.state !== 'preliminary') return advance.call(ports.auctions, from, next);
    const text = (await ports.archive.read('results/a.json'))!;
    assert.match(text, /"Z":\[44\]/);
    const { sha256 } = await import('../src/book/intake.ts');
    return advance.call(ports.auctions, from, { ...next, result: { ...next.result!, hash: sha256(text) } });
  };
  await closeGate(ports, 'a');
  const failed = await reaches(ports, 'a', 'failed', 'settled');
  assert.equal(failed.state, 'failed');
  assert.match(failed.cause!, /the verifier rejects the result: INV-\d+/);
  await assert.rejects(readResult(ports, 'a'), { code: 'wrong-state' });
});

test('each task may run twice, at any later time, without harm', async (t) => {
  const { ports } = await openTestHouse(t);
  const sent = watchNotices(ports);
  await hold(ports);
  await submit(ports);
  await closeGate(ports, 'a');
  const settled = await reaches(ports, 'a', 'settled');
  await ended(ports.workflow, 'a-1');
  const before = new Set(sent.map((notice) => notice.id));
  const input = { auction: 'a', run: 1 };
  await tasks.SealBook(ports, input);
  const { pages } = (await tasks.Clear(ports, { ...input, attempt: 1 })) as { pages: object[] };
  await tasks.Verify(ports, input);
  for (const page of pages) await tasks.SettlePage(ports, page);
  await tasks.Publish(ports, input);
  await tasks.NotifyFailure(ports, { ...input, failure: { Error: 'AuctionError', Cause: 'late' } });
  assert.deepEqual(await findAuction(ports, 'a'), settled);
  assert.deepEqual(new Set(sent.map((notice) => notice.id)), before);
});

test('a step of a run that was followed by another does nothing', async (t) => {
  const { ports } = await openTestHouse(t);
  const auction = await hold(ports);
  const second = { ...auction, state: 'closed' as const, run: 2 };
  assert(await ports.auctions.advance(auction, second));
  const first = { auction: 'a', run: 1 };
  await assert.rejects(tasks.SealBook(ports, first), { code: 'wrong-state', message: /followed by run 2/ });
  await tasks.NotifyFailure(ports, { ...first, failure: { Error: 'E', Cause: 'late' } });
  assert.deepEqual(await findAuction(ports, 'a'), second);
});

test('a house that is closed in the middle of a workflow goes on at the next start', async (t) => {
  const house = await openTestHouse(t, { markets: [late(0.9, 3)], waits: { WaitForResults: 3_600_000 } });
  await hold(house.ports);
  await submit(house.ports);
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'clearing');
  await house.reopen({ markets: [testMarket()] });
  await reaches(house.ports, 'a', 'settled');
  const types = (await house.ports.workflow.history('a-1'))!.map((event) => event.type);
  assert(types.includes('ExecutionRestarted'));
});

test('resume() fails an auction whose workflow has ended without a word', async (t) => {
  const { ports } = await openTestHouse(t, { waits: { SealBook: 0, NotifyFailure: 0 } });
  const sent = watchNotices(ports);
  await hold(ports);
  const { advance } = ports.auctions;
  const closed = await closeGateOnly(ports);
  ports.auctions.advance = async () => {
    throw new Error('the store is gone');
  };
  await ports.workflow.start('a', closed.run);
  await ended(ports.workflow, 'a-1');
  ports.auctions.advance = advance;
  assert.equal((await findAuction(ports, 'a')).state, 'closed');
  await resume(ports, closed);
  const failed = await findAuction(ports, 'a');
  assert.deepEqual([failed.state, failed.cause], ['failed', 'the store is gone']);
  assert.equal(sent[0]?.kind, 'auction-failed');
});

async function closeGateOnly(ports: Ports) {
  const auction = await findAuction(ports, 'a');
  const closed = { ...auction, state: 'closed' as const };
  assert(await ports.auctions.advance(auction, closed));
  return closed;
}

test('a sealed book that is lost from the archive: failed, and restarted when it is back', async (t) => {
  const house = await openTestHouse(t, { markets: [late(1, 1, 1)] });
  await hold(house.ports);
  await submit(house.ports);
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'failed');
  const file = join(house.folder, 'archive', 'books', 'a.json');
  await rename(file, `${file}.away`);
  await house.reopen({ markets: [testMarket()] });
  await restartAuction(house.ports, 'a');
  const failed = await reaches(house.ports, 'a', 'failed');
  assert.match(failed.cause!, /books\/a\.json is missing/);
  await rename(`${file}.away`, file);
  await restartAuction(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
  assert.equal((await readBook(house.ports, 'a')).orders.length, 3);
});
