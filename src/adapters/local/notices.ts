/**
 * Outgoing notices: an outbox in the shared database, delivered to the log and, if there is one, to a webhook.
 *
 * A notice is durable when `send()` resolves and delivered at least once after that, across restarts. A webhook that fails is
 * tried again with growing pauses; past the last attempt the notice is `dead`, which the log says and the table keeps.
 */

import { createHmac } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { Meter } from '../../auction/metrics.ts';
import type { Clock, Notice, Notices } from '../../auction/ports.ts';
import { errorEntry, type Log } from './log.ts';
import { unavailable } from './unavailable.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS notices (
    id TEXT PRIMARY KEY,
    body TEXT NOT NULL,
    state TEXT NOT NULL, -- waiting, delivered, dead
    attempts INTEGER NOT NULL DEFAULT 0,
    dueAt INTEGER NOT NULL, -- milliseconds since 1970
    error TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS notices_waiting ON notices (dueAt) WHERE state = 'waiting';
`;

export interface Webhook {
  readonly url: string;
  /** Signs the body: header `merit-signature: sha256=<HMAC>`. */
  readonly secret?: string;
}

export interface NoticesOptions {
  readonly database: DatabaseSync;
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

/** Posts at a time. */
const width = 8;
const timeoutMs = 10_000;

export function openNotices(options: NoticesOptions): Notices & { close(): Promise<void> } {
  const { database, clock, log, meter, webhook, firstPauseMs = 1000, mostAttempts = 10 } = options;
  database.exec(tables);
  const insert = database.prepare(
    `INSERT INTO notices (id, body, state, dueAt) VALUES (?, ?, 'waiting', ?) ON CONFLICT DO NOTHING`,
  );
  const due = database.prepare(
    `SELECT id, body, attempts FROM notices WHERE state = 'waiting' AND dueAt <= ? ORDER BY dueAt LIMIT ${width}`,
  );
  const next = database.prepare(`SELECT min(dueAt) AS at FROM notices WHERE state = 'waiting'`);
  const settle = database.prepare('UPDATE notices SET state = ?, attempts = ?, dueAt = ?, error = ? WHERE id = ?');
  const stop = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const deliver = async ({ id, body, attempts }: Waiting): Promise<void> => {
    try {
      if (webhook !== undefined) await post(webhook, id, body, stop.signal);
      else log({ event: 'notice', ...(JSON.parse(body) as Notice) });
      settle.run('delivered', attempts + 1, 0, null, id);
    } catch (error) {
      if (stop.signal.aborted) return;
      const dead = attempts + 1 >= mostAttempts;
      const dueAt = clock.now().getTime() + firstPauseMs * 2 ** attempts;
      settle.run(dead ? 'dead' : 'waiting', attempts + 1, dueAt, (error as Error).message, id);
      if (dead) meter.record('notices_undelivered', 1);
      log({ event: dead ? 'notice-dead' : 'notice-delayed', id, attempts: attempts + 1, error: errorEntry(error) });
    }
  };

  const deliverDue = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const batch = due.all(clock.now().getTime()) as unknown as Waiting[];
      if (batch.length === 0) return;
      await Promise.all(batch.map(deliver));
    }
  };

  const wake = (): void => {
    if (stop.signal.aborted || running !== undefined) return;
    running = deliverDue().finally(() => {
      running = undefined;
      if (stop.signal.aborted) return;
      const { at } = next.get() as { at: number | null };
      clearTimeout(timer);
      if (at !== null) timer = setTimeout(wake, Math.min(Math.max(at - clock.now().getTime(), 1), 60_000));
    });
  };
  wake();

  return {
    async send(notices) {
      const now = clock.now().getTime();
      unavailable(() => {
        database.exec('BEGIN IMMEDIATE');
        try {
          for (const notice of notices) insert.run(notice.id, JSON.stringify(notice), now);
          database.exec('COMMIT');
        } catch (error) {
          if (database.isTransaction) database.exec('ROLLBACK');
          throw error;
        }
      });
      wake();
    },
    async close() {
      stop.abort();
      clearTimeout(timer);
      await running;
    },
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
