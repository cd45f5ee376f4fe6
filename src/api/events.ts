/**
 * `GET /events`: what happens, as server-sent events (HTML Living Standard, 9.2). The server on one machine has it; in the cloud a client asks again by
 * tag (docs/aws.md).
 *
 * A stream reads the log at its reader's pace: nothing is kept for a reader but its place, so one that is slow costs nothing, and one that
 * stops is cut. Whoever falls behind what is kept, or comes back from an earlier process, is told to read again (`resync`).
 */

import type { Context } from 'hono';
import * as z from 'zod';
import type { Identity } from '../access/identity.ts';
import { listOrders } from '../auction/intake/find-order.ts';
import type { Ports } from '../auction/ports.ts';
import type { EventLog, HouseEvent, NumberedEvent } from '../auction/views/events.ts';
import { auctionId } from '../market/book.ts';
import { marketId } from '../market/terms.ts';
import { answerProblem } from './problems.ts';
import { type Route, route } from './route.ts';

export interface EventsOptions {
  readonly log: EventLog;
  /** Ends all streams, and lets no more begin. */
  readonly stop: AbortSignal;
  /** Where a request comes from, and what cuts its connection. */
  readonly addressOf: (c: Context) => string;
  readonly cut: (c: Context) => void;
  /** Streams of one client, or of one address without a token, and of all. */
  readonly mostOfOne?: number;
  readonly most?: number;
  /** A comment is sent that often, so that nobody on the way takes the connection for dead. */
  readonly heartbeatMs?: number;
  /** A reader that takes nothing for so long is cut. */
  readonly stallMs?: number;
  /** A stream ends after this, and its client comes back: with a token that holds then. */
  readonly longestMs?: number;
}

/** Own orders whose outcomes are told in one event; the rest is at `/orders`. */
const mostOutcomes = 100;

const filter = z.strictObject({
  market: marketId.exactOptional().meta({ description: 'only what is of this market' }),
  auction: auctionId.exactOptional().meta({ description: 'only what is of this auction' }),
});
type Filter = z.output<typeof filter>;

const description =
  'Events `auction` (a new state), `intake` (how many orders a book was sealed with; nobody is told before), `result` (binding), and for a ' +
  'participant `outcomes` (of its own orders). Each has an `id`; a client that comes back with it as `Last-Event-ID` misses nothing. `ready` says ' +
  'where a stream begins, `resync` that events are missing and what is shown has to be read again. A comment comes every 15 s. A stream ends ' +
  'after 15 minutes: come back with the last id.';

export function eventRoutes(ports: Ports, options: EventsOptions): Route[] {
  const { mostOfOne = 10, most = 200 } = options;
  const open = new Map<string, number>();
  let all = 0;
  const take = (who: string): string | undefined => {
    const own = open.get(who) ?? 0;
    if (own >= mostOfOne) return `${mostOfOne} streams of yours are open; close one`;
    if (all >= most) return `${most} streams are open; come later`;
    open.set(who, own + 1);
    all++;
    return undefined;
  };
  const give = (who: string): void => {
    const own = open.get(who)! - 1;
    if (own > 0) open.set(who, own);
    else open.delete(who);
    all--;
  };
  return [
    route({
      id: 'streamEvents',
      method: 'get',
      path: '/events',
      tag: 'Events',
      summary: 'What happens, as it happens: server-sent events',
      description,
      query: filter,
      answers: { 200: { description: 'A stream that stays open', type: 'text/event-stream' } },
      saysHowKept: true,
      handle: (c, { query, identity }) => {
        if (c.req.method === 'HEAD') return c.body(null, 200, streamHeaders);
        const who = identity.scopes.length > 0 ? `client ${identity.client}` : `address ${options.addressOf(c)}`;
        const refusal = take(who);
        if (refusal !== undefined)
          return answerProblem(c, 'too-many-requests', refusal, { headers: { 'retry-after': '5' } });
        const reader = { identity, query, from: c.req.header('last-event-id') };
        const stream = streamOf(ports, options, reader, { end: () => give(who), cut: () => options.cut(c) });
        return new Response(stream, { status: 200, headers: streamHeaders });
      },
    }),
  ];
}

/** Nobody on the way keeps, gathers or packs what is sent. */
const streamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
};

interface Reader {
  readonly identity: Identity;
  readonly query: Filter;
  readonly from: string | undefined;
}

/** The messages as bytes, each made when the one before was taken. */
function streamOf(
  ports: Ports,
  { log, stop, heartbeatMs = 15_000, stallMs = 30_000, longestMs = 15 * 60_000 }: EventsOptions,
  reader: Reader,
  { end, cut }: { readonly end: () => void; readonly cut: () => void },
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const ends = AbortSignal.any([stop, gone.signal, AbortSignal.timeout(longestMs)]);
  const messages = messagesOf(ports, log, reader, heartbeatMs, ends);
  const encoder = new TextEncoder();
  let stalled: NodeJS.Timeout | undefined;
  const finish = () => {
    clearTimeout(stalled);
    if (gone.signal.aborted) return;
    gone.abort();
    end();
  };
  return new ReadableStream(
    {
      async pull(controller) {
        clearTimeout(stalled);
        const { value, done } = await messages.next().catch((error: unknown) => {
          finish();
          throw error;
        });
        if (gone.signal.aborted) return;
        if (done) {
          finish();
          controller.close();
          return;
        }
        controller.enqueue(encoder.encode(value));
        // Whoever takes a message asks for the next one at once.
        stalled = setTimeout(() => {
          finish();
          cut();
        }, stallMs);
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
}

const message = (event: string, data: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

const heartbeat = ':\n\n';
/** How long a client waits before it comes back. */
const retry = 'retry: 2000\n';

async function* messagesOf(
  ports: Ports,
  log: EventLog,
  { identity, query, from }: Reader,
  heartbeatMs: number,
  ends: AbortSignal,
): AsyncGenerator<string, void> {
  const isKnown = from !== undefined && log.after(from) !== undefined;
  let at = isKnown ? from : log.newest();
  yield `${retry}${message(from === undefined || isKnown ? 'ready' : 'resync', { from: at }, at)}`;
  let sentAt = performance.now();
  while (!ends.aborted) {
    const news = log.after(at);
    if (news === undefined) {
      at = log.newest();
      yield message('resync', { from: at }, at);
      continue;
    }
    for (const { id, event } of news.slice(0, together)) {
      if (ends.aborted) return;
      at = id;
      const told = isWanted(event, query) && (await toldTo(ports, identity, { id, event }));
      if (!told) continue;
      yield told;
      sentAt = performance.now();
    }
    const left = sentAt + heartbeatMs - performance.now();
    if (left <= 0) {
      yield heartbeat;
      sentAt = performance.now();
    } else if (news.length === 0) await log.grown(at, AbortSignal.any([ends, AbortSignal.timeout(Math.ceil(left))]));
  }
}

/** Events that are looked at before the log is asked again whether they are still there. */
const together = 100;

const isWanted = (event: HouseEvent, { market, auction }: Filter): boolean =>
  (market === undefined || event.market === market) && (auction === undefined || event.auction === auction);

/** @returns the message for this caller; nothing where the event is none of its business */
async function toldTo(
  ports: Ports,
  { participant }: Identity,
  { id, event }: NumberedEvent,
): Promise<string | undefined> {
  const { kind, ...data } = event;
  if (kind !== 'outcomes') return message(kind, data, id);
  if (participant === undefined) return undefined;
  const { auction } = event;
  const orders = await listOrders(ports, auction, { participant, limit: mostOutcomes }).catch(() => undefined);
  // What cannot be read now, such as an auction that was deleted, is told without: the client asks.
  if (orders === undefined) return message('outcomes', { ...data, orders: [], more: true }, id);
  const told = orders.flatMap(({ record_id, outcome }) => {
    if (outcome === undefined) return [];
    const { status, power, surplus, start, reason } = outcome;
    return [{ record_id, status, power, surplus, ...(start && { start }), ...(reason && { reason }) }];
  });
  const more = orders.length === mostOutcomes;
  return told.length === 0 && !more ? undefined : message('outcomes', { ...data, orders: told, more }, id);
}
