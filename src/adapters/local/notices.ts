/**
 * Outgoing notices: an outbox in the shared database, delivered to the log and, if there is one, to a webhook.
 *
 * A notice is durable when `send()` resolves and delivered at least once after that, across restarts. A webhook that fails is
 * tried again with growing pauses; past the last attempt the notice is `dead`, which the log says and the table keeps.
 *
 * Delivery goes in portions: some notices are handed over, what became of them is written in one transaction, others have the event
 * loop, and so on. While the database cannot be written (full disk, lock) the outcomes wait, and nothing more is handed over.
 */

import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Notice, Notices } from '../../auction/ports.ts';
import type { Meter } from '../../auction/views/metrics.ts';
import { limiter } from '../limiter.ts';
import type { Durability } from './durability.ts';
import { errorEntry, type Log } from './log.ts';
import { persistently } from './persistently.ts';
import { inTransaction } from './transaction.ts';
import { patient, unavailable } from './unavailable.ts';

export const noticeTables = `
  CREATE TABLE IF NOT EXISTS notices (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    state TEXT NOT NULL, -- waiting, delivered, dead
    attempts INTEGER NOT NULL DEFAULT 0,
    dueAt INTEGER NOT NULL, -- milliseconds since 1970; of one that does not wait: when that came about
    error TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS notices_waiting ON notices (dueAt) WHERE state = 'waiting';
  CREATE INDEX IF NOT EXISTS notices_ended ON notices (state, dueAt) WHERE state <> 'waiting';
`;

export interface Webhook {
  readonly url: string;
  /** Signs the body: header `merit-signature: sha256=<HMAC>`. */
  readonly secret?: string;
}

export interface NoticesOptions {
  readonly database: DatabaseSync;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly webhook?: Webhook;
  /** Pause before the second attempt; each further one is twice as long. */
  readonly firstPauseMs?: number;
  readonly mostAttempts?: number;
}

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
}

/** What an attempt came to. */
interface Outcome {
  readonly id: string;
  readonly state: 'waiting' | 'delivered' | 'dead';
  readonly attempts: number;
  readonly dueAt: number;
  readonly error: string | null;
}

/** Posts at a time. */
const width = 8;
/** Notices of one transaction: some milliseconds' worth, and of a webhook what a crash may make it hear twice. */
const portion = 64;
/** Notices that are written down before others have the event loop. */
const atOnce = 200;
const timeoutMs = 10_000;
/** The longest sleep: clocks get stepped. */
const longestMs = 60_000;

export function openNotices(options: NoticesOptions): Notices & { close(): Promise<void> } {
  const { database, durability, clock, log, meter, webhook, firstPauseMs = 1000, mostAttempts = 10 } = options;
  database.exec(noticeTables);
  const outbox = openOutbox(database);
  const stop = new AbortController();
  const limit = limiter(width);
  const wait = (what: string) => ({ log, what, stop: stop.signal });
  let woken = Promise.withResolvers<void>();

  const deliver = async ({ id, body, attempts }: Waiting): Promise<Outcome | undefined> => {
    try {
      if (webhook !== undefined) await post(webhook, id, body, stop.signal);
      else log({ event: 'notice', ...(JSON.parse(body) as Notice) });
      return { id, state: 'delivered', attempts: attempts + 1, dueAt: clock.now().getTime(), error: null };
    } catch (error) {
      if (stop.signal.aborted) return undefined;
      const dead = attempts + 1 >= mostAttempts;
      const dueAt = clock.now().getTime() + (dead ? 0 : firstPauseMs * 2 ** attempts);
      if (dead) meter.record('notices_undelivered', 1);
      log({ event: dead ? 'notice-dead' : 'notice-delayed', id, attempts: attempts + 1, error: errorEntry(error) });
      return { id, state: dead ? 'dead' : 'waiting', attempts: attempts + 1, dueAt, error: (error as Error).message };
    }
  };

  /** Until there is news, or something that was put off is due. */
  const sleep = async (): Promise<void> => {
    const at = await persistently(() => outbox.next(), wait('the look for the next notice'));
    const left = at === undefined ? longestMs : Math.min(Math.max(at - clock.now().getTime(), 1), longestMs);
    const timer = setTimeout(() => woken.resolve(), left);
    await woken.promise;
    clearTimeout(timer);
  };

  const run = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      woken = Promise.withResolvers<void>();
      const due = await persistently(() => outbox.due(clock.now().getTime()), wait('the look for notices'));
      if (due.length === 0) {
        await sleep();
        continue;
      }
      await durability.settled(); // what goes out is there after a loss of power too
      const outcomes = await Promise.all(due.map((notice) => limit(() => deliver(notice))));
      const ended = outcomes.filter((outcome) => outcome !== undefined);
      const record = async () => {
        outbox.write(ended);
        await durability.synced();
      };
      await persistently(record, wait('the record of delivered notices'));
      await turn();
    }
  };
  stop.signal.addEventListener('abort', () => woken.resolve(), { once: true });
  // It ends by `stop`, perhaps in the middle of waiting for room: what it had to write is delivered again at the next start.
  const running = run().catch((error: unknown) => log({ event: 'notices-held', error: errorEntry(error) }));

  return {
    ...patient({
      async send(notices: readonly Notice[]) {
        const now = clock.now().getTime();
        for (let first = 0; first < notices.length; first += atOnce) {
          if (first > 0) await turn();
          unavailable(() => outbox.put(notices.slice(first, first + atOnce), now));
        }
        await durability.synced();
        woken.resolve();
      },
    }),
    async close() {
      stop.abort();
      await running;
    },
  };
}

/** The table of notices; each write is one transaction. */
function openOutbox(database: DatabaseSync) {
  const insert = database.prepare(
    `INSERT INTO notices (id, body, state, dueAt) VALUES (?, ?, 'waiting', ?) ON CONFLICT DO NOTHING`,
  );
  const due = database.prepare(
    `SELECT id, body, attempts FROM notices WHERE state = 'waiting' AND dueAt <= ? ORDER BY dueAt LIMIT ${portion}`,
  );
  const next = database.prepare(`SELECT min(dueAt) AS at FROM notices WHERE state = 'waiting'`);
  const update = database.prepare('UPDATE notices SET state = ?, attempts = ?, dueAt = ?, error = ? WHERE id = ?');
  return {
    put: (notices: readonly Notice[], now: number) =>
      inTransaction(database, () => {
        for (const notice of notices) insert.run(notice.id, JSON.stringify(notice), now);
      }),
    due: (now: number) => due.all(now) as unknown as Waiting[],
    next: () => (next.get() as { at: number | null }).at ?? undefined,
    write: (outcomes: readonly Outcome[]) =>
      inTransaction(database, () => {
        for (const { id, state, attempts, dueAt, error } of outcomes) update.run(state, attempts, dueAt, error, id);
      }),
  };
}

async function post({ url, secret }: Webhook, id: string, body: string, stop: AbortSignal): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'idempotency-key': id,
      ...(secret && { 'merit-signature': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}` }),
    },
    signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}
