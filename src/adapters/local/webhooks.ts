/**
 * Webhooks of participants in the shared database: a queue of messages for each, and a loop of its own that delivers them, so that nobody waits
 * for somebody else's receiver.
 *
 * A message comes into being in the transaction that keeps the notice it tells of, and goes out at least once after that, across restarts:
 * under one id, at most two at a time, in no promised order, with pauses that grow to six hours. Past the last attempt it is `dead` and
 * stays where its owner finds it and has it sent again.
 */

import { randomBytes } from 'node:crypto';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { Clock, Notice } from '../../auction/ports.ts';
import type { Meter } from '../../auction/views/metrics.ts';
import {
  type Delivery,
  type Message,
  messagesFor,
  type Webhook,
  type WebhookKind,
  type Webhooks,
  type WebhookWithSecret,
  webhookKinds,
} from '../../auction/webhooks.ts';
import { AuctionError } from '../../market/errors.ts';
import { utc } from '../../market/time.ts';
import { limiter } from '../limiter.ts';
import type { SendMail } from '../mail.ts';
import { checkAddress } from '../webhooks/addresses.ts';
import { NotTaken, type Post, post } from '../webhooks/post.ts';
import { newSecret, type SigningKey, signedHeaders } from '../webhooks/signature.ts';
import type { Durability } from './durability.ts';
import { errorEntry, type Log } from './log.ts';
import { type Outbox, startOutbox } from './outbox.ts';
import { inTransaction } from './transaction.ts';
import { patient } from './unavailable.ts';

export const webhookTables = `
  CREATE TABLE IF NOT EXISTS webhooks (
    id TEXT PRIMARY KEY,
    participant TEXT NOT NULL,
    url TEXT NOT NULL,
    kinds TEXT NOT NULL,
    keys TEXT NOT NULL, -- the newest first, each with its secret
    createdAt INTEGER NOT NULL -- milliseconds since 1970, as all times here
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS webhook_messages (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    webhook TEXT NOT NULL,
    kind TEXT NOT NULL,
    auction TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL, -- waiting, delivered, dead
    attempts INTEGER NOT NULL DEFAULT 0,
    createdAt INTEGER NOT NULL,
    dueAt INTEGER NOT NULL, -- of one that does not wait: when that came about
    error TEXT
  ) STRICT;
  CREATE INDEX IF NOT EXISTS webhook_messages_of ON webhook_messages (webhook, number);
  CREATE INDEX IF NOT EXISTS webhook_messages_waiting ON webhook_messages (webhook, dueAt) WHERE state = 'waiting';
  CREATE INDEX IF NOT EXISTS webhook_messages_ended ON webhook_messages (state, dueAt) WHERE state <> 'waiting';
`;

/** Its owner tells it to nobody, so it is not read from the database with the rest. */
interface Key extends SigningKey {
  /** Signs beside newer ones until then (milliseconds since 1970). */
  readonly until?: number;
}

interface Known {
  readonly id: string;
  readonly participant: string;
  readonly url: string;
  readonly kinds: readonly WebhookKind[];
  readonly keys: readonly Key[];
  readonly createdAt: number;
}

export interface WebhooksOptions {
  readonly database: DatabaseSync;
  readonly durability: Durability;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  /** Tells the operator of auctions that failed or were called off. */
  readonly mail?: SendMail;
  /** Whether webhooks may lie on any address, and without TLS: the operator's decision. */
  readonly anywhere?: boolean;
  readonly lookup?: Post['lookup'];
  /** Pause before the second attempt; each further one is four times as long, six hours at most. */
  readonly firstPauseMs?: number;
  readonly mostAttempts?: number;
}

export interface LocalWebhooks extends Webhooks {
  /** Keep the messages that these notices make. Within a transaction of the caller, whose notices they are. */
  fanOut(news: readonly Notice[], now: number): void;
  /** The messages that were kept are there: look for them. */
  wake(): void;
  close(): Promise<void>;
}

const mostOfOne = 5;
/** Messages to one webhook at a time, and to all. */
const width = 2;
const widthOfAll = 64;
/** More messages than this do not wait for a receiver: they are dead at once. */
const mostWaiting = 10_000;
const longestPauseMs = 6 * 3_600_000;
/** How long an older key signs beside the new one. */
const overlapMs = 24 * 3_600_000;
const gone = 410;

const newId = (kind: 'wh' | 'msg' | 'key'): string => `${kind}_${randomBytes(kind === 'key' ? 4 : 12).toString('hex')}`;

/** Has a queue and a loop as webhooks have, and no row among them: the settings say whether it is there. */
const operatorsMail: Known = {
  ...{ id: 'mail', participant: '', url: '', keys: [], createdAt: 0 },
  kinds: ['auction-failed', 'auction-cancelled'],
};

/** What became of a message. */
interface Outcome extends Pick<Delivery, 'id' | 'state' | 'attempts'> {
  readonly dueAt: number;
  readonly error: string | null;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: its methods, each short, share one table
export function openWebhooks(options: WebhooksOptions): LocalWebhooks {
  const { database, durability, clock, log, meter, mail, anywhere = false, lookup } = options;
  const { firstPauseMs = 5000, mostAttempts = 10 } = options;
  database.exec(webhookTables);
  const table = openTable(database);
  const known = new Map<string, Known>(table.all().map((webhook) => [webhook.id, webhook]));
  if (mail !== undefined) known.set(operatorsMail.id, operatorsMail);
  const loops = new Map<string, { readonly outbox: Outbox; readonly stop: AbortController }>();
  const limitAll = limiter(widthOfAll);
  const now = () => clock.now().getTime();

  const deliver = async (
    id: string,
    { body, ...waiting }: Waiting,
    stop: AbortSignal,
  ): Promise<Outcome | undefined> => {
    const attempts = waiting.attempts + 1;
    const { url, keys } = known.get(id)!;
    try {
      const at = Math.floor(now() / 1000);
      const signing = keys.filter(({ until }) => until === undefined || until > now());
      const headers = {
        ...signedHeaders({ id: waiting.id, at, body }, signing),
        'webhook-delivery': `${waiting.id}.${attempts}`,
      };
      if (id === operatorsMail.id) await mail!(waiting.id, JSON.parse(body) as Message);
      else await post({ url, headers, body, stop, anywhere, lookup });
      return { id: waiting.id, state: 'delivered', attempts, dueAt: now(), error: null };
    } catch (error) {
      if (stop.aborted) return undefined;
      const isDead = attempts >= mostAttempts || (error instanceof NotTaken && error.status === gone);
      if (isDead) meter.record('webhook_messages_undelivered', 1);
      if (isDead) log({ event: 'webhook-dead', webhook: id, message: waiting.id, attempts, error: errorEntry(error) });
      const pause = Math.min(firstPauseMs * 4 ** (attempts - 1), longestPauseMs);
      const state = isDead ? 'dead' : 'waiting';
      return { id: waiting.id, state, attempts, dueAt: now() + (isDead ? 0 : pause), error: (error as Error).message };
    }
  };

  const start = ({ id }: Known): void => {
    const stop = new AbortController();
    const limit = limiter(width);
    const outbox = startOutbox<Waiting, Outcome>({
      what: 'webhooks',
      ...{ clock, log, durability, stop: stop.signal },
      due: (at) => table.due(id, at),
      next: () => table.next(id),
      write: table.write,
      deliver: (waiting) => limit(() => limitAll(() => deliver(id, waiting, stop.signal))),
    });
    loops.set(id, { outbox, stop });
  };
  for (const webhook of known.values()) start(webhook);

  const find = (participant: string, id: string): Known => {
    const webhook = known.get(id);
    if (webhook?.participant !== participant) throw new AuctionError('not-found', `there is no webhook ${id}`);
    return webhook;
  };
  const keep = async (webhook: Known): Promise<WebhookWithSecret> => {
    table.put(webhook);
    known.set(webhook.id, webhook);
    await durability.synced();
    return { ...viewOf(webhook, now()), secret: webhook.keys[0]!.secret };
  };
  const ofOne = (participant: string) => [...known.values()].filter((webhook) => webhook.participant === participant);

  return {
    ...patient({
      async add(participant: string, { url, kinds = webhookKinds, secret = newSecret() }) {
        await checkAddress(url, { anywhere, lookup });
        if (ofOne(participant).length >= mostOfOne)
          throw new AuctionError('conflict', `you have ${mostOfOne} webhooks, which is as many as one may have`);
        const webhook = { id: newId('wh'), participant, url, kinds, keys: [{ id: newId('key'), secret }] };
        const added = await keep({ ...webhook, createdAt: now() });
        start(known.get(added.id)!);
        return added;
      },
      list: async (participant) => ofOne(participant).map((webhook) => viewOf(webhook, now())),
      async remove(participant, id) {
        find(participant, id);
        const { outbox, stop } = loops.get(id)!;
        stop.abort();
        await outbox.ended;
        table.remove(id);
        known.delete(id);
        loops.delete(id);
        await durability.synced();
      },
      async rotate(participant, id, secret = newSecret()) {
        const webhook = find(participant, id);
        const before = webhook.keys.filter(({ until }) => until === undefined || until > now());
        const older = before.map((key) => ({ until: now() + overlapMs, ...key }));
        return keep({ ...webhook, keys: [{ id: newId('key'), secret }, ...older] });
      },
      async deliveries(participant, id, page) {
        find(participant, id);
        return table.deliveries(id, page);
      },
      async replay(participant, id, messages) {
        find(participant, id);
        const count = table.replay(id, messages, now());
        await durability.synced();
        loops.get(id)!.outbox.wake();
        return count;
      },
    } satisfies Webhooks),
    fanOut(news, at) {
      if (known.size === 0) return;
      const own = Map.groupBy(news, (notice) => ('participant' in notice ? notice.participant : undefined));
      const forAll = own.get(undefined) ?? [];
      for (const { id, participant, kinds } of known.values())
        for (const message of messagesFor(participant, kinds, [...(own.get(participant) ?? []), ...forAll]))
          table.add(id, message, at);
    },
    wake() {
      for (const { outbox } of loops.values()) outbox.wake();
    },
    async close() {
      for (const { stop } of loops.values()) stop.abort();
      await Promise.all([...loops.values()].map(({ outbox }) => outbox.ended));
    },
  };
}

const viewOf = ({ id, url, kinds, keys, createdAt }: Known, now: number): Webhook => ({
  id,
  url,
  kinds: [...kinds],
  createdAt: utc(createdAt),
  keys: keys
    .filter(({ until }) => until === undefined || until > now)
    .map((key) => ({ id: key.id, ...(key.until !== undefined && { until: utc(key.until) }) })),
});

interface Waiting {
  readonly id: string;
  readonly body: string;
  readonly attempts: number;
}

type DeliveryRow = Omit<Delivery, 'createdAt' | 'dueAt' | 'error'> & {
  readonly createdAt: number;
  readonly dueAt: number;
  readonly error: string | null;
};

const deliveryOf = ({ createdAt, dueAt, error, ...row }: DeliveryRow): Delivery => ({
  ...row,
  createdAt: utc(createdAt),
  dueAt: utc(dueAt),
  ...(error !== null && { error }),
});

/** The two tables. */
function openTable(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  const put = prepare(
    'INSERT OR REPLACE INTO webhooks (id, participant, url, kinds, keys, createdAt) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const insert = prepare(
    `INSERT INTO webhook_messages (id, webhook, kind, auction, body, state, createdAt, dueAt, error)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const waiting = prepare(`SELECT count(*) AS count FROM webhook_messages WHERE webhook = ? AND state = 'waiting'`);
  const due = prepare(
    `SELECT id, body, attempts FROM webhook_messages WHERE webhook = ? AND state = 'waiting' AND dueAt <= ?
     ORDER BY dueAt LIMIT ${width * 4}`,
  );
  const next = prepare(`SELECT min(dueAt) AS at FROM webhook_messages WHERE webhook = ? AND state = 'waiting'`);
  const update = prepare('UPDATE webhook_messages SET state = ?, attempts = ?, dueAt = ?, error = ? WHERE id = ?');
  const again = `UPDATE webhook_messages SET state = 'waiting', attempts = 0, dueAt = ?, error = NULL WHERE webhook = ? AND`;
  const columns = 'id, kind, auction, state, attempts, createdAt, dueAt, error';
  return {
    all: (): Known[] =>
      (prepare('SELECT * FROM webhooks').all() as Record<string, SQLInputValue>[]).map(
        ({ kinds, keys, ...row }) =>
          ({ ...row, kinds: JSON.parse(kinds as string), keys: JSON.parse(keys as string) }) as Known,
      ),
    put: ({ id, participant, url, kinds, keys, createdAt }: Known) =>
      void put.run(id, participant, url, JSON.stringify(kinds), JSON.stringify(keys), createdAt),
    remove: (id: string) =>
      inTransaction(database, () => {
        prepare('DELETE FROM webhook_messages WHERE webhook = ?').run(id);
        prepare('DELETE FROM webhooks WHERE id = ?').run(id);
      }),
    add(webhook: string, message: Message, now: number): void {
      const isFull = (waiting.get(webhook) as { count: number }).count >= mostWaiting;
      const [state, error] = isFull ? ['dead', `${mostWaiting} messages are waiting already`] : ['waiting', null];
      const { type, data } = message;
      const body = JSON.stringify(message);
      insert.run(newId('msg'), webhook, type, data.auction as string, body, state!, now, now, error!);
    },
    due: (webhook: string, now: number) => due.all(webhook, now) as unknown as Waiting[],
    next: (webhook: string) => (next.get(webhook) as { at: number | null }).at ?? undefined,
    write: (outcomes: readonly Outcome[]) =>
      inTransaction(database, () => {
        for (const { id, state, attempts, dueAt, error } of outcomes) update.run(state, attempts, dueAt, error, id);
      }),
    deliveries(webhook: string, { state, limit }: { state?: Delivery['state']; limit: number }): Delivery[] {
      const where = state === undefined ? '' : 'AND state = ?';
      const query = prepare(
        `SELECT ${columns} FROM webhook_messages WHERE webhook = ? ${where} ORDER BY number DESC LIMIT ?`,
      );
      const rows = query.all(webhook, ...(state === undefined ? [] : [state]), limit);
      return (rows as unknown as DeliveryRow[]).map((row) => deliveryOf({ ...row }));
    },
    replay(webhook: string, messages: readonly string[] | undefined, now: number): number {
      if (messages === undefined) return Number(prepare(`${again} state = 'dead'`).run(now, webhook).changes);
      const one = prepare(`${again} state <> 'waiting' AND id = ?`);
      return inTransaction(database, () =>
        messages.reduce((count, id) => count + Number(one.run(now, webhook, id).changes), 0),
      );
    },
  };
}
