/**
 * What a house deletes, and when: notices and the workflow's history some time after they are of use, unfinished files, and in a demo
 * all of an auction once enough others have been held after it. (Orders leave by `auction/schedule/keep-time.ts`, a day after their gate.)
 *
 * In small portions with turns for others between. SQLite uses the pages that become free again, so the file stays as large as the
 * most that was ever in it.
 */

import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../auction/ports.ts';
import type { Log } from './log.ts';
import { persistently } from './persistently.ts';
import { isMachineFault } from './unavailable.ts';

export interface Retention {
  /** Days that a delivered notice is kept, and the history of an execution that has ended. */
  readonly keepNotices: number;
  readonly keepHistory: number;
  /** So many of the auctions that have ended are kept, with all that is theirs; without it all of them. */
  readonly keepAuctions?: number;
}

export const usualRetention: Retention = { keepNotices: 7, keepHistory: 30 };
/** Notices that nobody took stay longer: somebody should look into them. */
const keepDeadDays = 90;

/** How much went. */
export type Pruned = Record<'notices' | 'events' | 'unfinished files' | 'auctions', number>;

export interface RetentionOptions {
  readonly database: DatabaseSync;
  /** Tells the store that all of an auction may go. */
  readonly forget: (auction: string) => void;
  /** The folder of the archive. */
  readonly archive: string;
  readonly clock: Clock;
  readonly retention: Retention;
}

/** Rows of one transaction: some milliseconds' worth. */
const portion = 500;
const dayMs = 24 * 3_600_000;
/** Whoever writes a file is done with it long before. */
const unfinishedMs = 3_600_000;

export async function prune({ database, forget, archive, clock, retention }: RetentionOptions): Promise<Pruned> {
  const { keepNotices, keepHistory, keepAuctions } = retention;
  const before = (days: number) => clock.now().getTime() - days * dayMs;
  const some = (sql: string, ...values: (string | number)[]) => inPortions(database, sql, values);
  /** Of notices, or of messages to webhooks of participants. */
  const ofTable = async (table: 'notices' | 'webhook_messages') => {
    const ended = `SELECT id FROM ${table} WHERE state <> 'waiting' AND state = ? AND dueAt < ?`; // so said it has an index
    const gone = (state: string, days: number) =>
      some(`DELETE FROM ${table} WHERE id IN (${ended} LIMIT ${portion})`, state, before(days));
    return (await gone('delivered', keepNotices)) + (await gone('dead', keepDeadDays));
  };
  return {
    notices: (await ofTable('notices')) + (await ofTable('webhook_messages')),
    events: await some(
      `DELETE FROM execution_events WHERE number IN (
         SELECT execution_events.number FROM executions JOIN execution_events ON execution = executions.id
         WHERE endedAt < ? LIMIT ${portion})`,
      new Date(before(keepHistory)).toISOString(),
    ),
    'unfinished files': await removeUnfinished(archive, Date.now() - unfinishedMs),
    auctions: keepAuctions === undefined ? 0 : await forgetAll({ database, forget, archive }, keepAuctions),
  };
}

async function inPortions(database: DatabaseSync, sql: string, values: readonly (string | number)[]): Promise<number> {
  const statement = database.prepare(sql);
  let gone = 0;
  for (;;) {
    const changes = Number(statement.run(...values).changes);
    gone += changes;
    if (changes === 0) return gone;
    await turn();
  }
}

/** `.part` files of a process that died while it wrote. */
async function removeUnfinished(archive: string, before: number): Promise<number> {
  const entries = await readdir(archive, { recursive: true, withFileTypes: true }).catch(nothing);
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.part'));
  let gone = 0;
  for (const { parentPath, name } of files) {
    const file = join(parentPath, name);
    if ((await stat(file)).mtimeMs >= before) continue;
    await rm(file);
    gone++;
  }
  return gone;
}

const nothing = (error: unknown) => {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
};

/** All of the auctions that have ended but for the newest: first their files, then their rows, so that a crash leaves none half. */
async function forgetAll(
  { database, forget, archive }: Pick<RetentionOptions, 'database' | 'forget' | 'archive'>,
  keep: number,
): Promise<number> {
  const old = database
    .prepare(
      `SELECT id FROM auctions WHERE state IN ('settled', 'cancelled') AND NOT EXISTS (
         SELECT 1 FROM executions WHERE auction = auctions.id AND status = 'running')
       ORDER BY gateClosure DESC, id LIMIT -1 OFFSET ?`,
    )
    .all(keep) as { id: string }[];
  for (const { id } of old) {
    forget(id);
    for (const kind of ['books', 'results', 'diagnoses', 'exclusions'])
      for (const { name } of await readdir(join(archive, kind), { withFileTypes: true }).catch(nothing))
        if (name === `${id}.json` || name.startsWith(`${id}.run-`))
          await rm(join(archive, kind, name), { force: true });
    for (const kind of ['orders', 'checkpoints']) await rm(join(archive, kind, id), { recursive: true, force: true });
    await forgetRows(database, id);
  }
  return old.length;
}

/** The auction itself last: until then the next time begins with it again. */
async function forgetRows(database: DatabaseSync, id: string): Promise<void> {
  const some = (sql: string, ...values: string[]) => inPortions(database, sql, values);
  for (const kind of ['order-rejected', 'order-left-out', 'auction-settled', 'auction-cancelled', 'auction-failed'])
    await some(
      `DELETE FROM notices WHERE id IN (
         SELECT id FROM notices WHERE (id = ?1 OR (id > ?2 AND id < ?3)) AND state <> 'waiting' LIMIT ${portion})`,
      `${kind}:${id}`,
      `${kind}:${id}:`,
      `${kind}:${id};`, // the character after the colon
    );
  await some(
    `DELETE FROM entries WHERE auction = ?1 AND sequence IN (SELECT sequence FROM entries WHERE auction = ?1 LIMIT ${portion})`,
    id,
  );
  await some(
    `DELETE FROM execution_events WHERE number IN (
       SELECT execution_events.number FROM executions JOIN execution_events ON execution = executions.id WHERE auction = ? LIMIT ${portion})`,
    id,
  );
  await some('DELETE FROM executions WHERE auction = ?', id);
  await some('DELETE FROM auctions WHERE id = ?', id);
}

/** Once an hour; where auctions go, once a minute, since they come as often. The first time at once. */
export function startRetention(options: RetentionOptions & { readonly log: Log }): { stop(): Promise<void> } {
  const { log, retention } = options;
  const stop = new AbortController();
  const everyMs = retention.keepAuctions === undefined ? 3_600_000 : 60_000;
  const run = async () => {
    while (!stop.signal.aborted) {
      const pruned = await persistently(() => prune(options), {
        log,
        what: 'the deletion of what is old',
        stop: stop.signal,
        mostMs: 600_000,
      });
      if (Object.values(pruned).some((count) => count > 0)) log({ event: 'pruned', ...pruned });
      await sleep(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run().catch((error: unknown) => {
    if (!isMachineFault(error)) log({ event: 'pruning-stopped', error: String(error) });
  });
  return {
    async stop() {
      stop.abort();
      await running;
    },
  };
}
