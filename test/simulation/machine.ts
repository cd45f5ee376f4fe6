/**
 * A simulated machine with a house on it: the adapters of one machine over real SQLite files, on a disk, a clock and a network that the
 * simulation has in its hands. The process may die at any call of a port; the next one finds the files as they were left.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { watchClock } from '../../src/adapters/local/clock.ts';
import type { Log } from '../../src/adapters/local/log.ts';
import { openMeter } from '../../src/adapters/local/meter.ts';
import { openNotices } from '../../src/adapters/local/notices.ts';
import { databaseName, openStore, type Store } from '../../src/adapters/local/stores.ts';
import { startTimekeeper } from '../../src/adapters/local/timekeeper.ts';
import { openWorkflow } from '../../src/adapters/local/workflow.ts';
import { NotTaken, type Poster } from '../../src/adapters/webhooks/post.ts';
import type { Notice, Ports } from '../../src/auction/ports.ts';
import { findAuction } from '../../src/auction/records/moves.ts';
import { failAuction } from '../../src/auction/steps/notify-failure.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { markets } from '../support/extreme-markets.ts';
import { simulateArchive } from './archive.ts';
import type { Process, Setting, SettingOptions } from './setting.ts';
import { simulateSigner } from './signer.ts';
import { runStep } from './steps.ts';

/** The house while it runs. */
interface LocalProcess extends Process {
  readonly own: Ports;
  readonly store: Store;
  isAlive: boolean;
}

const log: Log = () => undefined;
const never = new Promise<never>(() => undefined);

/** @param folder  empty, for this machine alone */
export function simulateMachine(folder: string, { time, faults, plant }: SettingOptions): Setting {
  const archive = simulateArchive();
  const heard: Notice[] = [];
  const altered = new Set<string>();
  let disk = join(folder, 'disk-0');
  let disks = 0;
  let standing: LocalProcess | undefined;
  const deaths = new WeakMap<LocalProcess, () => void>();
  let restartAt = time.now();
  /** Bytes of the write-ahead log that would survive a loss of power. */
  let synced = 0;
  fs.mkdirSync(disk);

  const logFile = () => join(disk, `${databaseName}-wal`);
  const logSize = () => fs.statSync(logFile(), { throwIfNoEntry: false })?.size ?? 0;
  const syncLog = (done: Done): void => {
    const size = logSize();
    const failed = faults.happens('sync-failed');
    const process = standing;
    setTimeout(() => {
      if (!failed && process?.isAlive) synced = Math.max(synced, size);
      done(failed ? Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }) : null);
    }, 3);
  };
  const restoreSync = replaceLogSync(syncLog, () => {
    synced = logSize();
  });
  const receive: Poster = async ({ url, body }) => {
    if (faults.happens('webhook-down')) {
      const dice = faults.dice('webhook-down');
      if (dice.isSo(0.5)) throw new NotTaken(url, dice.pick([500, 404, 429]));
      // It hears and does not answer: told again it hears twice.
      if (dice.isSo(0.5)) heard.push(JSON.parse(body) as Notice);
      throw new Error('ECONNRESET');
    }
    heard.push(JSON.parse(body) as Notice);
  };

  /** The files as the death leaves them; what the dead process still does reaches them no more. */
  function die(process: LocalProcess, kind: 'crash' | 'power-loss'): void {
    const [left, to] = [disk, join(folder, `disk-${++disks}`)];
    const size = logSize();
    fs.cpSync(left, to, { recursive: true, filter: (name) => !name.endsWith('-shm') });
    disk = to;
    if (kind === 'power-loss' && size > 0) {
      const torn = faults.dice(kind).isSo(0.5) ? faults.dice(kind).whole(0, size - synced) : 0;
      synced = Math.min(size, synced + torn);
      fs.truncateSync(logFile(), synced);
    }
    kill(process);
    fs.rmSync(left, { recursive: true });
    restartAt = time.now() + faults.dice(kind).whole(0, 30_000);
  }

  function kill(process: LocalProcess): void {
    process.isAlive = false;
    standing = undefined;
    time.forgetTimers();
    process.store.database.close();
    deaths.get(process)!();
  }

  /** A port whose calls meet faults. */
  function faulty<Port extends object>(process: () => LocalProcess, port: Port): Port {
    const point = () => {
      for (const kind of ['crash', 'power-loss'] as const)
        if (process().isAlive && faults.happens(kind)) die(process(), kind);
      return process().isAlive ? undefined : never;
    };
    const unavailable = (why: string) => new AuctionError('unavailable', why);
    const methods = Object.entries(port).map(([name, method]) => [
      name,
      async (...given: unknown[]) => {
        await point();
        if (faults.happens('refused')) throw unavailable(`${name} was refused`);
        if (faults.happens('slow'))
          await new Promise((resolve) => setTimeout(resolve, faults.dice('slow').whole(1, 5000)));
        const answer = (await (method as (...given: unknown[]) => unknown)(...given)) as unknown;
        await point();
        if (faults.happens('unanswered')) throw unavailable(`the answer of ${name} was lost`);
        return answer;
      },
    ]);
    return { ...port, ...Object.fromEntries(methods) } as Port;
  }

  async function fillDisk({ store: { database } }: LocalProcess): Promise<void> {
    if (!faults.happens('disk-full')) return;
    const { page_count } = database.prepare('PRAGMA page_count').get() as { page_count: number };
    database.exec(`PRAGMA max_page_count = ${page_count}`);
    const free = () => database.exec('PRAGMA max_page_count = 1000000');
    setTimeout(free, faults.dice('disk-full').whole(0, 60_000));
  }

  /** Until it is set right; whoever restarts the house sets it right first. */
  async function jumpClock(process: LocalProcess): Promise<void> {
    if (!faults.happens('clock-jump')) return;
    const dice = faults.dice('clock-jump');
    const by = dice.pick([-1, 1]) * dice.whole(5000, 3_600_000);
    time.jump(by);
    await Promise.race([new Promise((resolve) => setTimeout(resolve, dice.whole(1000, 30_000))), process.died]);
    time.jump(-by);
  }

  async function alterRow({ store: { database } }: LocalProcess, auction: string): Promise<void> {
    if (!faults.happens('altered-row')) return;
    const rows = database.prepare('SELECT sequence, body FROM entries WHERE auction = ? AND body IS NOT NULL');
    const there = rows.all(auction) as { sequence: number; body: string }[];
    const other = (body: string) =>
      body.includes('"side":"buy"')
        ? body.replace('"side":"buy"', '"side":"sell"')
        : body.replace('"side":"sell"', '"side":"buy"');
    const some = there.filter(({ body }) => other(body) !== body);
    if (some.length === 0) return;
    const { sequence, body } = faults.dice('altered-row').pick(some);
    const update = database.prepare('UPDATE entries SET body = ? WHERE auction = ? AND sequence = ?');
    update.run(other(body), auction, sequence);
    altered.add(auction);
  }

  const start = async (): Promise<void> => {
    const watched = watchClock({
      wall: () => Date.now(),
      monotonic: () => performance.now(),
      uptime: () => undefined,
    });
    const late = () => new Date(watched.gates.now().getTime() - (plant?.lateMs ?? 0));
    const clock = { ...watched, gates: { now: late } };
    const store = openStore(disk, clock, clock.gates);
    const { database, durability } = store;
    // The checkpoint is a thread's in a house; here the log is the only file that grows.
    database.exec('PRAGMA wal_autocheckpoint = 0');
    const { promise: died, resolve } = Promise.withResolvers<void>();
    const meter = openMeter();
    const webhook = { url: 'http://receiver.example/' };
    const notices = openNotices({
      ...{ database, durability, clock, log, meter, webhook },
      ...{ post: receive, mostAttempts: 1000 },
    });
    const workflow = openWorkflow({
      database,
      durability,
      clock,
      log,
      runTask: (task, input) => runStep(faults, () => ports, task, input),
    });
    const byId = new Map(markets.map((market) => [market.market, market]));
    const right: Ports = {
      ...{ clock, markets: byId, auctions: store.auctions, orders: store.orders, archive, notices, workflow, meter },
      signer: simulateSigner(),
      longestSearchMs: 60_000,
    };
    const own = plant?.ports?.(right, store) ?? right;
    const of = () => process;
    const ports: Ports = {
      ...own,
      auctions: faulty(of, own.auctions),
      orders: faulty(of, own.orders),
      archive: faulty(of, own.archive),
      notices: faulty(of, own.notices),
      workflow: faulty(of, own.workflow),
    };
    const process: LocalProcess = { ports, own, store, isAlive: true, died };
    deaths.set(process, resolve);
    standing = process;
    try {
      for (const { auction, fault } of store.damaged) {
        const { state, run } = await findAuction(own, auction);
        if (state === 'open') await failAuction(own, auction, run, `its intake is damaged: ${fault}`);
      }
    } catch (error) {
      // It ends with the machine's fault, and whoever looks after it starts it again.
      if (!(error instanceof AuctionError && error.code === 'unavailable')) throw error;
      if (process.isAlive) die(process, 'crash');
    }
    if (!process.isAlive) return;
    workflow.resume();
    startTimekeeper(ports, log, clock);
  };

  return {
    process: () => standing,
    own: () => standing?.own,
    start,
    restartAt: () => restartAt,
    objects: archive.objects,
    heard,
    isQuiet() {
      const waiting = standing?.store.database.prepare(`SELECT 1 FROM notices WHERE state = 'waiting'`).all();
      return waiting?.length === 0;
    },
    mishaps: [fillDisk, jumpClock, alterRow].map((happens) => async (auction: string) => {
      if (standing !== undefined) await happens(standing, auction);
    }),
    altered,
    async stop() {
      if (standing !== undefined) kill(standing);
      restoreSync();
    },
  };
}

type Done = (error: NodeJS.ErrnoException | null) => void;

/** Syncs of the write-ahead log in the hands of the simulation; other files need none. */
function replaceLogSync(sync: (done: Done) => void, syncNow: () => void): () => void {
  const { fdatasync, fdatasyncSync } = fs;
  const put = (beside: unknown, now: unknown) => {
    Object.assign(fs, { fdatasync: beside, fdatasyncSync: now });
    syncBuiltinESMExports();
  };
  const isLog = (fd: number) => fs.readlinkSync(`/proc/self/fd/${fd}`).endsWith('-wal');
  put(
    (fd: number, done: Done) => (isLog(fd) ? sync(done) : void setTimeout(done, 0, null)),
    (fd: number) => void (isLog(fd) && syncNow()),
  );
  return () => put(fdatasync, fdatasyncSync);
}
