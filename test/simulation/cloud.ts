/**
 * A simulated cloud with a house in it: the adapters of AWS over tables in memory that refuse what DynamoDB refuses, an archive, a topic and
 * a workflow service. What each service promises is stated here: tables and archive keep what was written, read what was written
 * last, and refuse a transaction that meets another one; a request may be refused, be late, be done twice, or lose its answer. The workflow
 * service runs every execution of a name once, each of its steps at least once. Functions die alone, and another one takes the next request.
 */

import { StateMachine } from 'aws-local-stepfunctions';
import { openAuctionStore } from '../../src/adapters/aws/auction-store.ts';
import type { Database, Item } from '../../src/adapters/aws/database.ts';
import { openNotices } from '../../src/adapters/aws/notices.ts';
import { openOrderStore } from '../../src/adapters/aws/order-store.ts';
import { openMeter } from '../../src/adapters/local/meter.ts';
import { localDefinition, taskNames } from '../../src/adapters/local/workflow.ts';
import type { Archive, Execution, Notice, Ports, Workflow } from '../../src/auction/ports.ts';
import { KeepTimeError, keepTime } from '../../src/auction/schedule/keep-time.ts';
import type { TaskName } from '../../src/auction/steps/tasks.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { markets } from '../support/extreme-markets.ts';
import { openMemoryTables, realistic } from '../support/memory-table.ts';
import { simulateArchive } from './archive.ts';
import type { Faults } from './faults.ts';
import { killed, type Setting, type SettingOptions } from './setting.ts';
import { simulateSigner } from './signer.ts';
import { runStep } from './steps.ts';

const shards = 2;
/** Functions that take requests side by side. */
const width = 3;
const clock = { now: () => new Date() };
const never = new Promise<never>(() => undefined);

/** A function's container; when it dies, all that it was at fails. */
interface Container {
  isDead: boolean;
}

/** What a container asks of a service meets faults, and its death. */
function line(container: Container, faults: Faults) {
  const dies = () => {
    if (!container.isDead && faults.happens('crash')) container.isDead = true;
    if (container.isDead) throw new Error(killed);
  };
  const lost = (why: string) => new AuctionError('unavailable', `${why}; what became of it can't be found out`);
  return async <T>(work: () => Promise<T>): Promise<T> => {
    dies();
    if (faults.happens('refused')) throw new AuctionError('unavailable', 'throttled');
    const later = (kind: 'slow' | 'late') =>
      new Promise((resolve) => setTimeout(resolve, faults.dice(kind).whole(1, 2000)));
    if (faults.happens('slow')) await later('slow');
    if (faults.happens('late')) {
      void later('late')
        .then(work)
        .catch(() => undefined);
      throw lost('no answer in time');
    }
    if (faults.happens('doubled')) await work().catch(() => undefined);
    const answer = await work();
    dies();
    if (faults.happens('unanswered')) throw lost('the answer was lost');
    return answer;
  };
}

function faultyTables(tables: Database, asked: ReturnType<typeof line>): Database {
  return {
    get: (...request) => asked(() => tables.get(...request)),
    getMany: (...request) => asked(() => tables.getMany(...request)),
    async *query(...request) {
      yield* await asked(async () => {
        const items: Item[] = [];
        for await (const item of tables.query(...request)) items.push(item);
        return items;
      });
    },
    put: (...request) => asked(() => tables.put(...request)),
    update: (...request) => asked(() => tables.update(...request)),
    putMany: (...request) => asked(() => tables.putMany(...request)),
    deleteMany: (...request) => asked(() => tables.deleteMany(...request)),
    transact: (...request) => asked(() => tables.transact(...request)),
  };
}

const faultyArchive = (archive: Archive, asked: ReturnType<typeof line>): Archive => ({
  write: (key, text) => asked(() => archive.write(key, text)),
  read: (key) => asked(() => archive.read(key)),
  list: (prefix) => asked(() => archive.list(prefix)),
});

/** The topic: what it has taken is heard. */
const topic = (heard: Notice[], asked: ReturnType<typeof line>) =>
  ({
    send: ({ input }: { input: { PublishBatchRequestEntries: { Message: string }[] } }) =>
      asked(async () => {
        for (const { Message } of input.PublishBatchRequestEntries) heard.push(JSON.parse(Message) as Notice);
        return {};
      }),
  }) as unknown as Parameters<typeof openNotices>[0]['client'];

const topics = {
  ...{ 'order-rejected': 't', 'order-left-out': 't', 'auction-failed': 't', 'auction-diagnosed': 't' },
  ...{ 'auction-cancelled': 't', 'auction-settled': 't' },
};

export function simulateCloud({ time, faults, plant }: SettingOptions): Setting {
  const tables = openMemoryTables(realistic);
  const archive = simulateArchive();
  const heard: Notice[] = [];
  let isStopped = false;

  /** A container with its ports; those of a container without faults have no line. */
  function open(isFaulty: boolean): { container: Container; ports: Ports } {
    const container: Container = { isDead: false };
    const asked = isFaulty ? line(container, faults) : <T>(work: () => Promise<T>) => work();
    const database = isFaulty ? faultyTables(tables, asked) : tables;
    const auctions = openAuctionStore(database, 'auctions', shards);
    const gates = { now: () => new Date(Date.now() - (plant?.lateMs ?? 0)) };
    const options = { ordersTable: 'orders', intakeTable: 'intake', patienceMs: 400, budgetMs: 5000 };
    const right: Ports = {
      ...{ clock: gates, markets: new Map(markets.map((market) => [market.market, market])), auctions },
      orders: openOrderStore({ database, auctions, clock: gates, ...options }),
      archive: faultyArchive(archive, asked),
      notices: openNotices({ client: topic(heard, asked), topics, database, table: 'intake', clock }),
      workflow: {
        start: (auction, run) => asked(() => service.start(auction, run)),
        find: (id) => asked(() => service.find(id)),
        list: (filter) => asked(() => service.list(filter)),
        history: (id) => asked(() => service.history(id)),
      },
      ...{ meter: openMeter(), signer: simulateSigner(), longestSearchMs: 60_000 },
    };
    return { container, ports: plant?.ports?.(right) ?? right };
  }

  const service = simulateWorkflow(faults, () => open(true).ports);
  const own = open(false).ports;
  const pool = Array.from({ length: width }, () => open(true));
  const some = (): Ports => {
    const at = faults.dice('slow').whole(0, width - 1);
    if (pool[at]!.container.isDead) pool[at] = open(true);
    return pool[at]!.ports;
  };
  const keep = async (): Promise<void> => {
    while (!isStopped) {
      await keepTime(some()).catch((error: Error) => {
        if (!(error instanceof KeepTimeError || error instanceof AuctionError || error.message === killed)) throw error;
      });
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  };
  return {
    process: () => ({ ports: some(), died: never }),
    own: () => own,
    start: async () => void keep(),
    restartAt: () => time.now(),
    objects: archive.objects,
    heard,
    isQuiet: () => true,
    mishaps: [],
    altered: new Set(),
    async stop() {
      isStopped = true;
      time.forgetTimers();
    },
  };
}

/** Executions by name: started once, each step done at least once, tried again as the workflow's file says. */
function simulateWorkflow(faults: Faults, open: () => Ports): Workflow {
  const machine = new StateMachine(localDefinition(), { validationOptions: { noValidate: true } });
  const executions = new Map<string, Execution>();
  const runTask = async (task: TaskName, input: unknown): Promise<unknown> => {
    try {
      return await runStep(faults, open, task, input);
    } catch (error) {
      const { name, message } = error as Error;
      // As Lambda names a function that has died.
      throw Object.assign(new Error(message), { name: message === killed ? 'Lambda.Unknown' : name });
    }
  };
  const handlers = Object.fromEntries(
    taskNames.map((name) => [name, async (input: unknown) => (await runTask(name, input)) as never]),
  );
  return {
    async start(auction, run) {
      const id = `${auction}-${run}`;
      if (executions.has(id)) return id;
      const started: Execution = { id, auction, status: 'running', startedAt: new Date().toISOString() };
      executions.set(id, started);
      const execution = machine.run(
        { auction, run },
        { overrides: { taskResourceLocalHandlers: handlers }, context: { Execution: { Id: id, Name: id } } },
      );
      const ended = (status: 'succeeded' | 'failed', cause?: string) =>
        executions.set(id, { ...started, status, endedAt: new Date().toISOString(), ...(cause && { cause }) });
      execution.result.then(
        () => ended('succeeded'),
        (error: Error) => ended('failed', error.message || 'it failed'),
      );
      return id;
    },
    find: async (id) => executions.get(id),
    list: async () => [...executions.values()],
    history: async () => [],
  };
}
