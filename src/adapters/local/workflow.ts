/**
 * Runs `workflow/auction.asl.json` in process: the very file that the cloud runs, its tasks as functions.
 *
 * An execution that a crash cut is `running` in the database; `resume()` runs it again from its first state, which is
 * right because every task may run twice. Its history shows `ExecutionRestarted`.
 */

import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { ExecutionError, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import definition from '../../../workflow/auction.asl.json' with { type: 'json' };
import type { Clock, ExecutionEvent, Workflow } from '../../auction/ports.ts';
import type { TaskName } from '../../auction/steps/tasks.ts';
import { AuctionError } from '../../market/errors.ts';
import { utc } from '../../market/time.ts';
import type { Durability } from './durability.ts';
import { type End, ExecutionLog, type Started } from './execution-log.ts';
import { errorEntry, type Log } from './log.ts';
import { persistently } from './persistently.ts';
import { taskRunner } from './task-runner.ts';
import { patient } from './unavailable.ts';

export interface LocalWorkflow extends Workflow {
  /** Run again what a crash cut. Call it once, when all ports are there. */
  resume(): void;
  /** Stop waiting and starting, and let the tasks that are on their way end. What is cut is resumed at the next start. */
  close(): Promise<void>;
}

export interface WorkflowOptions {
  readonly database: DatabaseSync;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly runTask: (task: TaskName, input: unknown) => Promise<unknown>;
  readonly log: Log;
  /** Milliseconds to wait in a state, or before it is tried again, by its name, instead of what the file says. */
  readonly waits?: Readonly<Record<string, number>>;
}

/** Longest input or output of a state that the history keeps. */
const detailSize = 2000;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: start, resume and stop share the executions that run
export function openWorkflow(options: WorkflowOptions): LocalWorkflow {
  const { database, durability, clock, runTask, log, waits = {} } = options;
  const machine = new StateMachine(localDefinition(), { validationOptions: { noValidate: true } }); // a test validates it
  const rows = new ExecutionLog(database);
  const closing = new AbortController();
  const runner = taskRunner({ runTask, log, closing: closing.signal, waits });
  const running = new Map<string, Promise<void>>();
  const now = () => utc(clock.now());
  let flushing: Promise<void> | undefined;

  function record(id: string, event: Omit<ExecutionEvent, 'at'>): void {
    rows.add(id, { at: now(), ...event });
    void written();
  }

  /**
   * Resolves when what waits is in the database; on a full disk that takes until there is room. Or when the house closes. The disk has it
   * within a second: what a loss of power takes from a history runs once more.
   */
  function written(): Promise<void> {
    flushing ??= flush();
    return flushing;
  }

  async function flush(): Promise<void> {
    await turn();
    const write = () => {
      rows.flush();
      durability.later();
      flushing = undefined; // in the same turn: what comes later waits for the next one
    };
    await persistently(write, { log, what: 'the history of the workflow', stop: closing.signal }).catch(notWritten);
  }

  const notWritten = (error: unknown) => log({ event: 'history-not-written', error: errorEntry(error) });

  const handlersOf = (id: string) =>
    Object.fromEntries(
      taskNames.map((name) => [
        name,
        async (input: unknown) => {
          // Once, not at each try: an outage of a night would fill the history. In the next turn: the library tells of a state
          // that was entered only then.
          const onWait = async (cause: string) => {
            await turn();
            if (closing.signal.aborted) return;
            record(id, { type: 'TaskStateFailed', state: name, detail: { error: 'Unavailable', cause } });
            record(id, { type: 'TaskStateRetried', state: name, detail: { attempt: 1 } });
          };
          return (await runner.run(id, name, input, onWait)) as never;
        },
      ]),
    );

  function execute({ id, auction, run }: Started): void {
    const execution = machine.run(
      { auction, run },
      {
        overrides: {
          taskResourceLocalHandlers: handlersOf(id),
          waitTimeOverrides: waits,
          retryIntervalOverrides: waits,
        },
        noThrowOnAbort: true,
        context: { Execution: { Id: id, Name: id } },
      },
    );
    closing.signal.addEventListener('abort', execution.abort, { once: true });
    running.set(
      id,
      follow(id, execution)
        // A fault of ours; at the next start it runs again.
        .catch((error: unknown) => log({ event: 'execution-lost', execution: id, error: errorEntry(error) }))
        .finally(() => {
          closing.signal.removeEventListener('abort', execution.abort);
          running.delete(id);
        }),
    );
  }

  async function follow(id: string, { eventLogs, result }: ReturnType<StateMachine['run']>): Promise<void> {
    const ended = result.then(
      (): Omit<End, 'endedAt'> => ({ status: 'succeeded' }),
      (error: unknown): Omit<End, 'endedAt'> => ({ status: 'failed', cause: causeOf(error) }),
    );
    for await (const event of eventLogs) {
      if (event.type !== 'ExecutionAborted') record(id, eventOf(event));
    }
    const end = await ended;
    // What was cut is not over.
    if (closing.signal.aborted) return;
    rows.end(id, { ...end, endedAt: now() });
    await written();
  }

  return {
    ...patient({
      async start(auction: string, run: number) {
        if (closing.signal.aborted) throw new AuctionError('unavailable', 'the house is closing');
        const started = { id: `${auction}-${run}`, auction, run };
        if (rows.begin(started, now())) execute(started);
        await durability.synced();
        return started.id;
      },
      find: async (id: string) => rows.find(id),
      list: async (filter?: { auction?: string; limit?: number }) => rows.list(filter),
      history: async (id: string) => rows.history(id),
    }),
    resume() {
      for (const started of rows.running()) {
        if (running.has(started.id)) continue;
        record(started.id, { type: 'ExecutionRestarted' });
        execute(started);
      }
    },
    async close() {
      closing.abort();
      await Promise.all([...running.values(), runner.rest(), flushing]);
      try {
        rows.flush();
      } catch (error) {
        notWritten(error);
      }
    },
  };
}

/** In the file each Task state has the placeholder `${NameFunctionArn}` for its resource. */
const placeholder = /\$\{(\w+)FunctionArn\}/g;

export const taskNames = [...JSON.stringify(definition).matchAll(placeholder)].map(([, name]) => name as TaskName);

/** The library would count waiting for a place or for the disk as a task's time; the task runner counts the tries themselves. */
const never = 2_000_000; // seconds, about as long as a timer can be

export function localDefinition(): StateMachineDefinition {
  const text = JSON.stringify(definition)
    .replaceAll(/"TimeoutSeconds":\d+/g, `"TimeoutSeconds":${never}`)
    .replaceAll(placeholder, 'arn:aws:lambda:local:000000000000:function:$1')
    .replace(/\$\{SettlementMode\}/, 'INLINE');
  return JSON.parse(text) as StateMachineDefinition;
}

function causeOf(error: unknown): string {
  if (error instanceof ExecutionError && error.cause instanceof Error) return error.cause.message;
  return error instanceof Error ? error.message : String(error);
}

type LibraryEvent = ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer E> ? E : never;

/** The library's events under the names that Step Functions gives them. */
function eventOf(event: LibraryEvent): Omit<ExecutionEvent, 'at'> {
  switch (event.type) {
    case 'StateEntered':
      return stateEvent(event, 'Entered', { input: short(event.state.input) });
    case 'StateExited':
      return stateEvent(event, 'Exited', { output: short(event.state.output) });
    case 'StateFailed':
      return stateEvent(event, 'Failed', { error: event.Error, cause: event.Cause });
    case 'StateRetried':
      return stateEvent(event, 'Retried', { attempt: event.retry.attempt });
    case 'StateCaught':
      return stateEvent(event, 'Caught', { next: event.catch.catcher.Next });
    case 'MapIterationStarted':
    case 'MapIterationSucceeded':
      return { type: event.type, state: event.parentState.name, detail: { index: event.index } };
    case 'MapIterationFailed':
      return {
        type: event.type,
        state: event.parentState.name,
        detail: { index: event.index, error: event.Error, cause: event.Cause },
      };
    case 'ExecutionFailed':
      return { type: event.type, detail: { error: event.Error, cause: event.Cause } };
    case 'ExecutionStarted':
      return { type: event.type, detail: { input: short(event.input) } };
    case 'ExecutionSucceeded':
      return { type: event.type, detail: { output: short(event.output) } };
    default:
      return { type: event.type };
  }
}

function stateEvent(
  { state, index }: { state: { name: string; type: string }; index?: number },
  verb: string,
  detail: Record<string, unknown>,
): Omit<ExecutionEvent, 'at'> {
  const type = `${state.type}State${verb}`;
  return { type, state: state.name, detail: index === undefined ? detail : { index, ...detail } };
}

function short(value: unknown): unknown {
  const characters = (JSON.stringify(value) ?? '').length;
  return characters <= detailSize ? value : { characters };
}
