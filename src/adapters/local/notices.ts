/**
 * Outgoing notices: an outbox in the shared database, delivered to the log and, if there is one, to a webhook.
 *
 * A notice is durable when `send()` resolves and delivered at least once after that, across restarts. A webhook that fails is
 * tried again with growing pauses; past the last attempt the notice is `dead`, which the log says and the table keeps.
 * Participants have webhooks of their own beside (`webhooks.ts`).
 */

import type { DatabaseSync } from 'node:sqlite';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Notice, Notices } from '../../auction/ports.ts';
import type { Meter } from '../../auction/views/metrics.ts';
import { limiter } from '../limiter.ts';
import { post as overTheNetwork, type Poster } from '../webhooks/post.ts';
import { signedHeaders } from '../webhooks/signature.ts';
import type { Durability } from './durability.ts';
import { errorEntry, type Log } from './log.ts';
import { startOutbox } from './outbox.ts';
import { inTransaction } from './transaction.ts';
import { patient, unavailable } from './unavailable.ts';
import type { LocalWebhooks } from './webhooks.ts';

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

/** The operator's own: it may lie anywhere, since nobody else says where. */
export interface HouseWebhook {
  readonly url: string;
  /** Signs each notice (`webhooks/signature.ts`). */
  readonly secret?: string;
}

export interface NoticesOptions {
  readonly database: DatabaseSync;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly webhook?: HouseWebhook;
  /** Told of each notice that is new, within the transaction that keeps it; then that it is kept. */
  readonly webhooks?: Pick<LocalWebhooks, 'fanOut' | 'wake'>;
  readonly post?: Poster;
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

export function openNotices(options: NoticesOptions): Notices & { close(): Promise<void> } {
  const { database, durability, clock, log, meter, webhook, webhooks } = options;
  const { post = overTheNetwork, firstPauseMs = 1000, mostAttempts = 10 } = options;
  database.exec(noticeTables);
  const outbox = openOutbox(database);
  const stop = new AbortController();
  const limit = limiter(width);

  const postTo = ({ url, secret }: HouseWebhook, id: string, body: string): Promise<void> => {
    const at = Math.floor(clock.now().getTime() / 1000);
    const keys = secret === undefined ? [] : [{ id: 'house', secret }];
    const headers = { ...signedHeaders({ id, at, body }, keys), 'idempotency-key': id };
    return post({ url, headers, body, stop: stop.signal, anywhere: true });
  };

  const deliver = async ({ id, body, attempts }: Waiting): Promise<Outcome | undefined> => {
    try {
      if (webhook !== undefined) await postTo(webhook, id, body);
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

  const loop = startOutbox<Waiting, Outcome>({
    what: 'notices',
    ...{ clock, log, durability, stop: stop.signal },
    ...{ due: outbox.due, next: outbox.next, write: outbox.write },
    deliver: (notice) => limit(() => deliver(notice)),
  });

  return {
    ...patient({
      async send(notices: readonly Notice[]) {
        const now = clock.now().getTime();
        for (let first = 0; first < notices.length; first += atOnce) {
          if (first > 0) await turn();
          unavailable(() => outbox.put(notices.slice(first, first + atOnce), now, webhooks));
        }
        await durability.synced();
        loop.wake();
        webhooks?.wake();
      },
    }),
    async close() {
      stop.abort();
      await loop.ended;
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
    put: (notices: readonly Notice[], now: number, webhooks: NoticesOptions['webhooks']) =>
      inTransaction(database, () => {
        const news = notices.filter((notice) => insert.run(notice.id, JSON.stringify(notice), now).changes > 0);
        if (news.length > 0) webhooks?.fanOut(news, now);
      }),
    due: (now: number) => due.all(now) as unknown as Waiting[],
    next: () => (next.get() as { at: number | null }).at ?? undefined,
    write: (outcomes: readonly Outcome[]) =>
      inTransaction(database, () => {
        for (const { id, state, attempts, dueAt, error } of outcomes) update.run(state, attempts, dueAt, error, id);
      }),
  };
}
