/** The workflow in process: the cases of the port, and what is its own: retries, crashes, closing. */

import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { StateMachine } from 'aws-local-stepfunctions';
import { noLog, openDurability } from '../src/adapters/local/durability.ts';
import { openHeads } from '../src/adapters/local/heads.ts';
import { type LocalWorkflow, localDefinition, openWorkflow, taskNames } from '../src/adapters/local/workflow.ts';
import type { TaskName } from '../src/auction/steps/tasks.ts';
import {
  type Answers,
  ended,
  type OpenedWorkflow,
  until,
  usualAnswers,
  workflowCases,
} from './ports/workflow.cases.ts';

interface Local extends OpenedWorkflow {
  readonly workflow: LocalWorkflow;
  readonly calls: { readonly task: TaskName; readonly input: Record<string, unknown> }[];
}

function openLocal(database: DatabaseSync, answers: Answers, waits: Record<string, number> = {}): Local {
  const calls: Local['calls'] = [];
  const workflow = openWorkflow({
    database,
    durability: openDurability(noLog, openHeads(undefined, new Map())),
    clock: { now: () => new Date('2025-04-01T10:00:00Z') },
    log: () => undefined,
    waits,
    async runTask(task, input) {
      calls.push({ task, input: input as Record<string, unknown> });
      const answer = answers[task] ?? usualAnswers[task] ?? (() => ({}));
      return await answer(input as Record<string, unknown>);
    },
  });
  return { workflow, calls };
}

async function open(t: TestContext, answers: Answers, waits?: Record<string, number>): Promise<OpenedWorkflow> {
  const database = new DatabaseSync(':memory:');
  const opened = openLocal(database, answers, waits);
  t.after(async () => {
    await opened.workflow.close();
    database.close();
  });
  return opened;
}

workflowCases('in process', open);

test('workflow/auction.asl.json is valid, and its tasks are those of tasks.ts', async () => {
  new StateMachine(localDefinition(), { validationOptions: { checkArn: true, checkPaths: true } });
  const { tasks } = await import('../src/auction/steps/tasks.ts');
  assert.deepEqual(taskNames.toSorted(), Object.keys(tasks).sort());
});

const unavailable = () => Object.assign(new Error('the disk is full'), { name: 'Unavailable' });

test('openWorkflow(): a task that is unavailable is asked again, and the history tells of it', async (t) => {
  let asked = 0;
  const Publish = () => {
    if (++asked === 1) throw unavailable();
    return {};
  };
  const { workflow } = await open(t, { Publish }, { Publish: 1 });
  const id = await workflow.start('a', 1);
  assert.equal((await ended(workflow, id)).status, 'succeeded');
  const events = (await workflow.history(id))!.filter((event) => event.state === 'Publish');
  assert.deepEqual(
    events.map((event) => event.type),
    ['TaskStateEntered', 'TaskStateFailed', 'TaskStateRetried', 'TaskStateExited'],
  );
  assert.deepEqual(events[1]?.detail, { error: 'Unavailable', cause: 'the disk is full' });
});

test('openWorkflow(): what the machine cannot do is waited out, however often the file would try it', async (t) => {
  const outage: Error[] = [
    ...Array.from({ length: 12 }, unavailable),
    Object.assign(new Error('disk I/O error'), { code: 'ERR_SQLITE_ERROR', errcode: 6410 }), // SQLITE_IOERR_SHMSIZE and the like
    Object.assign(new Error('no space left'), { code: 'ENOSPC' }),
    new Error('no page', { cause: Object.assign(new Error('read-only file system'), { code: 'EROFS' }) }),
  ];
  const { workflow, calls } = await open(
    t,
    {
      SettlePage: () => {
        const error = outage.shift();
        if (error) throw error;
        return {};
      },
    },
    { SettlePage: 0 },
  );
  assert.equal((await ended(workflow, await workflow.start('a', 1))).status, 'succeeded');
  assert.equal(calls.filter(({ task }) => task === 'SettlePage').length, 15 + 3);
  assert(!calls.some(({ task }) => task === 'NotifyFailure'));
});

test('openWorkflow(): the time of a task is that of a try, not of waiting for the disk', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  let isFull = true;
  const { workflow } = await open(t, {
    Publish: () => {
      if (isFull) throw unavailable();
      return {};
    },
    Verify: ({ auction }) => (auction === 'b' ? new Promise(() => undefined) : {}),
  });
  const id = await workflow.start('a', 1);
  await workflow.start('b', 1);
  const end = async (execution: string) => (await workflow.find(execution))!;
  const after = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 10) {
      t.mock.timers.tick(10_000);
      for (let i = 0; i < 5; i++) await turn();
    }
  };
  await after(880); // the file gives Publish 300 s, Verify 900 s
  assert.equal((await end('b-1')).status, 'running');
  await after(100);
  assert.deepEqual([(await end('b-1')).status, (await end('b-1')).cause], ['failed', 'it took longer than 900 s']);
  assert.equal((await end(id)).status, 'running');
  isFull = false;
  t.mock.timers.reset();
  assert.equal((await ended(workflow, id)).status, 'succeeded');
});

test('openWorkflow(): what a crash cut runs again from the first state, and the history says so', async () => {
  const database = new DatabaseSync(':memory:');
  const { promise, resolve } = Promise.withResolvers<object>();
  const dead = openLocal(database, { Verify: () => promise });
  await dead.workflow.start('a', 1);
  await until('it reached Verify', async () => dead.calls.some(({ task }) => task === 'Verify'));
  // The process is gone: nobody closed anything. Another one finds the row.
  const { workflow, calls } = openLocal(database, {});
  workflow.resume();
  workflow.resume();
  const execution = await ended(workflow, 'a-1');
  assert.equal(execution.status, 'succeeded');
  assert.equal(calls.filter(({ task }) => task === 'SealBook').length, 1);
  const types = (await workflow.history('a-1'))!.map((event) => event.type);
  assert.equal(types.filter((type) => type === 'ExecutionRestarted').length, 1);
  assert.equal(types.at(-1), 'ExecutionSucceeded');
  await workflow.close();
  const closing = dead.workflow.close();
  resolve({});
  await closing;
  database.close();
});

test('openWorkflow(): close() does not wait out a Wait state, and what it cut goes on at the next start', async () => {
  const database = new DatabaseSync(':memory:');
  const late = () => ({ results: false, retryAfterSeconds: 3600 });
  const first = openLocal(database, { Clear: late });
  await first.workflow.start('a', 1);
  await until('it waits', async () =>
    (await first.workflow.history('a-1'))!.some((event) => event.type === 'WaitStateEntered'),
  );
  await first.workflow.close();
  await assert.rejects(first.workflow.start('b', 1), { code: 'unavailable' });
  const second = openLocal(database, {});
  assert.equal((await second.workflow.list())[0]?.status, 'running');
  second.workflow.resume();
  assert.equal((await ended(second.workflow, 'a-1')).status, 'succeeded');
  await second.workflow.close();
  database.close();
});

test('openWorkflow(): close() lets the task at work end, and starts no other', async () => {
  const database = new DatabaseSync(':memory:');
  const { promise, resolve } = Promise.withResolvers<object>();
  const { workflow, calls } = openLocal(database, { Verify: () => promise });
  await workflow.start('a', 1);
  await until('it reached Verify', async () => calls.at(-1)?.task === 'Verify');
  let closed = false;
  const closing = workflow.close().then(() => {
    closed = true;
  });
  await new Promise((turn) => setImmediate(turn));
  assert.equal(closed, false);
  resolve({});
  await closing;
  assert.equal(calls.at(-1)?.task, 'Verify');
  database.close();
});

test('openWorkflow(): close() while a retry is pending asks the task no more', async () => {
  const database = new DatabaseSync(':memory:');
  const { workflow, calls } = openLocal(database, {
    Clear: () => {
      throw unavailable();
    },
  });
  await workflow.start('a', 1);
  await until('Clear failed', async () =>
    (await workflow.history('a-1'))!.some((event) => event.type === 'TaskStateFailed'),
  );
  await workflow.close();
  const asked = calls.length;
  await new Promise((turn) => setImmediate(turn));
  assert.equal(calls.length, asked);
  assert.equal((await workflow.list())[0]?.status, 'running');
  database.close();
});

test('openWorkflow(): at most four tasks are at work, however many executions there are', async (t) => {
  let atWork = 0;
  let most = 0;
  const { workflow } = await open(t, {
    SealBook: async (input) => {
      most = Math.max(most, ++atWork);
      await new Promise((turn) => setImmediate(turn));
      atWork--;
      return { ...input, attempt: 1, attempts: 1 };
    },
  });
  const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => workflow.start(`a${i}`, 1)));
  for (const id of ids) assert.equal((await ended(workflow, id)).status, 'succeeded');
  assert.equal(most, 4);
});

test('openWorkflow(): a wait can be shortened for a rehearsal', async () => {
  const database = new DatabaseSync(':memory:');
  const answer = ({ attempt }: Record<string, unknown>) =>
    attempt === 1 ? { results: false, retryAfterSeconds: 3600 } : { results: true, auction: 'a', pages: [] };
  const { workflow } = openLocal(database, { Clear: answer }, { WaitForResults: 1 });
  assert.equal((await ended(workflow, await workflow.start('a', 1))).status, 'succeeded');
  await workflow.close();
  database.close();
});
