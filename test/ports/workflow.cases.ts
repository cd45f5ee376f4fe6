/** What every `Workflow` keeps of its promises, whoever runs the workflow file. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Execution, Workflow } from '../../src/auction/ports.ts';
import type { TaskName } from '../../src/auction/steps/tasks.ts';

/** Answers of tasks, as the workflow sees them. What is not given succeeds at once. */
export type Answers = Partial<Record<TaskName, (input: Record<string, unknown>) => unknown>>;

export interface OpenedWorkflow {
  readonly workflow: Workflow;
  /** Which tasks were called, in order. */
  readonly calls: readonly { readonly task: TaskName; readonly input: Record<string, unknown> }[];
}

export type OpenWorkflow = (t: TestContext, answers: Answers) => Promise<OpenedWorkflow>;

export const usualAnswers: Answers = {
  SealBook: ({ auction, run }) => ({ auction, run, attempt: 1, attempts: 3 }),
  Clear: ({ auction, run }) => ({
    results: true,
    auction,
    pages: [1, 2, 3].map((page) => ({ auction, run, key: `orders/${auction}/page-${page}.json` })),
  }),
  NotifyFailure: ({ failure }) => {
    const { Error: error, Cause: cause } = failureOf(failure);
    return { error, cause };
  },
};

/** In the cloud the cause of a failed function is a JSON text with its message. */
function failureOf(failure: unknown): { Error: string; Cause: string } {
  const { Error: error, Cause: cause } = failure as { Error: string; Cause: string };
  return {
    Error: error,
    Cause: cause.startsWith('{') ? (JSON.parse(cause) as { errorMessage: string }).errorMessage : cause,
  };
}

/** A condition, not a time: looks again each turn of the event loop, and fails loudly when it has not come true for a minute. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const since = performance.now(); performance.now() - since < 60_000; ) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return assert.fail(`it never came to pass that ${what}`);
}

export const ended = (workflow: Workflow, id: string): Promise<Execution> =>
  until(`${id} ended`, async () => (await workflow.list()).find((e) => e.id === id && e.status !== 'running'));

const statesOf = async (workflow: Workflow, id: string, type: RegExp): Promise<string[]> =>
  (await workflow.history(id))!.filter((event) => type.test(event.type)).map((event) => event.state ?? event.type);

/** @param iterations  whether the history shows the states within a map, which an emulator may leave out */
export function workflowCases(name: string, open: OpenWorkflow, { iterations = true } = {}): void {
  test(`${name}: an auction runs from sealing to publishing, and its history says so`, async (t) => {
    const { workflow, calls } = await open(t, {});
    const id = await workflow.start('a', 1);
    assert.equal(id, 'a-1');
    const execution = await ended(workflow, id);
    assert.equal(execution.status, 'succeeded');
    assert.equal(execution.auction, 'a');
    assert.equal(execution.cause, undefined);
    assert.deepEqual(
      calls.map(({ task }) => task),
      ['SealBook', 'Clear', 'Verify', 'SettlePage', 'SettlePage', 'SettlePage', 'Publish'],
    );
    assert.deepEqual(await statesOf(workflow, id, /^Execution|^(Task|Map)StateEntered/), [
      'ExecutionStarted',
      'SealBook',
      'Clear',
      'Verify',
      'SettlePages',
      ...(iterations ? ['SettlePage', 'SettlePage', 'SettlePage'] : []),
      'Publish',
      'ExecutionSucceeded',
    ]);
  });

  test(`${name}: each task is told auction and run, the pages one by one`, async (t) => {
    const { workflow, calls } = await open(t, {});
    await ended(workflow, await workflow.start('a', 7));
    assert.deepEqual(calls.find(({ task }) => task === 'Clear')?.input, { auction: 'a', run: 7, attempt: 1 });
    assert.deepEqual(
      calls
        .filter(({ task }) => task === 'SettlePage')
        .map(({ input }) => input)
        .sort((a, b) => String(a.key).localeCompare(String(b.key))),
      [1, 2, 3].map((page) => ({ auction: 'a', run: 7, key: `orders/a/page-${page}.json` })),
    );
    assert.deepEqual(calls.at(-1), { task: 'Publish', input: { auction: 'a', run: 7 } });
  });

  test(`${name}: started twice, it runs once`, async (t) => {
    const { workflow, calls } = await open(t, {});
    const ids = await Promise.all([workflow.start('a', 1), workflow.start('a', 1)]);
    await ended(workflow, ids[0]!);
    await workflow.start('a', 1);
    assert.deepEqual(ids, ['a-1', 'a-1']);
    assert.equal((await workflow.list({ auction: 'a' })).length, 1);
    assert.equal(calls.filter(({ task }) => task === 'SealBook').length, 1);
  });

  test(`${name}: clearing is asked again until it has results, with the attempt counted`, async (t) => {
    const late = ({ auction, attempt }: Record<string, unknown>) =>
      attempt === 3 ? { results: true, auction, pages: [] } : { results: false, retryAfterSeconds: 0 };
    const { workflow, calls } = await open(t, { Clear: late });
    const id = await workflow.start('a', 1);
    assert.equal((await ended(workflow, id)).status, 'succeeded');
    const attempts = calls.filter(({ task }) => task === 'Clear').map(({ input }) => input.attempt);
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal((await statesOf(workflow, id, /^WaitStateExited/)).length, 2);
  });

  test(`${name}: when patience is at its end, that is the cause of the failure`, async (t) => {
    const { workflow, calls } = await open(t, { Clear: () => ({ results: false, retryAfterSeconds: 0 }) });
    const execution = await ended(workflow, await workflow.start('a', 1));
    assert.equal(execution.status, 'failed');
    assert.equal(execution.cause, 'clearing had no results after 3 attempts');
    assert.deepEqual(await workflow.find(execution.id), execution);
    assert.equal(calls.filter(({ task }) => task === 'Clear').length, 3);
    assert.deepEqual(calls.slice(-2), [
      {
        task: 'NotifyFailure',
        input: { auction: 'a', run: 1, failure: { Error: 'NoResults', Cause: execution.cause } },
      },
      { task: 'Diagnose', input: { auction: 'a', run: 1 } },
    ]);
  });

  for (const failing of ['SealBook', 'Clear', 'Verify', 'SettlePage', 'Publish'] as const) {
    test(`${name}: when ${failing} fails, the failure is notified by name and message and ends the execution`, async (t) => {
      const broken = () => {
        throw Object.assign(new Error('it is broken'), { name: 'AuctionError' });
      };
      const { workflow, calls } = await open(t, { [failing]: broken });
      const id = await workflow.start('a', 1);
      const execution = await ended(workflow, id);
      assert.deepEqual([execution.status, execution.cause], ['failed', 'it is broken']);
      const [{ task, input }, last] = calls.slice(-2) as [(typeof calls)[number], (typeof calls)[number]];
      assert.deepEqual([task, last.task], ['NotifyFailure', 'Diagnose']);
      assert.deepEqual(failureOf(input.failure), { Error: 'AuctionError', Cause: 'it is broken' });
      assert.equal((await workflow.history(id))!.at(-1)?.type, 'ExecutionFailed');
    });
  }

  test(`${name}: a diagnosis that fails changes nothing about the failure`, async (t) => {
    const broken = (message: string) => () => {
      throw Object.assign(new Error(message), { name: 'AuctionError' });
    };
    const { workflow } = await open(t, { Verify: broken('it is broken'), Diagnose: broken('so is this') });
    const execution = await ended(workflow, await workflow.start('a', 1));
    assert.deepEqual([execution.status, execution.cause], ['failed', 'it is broken']);
  });

  test(`${name}: there is no history of what never ran`, async (t) => {
    const { workflow } = await open(t, {});
    assert.equal(await workflow.history('a-1'), undefined);
    assert.equal(await workflow.find('a-1'), undefined);
    assert.deepEqual(await workflow.list({ auction: 'a' }), []);
    assert.deepEqual(await workflow.list(), []);
  });

  test(`${name}: list() has the newest first, of one auction when asked, and at most as many as asked`, async (t) => {
    const { workflow } = await open(t, {});
    for (const [auction, run] of [
      ['a', 1],
      ['b', 1],
      ['a', 2],
    ] as const)
      await workflow.start(auction, run);
    await Promise.all(['a-1', 'b-1', 'a-2'].map((id) => ended(workflow, id)));
    assert.deepEqual(
      (await workflow.list()).map((e) => e.id),
      ['a-2', 'b-1', 'a-1'],
    );
    assert.deepEqual(
      (await workflow.list({ auction: 'a', limit: 1 })).map((e) => e.id),
      ['a-2'],
    );
    const runs = await workflow.list({ auction: 'a' });
    assert.deepEqual(
      runs.map((e) => e.id),
      ['a-2', 'a-1'],
    );
    for (const each of runs) assert.deepEqual(await workflow.find(each.id), each);
  });
}
