/** Executions of the workflow and their events, in two tables of the shared database. */

import type { DatabaseSync } from 'node:sqlite';
import type { Execution, ExecutionEvent } from '../../auction/ports.ts';
import { inTransaction } from './transaction.ts';

export const executionTables = `
  CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    auction TEXT NOT NULL,
    run INTEGER NOT NULL,
    status TEXT NOT NULL,
    startedAt TEXT NOT NULL,
    endedAt TEXT,
    cause TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS executions_by_auction ON executions (auction, number);
  CREATE TABLE IF NOT EXISTS execution_events (
    number INTEGER PRIMARY KEY,
    execution TEXT NOT NULL,
    at TEXT NOT NULL,
    type TEXT NOT NULL,
    state TEXT,
    detail TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS execution_events_by_execution ON execution_events (execution, number);
`;

export interface Started {
  readonly id: string;
  readonly auction: string;
  readonly run: number;
}

export type End = Required<Pick<Execution, 'status' | 'endedAt'>> & { readonly cause?: string };

/** Events and ends wait for the next flush, so that a busy workflow costs one write a turn of the event loop. */
export class ExecutionLog {
  readonly #database: DatabaseSync;
  readonly #waiting: { readonly id: string; readonly event: ExecutionEvent }[] = [];
  readonly #ended: { readonly id: string; readonly end: End }[] = [];

  constructor(database: DatabaseSync) {
    this.#database = database;
    database.exec(executionTables);
  }

  /** False when there is one of this id already. */
  begin({ id, auction, run }: Started, startedAt: string): boolean {
    const insert = this.#database.prepare(
      `INSERT INTO executions (id, auction, run, status, startedAt) VALUES (?, ?, ?, 'running', ?) ON CONFLICT DO NOTHING`,
    );
    return insert.run(id, auction, run, startedAt).changes === 1;
  }

  add(id: string, event: ExecutionEvent): void {
    this.#waiting.push({ id, event });
  }

  end(id: string, end: End): void {
    this.#ended.push({ id, end });
  }

  /** Write what waits. When this throws everything waits on. */
  flush(): void {
    if (this.#waiting.length === 0 && this.#ended.length === 0) return;
    const insert = this.#database.prepare(
      'INSERT INTO execution_events (execution, at, type, state, detail) VALUES (?, ?, ?, ?, ?)',
    );
    const update = this.#database.prepare('UPDATE executions SET status = ?, endedAt = ?, cause = ? WHERE id = ?');
    inTransaction(this.#database, () => {
      for (const { id, event } of this.#waiting) {
        const detail = event.detail === undefined ? null : JSON.stringify(event.detail);
        insert.run(id, event.at, event.type, event.state ?? null, detail);
      }
      for (const { id, end } of this.#ended) update.run(end.status, end.endedAt, end.cause ?? null, id);
    });
    this.#waiting.length = 0;
    this.#ended.length = 0;
  }

  running(): Started[] {
    const rows = this.#database.prepare(
      `SELECT id, auction, run FROM executions WHERE status = 'running' ORDER BY number`,
    );
    return rows.all() as unknown as Started[];
  }

  find(id: string): Execution | undefined {
    const row = this.#database.prepare(
      'SELECT id, auction, status, startedAt, endedAt, cause FROM executions WHERE id = ?',
    );
    const found = row.get(id);
    return found && (withoutNulls(found) as unknown as Execution);
  }

  /** Newest first. */
  list({ auction, limit = 100 }: { auction?: string; limit?: number } = {}): Execution[] {
    const rows = this.#database.prepare(
      `SELECT id, auction, status, startedAt, endedAt, cause FROM executions
       WHERE ?1 IS NULL OR auction = ?1 ORDER BY number DESC LIMIT ?2`,
    );
    return rows.all(auction ?? null, limit).map((row) => withoutNulls(row) as unknown as Execution);
  }

  history(id: string): ExecutionEvent[] | undefined {
    const known = this.#database.prepare('SELECT 1 FROM executions WHERE id = ?').get(id);
    if (known === undefined) return undefined;
    const rows = this.#database.prepare(
      'SELECT at, type, state, detail FROM execution_events WHERE execution = ? ORDER BY number',
    );
    const written = rows.all(id).map(({ detail, ...row }) => {
      const event = withoutNulls(row) as unknown as ExecutionEvent;
      return typeof detail === 'string' ? { ...event, detail: JSON.parse(detail) as unknown } : event;
    });
    return [...written, ...this.#waiting.filter((waiting) => waiting.id === id).map(({ event }) => event)];
  }
}

const withoutNulls = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
