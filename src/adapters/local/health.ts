/**
 * What the house knows of its own state: it looks every two seconds, and whoever asks hears what the last look found, so that nobody waits
 * for the disk. A look that does not come back says so itself.
 *
 * `failing` is what keeps it from its promises now: orders are refused, or gates stand still. `warning` is what will, or what a person has
 * to look at. The same figures are metrics, by which alarms go.
 */

import { statfs } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import { type Auction, inWorkflow } from '../../auction/auction.ts';
import type { Ports } from '../../auction/ports.ts';
import { overdueSeconds } from '../../auction/schedule/keep-time.ts';
import type { Finding } from '../../auction/views/health.ts';
import type { Meter } from '../../auction/views/metrics.ts';
import type { Durability } from './durability.ts';

export interface HealthOptions {
  /** The data folder. */
  readonly folder: string;
  readonly database: DatabaseSync;
  readonly durability: Pick<Durability, 'synced'>;
  readonly ports: Pick<Ports, 'auctions' | 'clock' | 'meter'>;
  /** What else may be wrong, by name. */
  readonly faults: Readonly<Record<string, { readonly fault: () => string | undefined; readonly todo: string }>>;
  /** What else is looked at. */
  readonly others?: readonly (() => Finding)[];
}

export interface HealthWatch {
  /** What the last look that is over found; the first is waited for. */
  findings(): Promise<readonly Finding[]>;
  close(): void;
}

const everyMs = 2000;
/** A disk that has not answered for so long is told as failing: and the pause between two looks: it is told within five seconds. */
const silentMs = 2000;
/** A gate that is not dealt with so long after its time is overdue: the timekeeper looks each second. */
const lateGateSeconds = 5;
/** From then on somebody should look why there is no result yet. */
const lateResultSeconds = 900;
/** Attempts after which a notice is no longer just late. */
const manyAttempts = 4;
const slowLoopMs = 500;

export function watchHealth(options: HealthOptions): HealthWatch {
  const { folder, database, durability, ports, faults, others = [] } = options;
  const { auctions, clock, meter } = ports;
  const loop = monitorEventLoopDelay({ resolution: 20 });
  loop.enable();

  const look = async (): Promise<readonly Finding[]> => {
    const now = clock.now();
    const unsettled = await auctions.list({ states: [...inWorkflow, 'failed'] });
    return [
      writing(await whyNotWritten(database, durability, now), meter),
      await room(folder, meter),
      gates(overdueSeconds(await auctions.list({ states: ['scheduled', 'open'] }), now.getTime())),
      results(unsettled, now.getTime()),
      notices(database, meter),
      eventLoop(loop, meter),
      ...Object.entries(faults).map(([name, { fault, todo }]) => ok(name, fault(), 'failing', todo)),
      ...others.map((finding) => finding()),
    ];
  };

  /** What goes wrong in looking is told to whoever asks. */
  let last: Promise<readonly Finding[]>;
  let lookingSince: number | undefined;
  const begin = (): Promise<readonly Finding[]> => {
    lookingSince = performance.now();
    const looking = look();
    const over = () => {
      last = looking;
      lookingSince = undefined;
    };
    looking.then(over, over);
    return looking;
  };
  last = begin();
  const timer = setInterval(() => {
    if (lookingSince === undefined) void begin();
  }, everyMs);
  return {
    async findings() {
      const ms = lookingSince === undefined ? 0 : performance.now() - lookingSince;
      if (ms < silentMs) return last;
      const silent = writing(`the disk has not answered for ${Math.round(ms / 1000)} s`, meter);
      return [silent, ...(await stale(last)).filter(({ name }) => name !== silent.name)];
    },
    close() {
      clearInterval(timer);
      loop.disable();
    },
  };
}

/** The last look where it is over: the first may be the one that hangs. */
const stale = (last: Promise<readonly Finding[]>): Promise<readonly Finding[]> =>
  Promise.race([last.catch(() => []), turn([])]);

/** Nothing found is fine. */
const ok = (name: string, found: string | undefined, otherwise: 'warning' | 'failing', todo: string): Finding =>
  found === undefined ? { name, status: 'ok', found: 'as it should be' } : { name, status: otherwise, found, todo };

/** A row of its own, durably, as an order is written. */
async function whyNotWritten(
  database: DatabaseSync,
  durability: HealthOptions['durability'],
  now: Date,
): Promise<string | undefined> {
  try {
    database.exec('CREATE TABLE IF NOT EXISTS health (id INTEGER PRIMARY KEY CHECK (id = 1), at TEXT NOT NULL) STRICT');
    database
      .prepare('INSERT INTO health (id, at) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at')
      .run(now.toISOString());
    await durability.synced();
    return undefined;
  } catch (error) {
    return `the database takes nothing: ${(error as Error).message}`;
  }
}

function writing(why: string | undefined, meter: Meter): Finding {
  meter.record('store_writable', why === undefined ? 1 : 0);
  return ok(
    'writing',
    why,
    'failing',
    'Orders are refused with 503 and nothing is lost. Make room on the disk, or end the program that holds the database; the house goes on by itself.',
  );
}

async function room(folder: string, meter: Meter): Promise<Finding> {
  const seen = await statfs(folder).catch((error: Error) => error);
  if (seen instanceof Error) {
    const todo = 'The data folder, or its file system, is gone: see `data folder`.';
    return { name: 'disk space', status: 'failing', found: seen.message, todo };
  }
  const { bavail, blocks, bsize } = seen;
  meter.record('disk_free_bytes', bavail * bsize);
  return diskSpace(bavail * bsize, blocks * bsize);
}

/** Of `all` bytes of a file system so many are free. */
export function diskSpace(free: number, all: number): Finding {
  const share = Math.floor((100 * free) / Math.max(all, 1));
  const found = `${(free / 1e6).toFixed(0)} MB of ${(all / 1e6).toFixed(0)} MB are free (${share} %)`;
  const todo = 'Make room: `merit prune` deletes what has had its time, and docs/operate.md says what may go.';
  // Small file systems have little to spare: what counts there is the share.
  if (free < Math.min(20e6, all * 0.02)) return { name: 'disk space', status: 'failing', found, todo };
  if (free < Math.min(1e9, all * 0.1)) return { name: 'disk space', status: 'warning', found, todo };
  return { name: 'disk space', status: 'ok', found };
}

const gates = (seconds: number): Finding =>
  ok(
    'gates',
    seconds > lateGateSeconds ? `a gate has been overdue for ${Math.round(seconds)} s` : undefined,
    'failing',
    'The log says why (`timekeeping-failed`). Orders after a gate’s time are refused all the same.',
  );

function results(auctions: readonly Auction[], now: number): Finding {
  const name = 'results';
  const failed = auctions.filter(({ state }) => state === 'failed').map(({ id }) => id);
  if (failed.length > 0)
    return {
      name,
      status: 'warning',
      found: `${failed.slice(0, 3).join(', ')}${failed.length > 3 ? ` and ${failed.length - 3} more` : ''}: failed`,
      todo: `\`merit auctions diagnosis ${failed[0]}\` says why; then restart or cancel it.`,
    };
  const waits = auctions.map(({ gateClosure }) => (now - Date.parse(gateClosure)) / 1000);
  const longest = Math.max(0, ...waits);
  return ok(
    name,
    longest > lateResultSeconds ? `an auction has had no result for ${Math.round(longest / 60)} minutes` : undefined,
    'warning',
    '`merit executions` says where it is; `clearing` in the market’s file limits a search.',
  );
}

function notices(database: DatabaseSync, meter: Meter): Finding {
  const row = database.prepare(
    `SELECT count(*) AS waiting, coalesce(max(attempts), 0) AS attempts FROM notices WHERE state = 'waiting'`,
  );
  const { waiting, attempts } = row.get() as { waiting: number; attempts: number };
  meter.record('notices_waiting', waiting);
  return ok(
    'notices',
    attempts >= manyAttempts ? `${waiting} notices wait, one was tried ${attempts} times` : undefined,
    'warning',
    'Whoever takes the webhook does not answer 2xx; the log has what it answers (`notice-delayed`).',
  );
}

/** Since the last look. */
function eventLoop(loop: ReturnType<typeof monitorEventLoopDelay>, meter: Meter): Finding {
  const ms = loop.max / 1e6;
  loop.reset();
  meter.record('event_loop_delay_milliseconds', ms);
  return ok(
    'event loop',
    ms > slowLoopMs ? `the server did nothing else for ${Math.round(ms)} ms` : undefined,
    'warning',
    'The machine is overloaded, or its disk slow: everything waits for the disk in a write.',
  );
}
