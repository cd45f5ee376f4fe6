/** `GET /events` over sockets: what is told to whom, how a client comes back, proxies, readers that stop, and the end of the server. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { openEventLog } from '../src/adapters/local/event-log.ts';
import { createApp } from '../src/api/app.ts';
import type { EventsOptions } from '../src/api/events.ts';
import { closeGate } from '../src/auction/auctions.ts';
import type { HouseEvent } from '../src/auction/views/events.ts';
import { type Serving, serve } from '../src/server.ts';
import { calledBy } from './access-house.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, testMarket } from './support/house.ts';

interface Message {
  readonly id?: string;
  readonly event?: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of every kind
  readonly data?: any;
}

interface Listening {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly messages: Message[];
  readonly comments: () => number;
  /** The next message of a kind that has not been asked for yet. */
  next(event: string): Promise<Message>;
  /** Resolves when the stream has ended: true where the server ended it, false where it was cut. */
  readonly ended: Promise<boolean>;
  close(): void;
}

/** A client of server-sent events, as the standard reads them. */
async function listen(url: string, headers: Record<string, string> = {}): Promise<Listening> {
  const sent = request(url, { headers, agent: false }).end();
  sent.on('error', () => {});
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const messages: Message[] = [];
  let comments = 0;
  let seen = 0;
  let rest = '';
  answer.on('error', () => {});
  answer.setEncoding('utf8').on('data', (text: string) => {
    const blocks = (rest + text).split('\n\n');
    rest = blocks.pop()!;
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => /^(\w*):? ?(.*)$/.exec(line)!.slice(1) as [string, string]);
      const { id, event, data } = Object.fromEntries(fields);
      if (event === undefined) comments++;
      else messages.push({ ...(id && { id }), event, data: JSON.parse(data!) });
    }
  });
  const ended = new Promise<boolean>((resolve) => answer.once('close', () => resolve(answer.complete)));
  return {
    status: answer.statusCode!,
    headers: answer.headers,
    messages,
    comments: () => comments,
    next: (event) =>
      until(`a message ${event}`, async () => {
        while (seen < messages.length) {
          const found = messages[seen++]!;
          if (found.event === event) return found;
        }
        return undefined;
      }),
    ended,
    close: () => sent.destroy(),
  };
}

async function start(t: TestContext, changes: object = {}): Promise<Serving> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-events-'));
  const serving = await serve({ data: folder, port: 0, markets: [testMarket()], log: () => {}, ...changes });
  t.after(async () => {
    await serving.close();
    await rm(folder, { recursive: true });
  });
  return serving;
}

const listenOn = async (t: TestContext, server: Server): Promise<string> => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** The route alone over a socket, with a log of the test's own and shorter times. */
async function serveEvents(t: TestContext, options: Partial<EventsOptions> = {}) {
  const log = openEventLog(50);
  const { ports } = await openTestHouse(t);
  const stop = new AbortController();
  const events: EventsOptions = {
    log,
    stop: stop.signal,
    addressOf: () => 'here',
    cut: (c) => void (c.env as HttpBindings).outgoing.destroy(),
    ...options,
  };
  const app = createApp(ports, { events, log: () => {}, ...calledBy('p') });
  const url = await listenOn(t, createServer(getRequestListener(app.fetch)));
  return { log, stop, ports, url: `${url}/events` };
}

const event = (auction: string, cause = ''): HouseEvent => ({
  kind: 'auction',
  auction,
  market: 'test',
  state: 'open',
  run: 1,
  sequence: 11,
  gateOpening: '2025-04-01T10:00:00Z',
  gateClosure: '2025-04-01T11:00:00Z',
  at: '2025-04-01T10:00:00Z',
  cause,
});

test('an auction is told state by state; how many orders it has not before its book is sealed; outcomes to whom they belong', async (t) => {
  const { ports, url, access } = await start(t, { issuer: 'built-in' });
  const portfolios = [{ name: 'all', zones: ['Z'] }];
  for (const client of ['p', 'q'])
    access!.clients.addParticipant({ participant: client, client, access: 'read', portfolios });
  const bearer = async (client: string) => ({ authorization: `Bearer ${(await access!.issue(client)).token}` });
  const [anybody, own, other] = await Promise.all([
    listen(`${url}/events`),
    listen(`${url}/events?market=test`, await bearer('p')),
    listen(`${url}/events?auction=a`, await bearer('q')),
  ]);
  t.after(() => [anybody, own, other].forEach((each) => void each.close()));
  assert.equal(anybody.headers['content-type'], 'text/event-stream; charset=utf-8');
  await hold(ports, 'a', { gateClosure: new Date(Date.now() + 3_600_000).toISOString() });
  await submit(ports);
  await anybody.next('ready');
  assert.equal((await anybody.next('auction')).data.state, 'scheduled');
  assert.equal((await anybody.next('auction')).data.state, 'open');
  assert(!anybody.messages.some(({ data }) => JSON.stringify(data).includes('orders')));
  await closeGate(ports, 'a');
  await until('all is told', async () => anybody.messages.some(({ data }) => data.state === 'settled') || undefined);
  const told = anybody.messages.slice(1).map(({ event, data }) => (event === 'auction' ? data.state : event));
  assert.deepEqual(told, [
    'scheduled',
    'open',
    'closed',
    'clearing',
    'intake',
    'preliminary',
    'final',
    'result',
    'settled',
  ]);
  const { data: intake } = await anybody.next('intake');
  const { book, result } = (await ports.auctions.find('a'))!;
  assert.deepEqual([intake.orders, intake.book], [3, book!.hash]);
  const { data } = await anybody.next('result');
  assert.deepEqual(data, {
    auction: 'a',
    market: 'test',
    result: result!.hash,
    status: 'optimal',
    welfare: 1200,
    gap: 0,
  });
  const { data: outcomes } = await own.next('outcomes');
  assert.deepEqual(
    outcomes.orders.map(({ record_id, status }: Record<string, string>) => `${record_id} ${status}`),
    ['plant accepted', 'load accepted', 'peaker rejected'],
  );
  assert.deepEqual([outcomes.orders[2].reason.code, outcomes.more], ['out_of_the_money', false]);
  await other.next('result');
  await sleep(50);
  for (const each of [anybody, other]) assert(!each.messages.some(({ event }) => event === 'outcomes'));
});

test('a client that comes back with its last id misses nothing; one whose place is gone is told to read again', async (t) => {
  const { log, url } = await serveEvents(t);
  log.add(['a', 'b'].map((id) => event(id)));
  const first = await listen(url);
  const { id: beginning } = await first.next('ready');
  log.add([event('c')]);
  const { id } = await first.next('auction');
  first.close();
  log.add(['d', 'e'].map((id) => event(id)));
  const back = await listen(url, { 'last-event-id': id! });
  assert.equal((await back.next('ready')).id, id);
  assert.deepEqual([(await back.next('auction')).data.auction, (await back.next('auction')).data.auction], ['d', 'e']);
  back.close();
  const before = await listen(url, { 'last-event-id': beginning! });
  assert.equal((await before.next('auction')).data.auction, 'c');
  before.close();
  log.add(Array.from({ length: 51 }, (_, i) => event(`x${i}`)));
  for (const gone of [id!, `ffffffff-${log.newest().slice(9)}`, `${id!.slice(0, 9)}999`, 'nonsense']) {
    const late = await listen(url, { 'last-event-id': gone });
    const resync = await late.next('resync');
    assert.equal(resync.data.from, log.newest());
    assert.equal(resync.id, log.newest());
    log.add([event('news')]);
    assert.equal((await late.next('auction')).data.auction, 'news');
    late.close();
  }
});

test('a comment comes while nothing happens, and while only what nobody asked for does', async (t) => {
  const { log, url } = await serveEvents(t, { heartbeatMs: 40 });
  const quiet = await listen(`${url}?auction=none`);
  t.after(() => quiet.close());
  const noise = setInterval(() => log.add([event('a')]), 10);
  t.after(() => clearInterval(noise));
  await until('two comments', async () => quiet.comments() >= 2 || undefined);
  assert.deepEqual(
    quiet.messages.map(({ event }) => event),
    ['ready'],
  );
});

/** A proxy that gathers 64 kB before it sends on and packs what it may, as nginx and others do, unless the answer says otherwise. */
async function bufferingProxy(t: TestContext, to: string, ignores: readonly string[] = []): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const sent = request(`${to}${incoming.url}`, { headers: incoming.headers, agent: false }, (answer) => {
      const of = (name: string) => (ignores.includes(name) ? undefined : String(answer.headers[name] ?? ''));
      const gathers = of('x-accel-buffering') !== 'no';
      const packs = !of('cache-control')?.includes('no-transform');
      outgoing.writeHead(answer.statusCode!, { ...answer.headers, ...(packs && { 'content-encoding': 'gzip' }) });
      outgoing.flushHeaders();
      const out = packs ? createGzip() : outgoing;
      if (packs) out.pipe(outgoing);
      let held: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => {
        held.push(chunk);
        if (gathers && Buffer.concat(held).length < 65_536) return;
        out.write(Buffer.concat(held));
        held = [];
      });
      answer.on('end', () => out.end(Buffer.concat(held)));
    });
    sent.on('error', () => outgoing.destroy());
    outgoing.on('close', () => sent.destroy());
    sent.end();
  });
  return listenOn(t, server);
}

test('events pass a proxy that gathers and packs answers, because they say that it must not', async (t) => {
  const { log, url } = await serveEvents(t);
  const target = url.replace('/events', '');
  const through = await listen(`${await bufferingProxy(t, target)}/events`);
  await through.next('ready');
  log.add([event('a')]);
  assert.equal((await through.next('auction')).data.auction, 'a');
  assert.equal(through.headers['content-encoding'], undefined);
  // The proxy does gather and pack where that is not said.
  for (const ignored of ['x-accel-buffering', 'cache-control']) {
    const held = await listen(`${await bufferingProxy(t, target, [ignored])}/events`);
    log.add([event('b')]);
    await sleep(50);
    assert.deepEqual(held.messages, [], ignored);
    held.close();
  }
  through.close();
});

test('a reader that stops reading is cut, and nothing is gathered for it meanwhile', async (t) => {
  const { log, url } = await serveEvents(t, { stallMs: 500, mostOfOne: 1 });
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let cut = false;
  socket.on('close', () => {
    cut = true;
  });
  socket.on('error', () => {});
  socket.write('GET /events HTTP/1.1\r\nhost: here\r\n\r\n');
  await once(socket, 'data');
  socket.pause();
  assert.equal((await listen(url)).status, 429, 'it has the one stream there is');
  // 90 messages of 250 kB go into what the two systems hold for a connection, and not into our memory.
  const long = 'x'.repeat(250_000);
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 90; i++) {
    log.add([event('a', long)]);
    await sleep(1);
  }
  assert(process.memoryUsage().arrayBuffers - before < 12_000_000, 'what nobody reads was gathered');
  await until('the place is free again', async () => {
    const next = await listen(url);
    next.close();
    return next.status === 200 || undefined;
  });
  socket.resume();
  await until('the connection is cut', async () => cut || undefined);
});

test('one client has so many streams and all together so many; a stream that ends makes room; HEAD opens none', async (t) => {
  const { url } = await serveEvents(t, { mostOfOne: 2, most: 2 });
  const streams = [await listen(url), await listen(url)];
  const refused = await fetch(url);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '5']);
  assert.match(((await refused.json()) as { detail: string }).detail, /2 streams of yours are open/);
  streams[0]!.close();
  await until('there is room', async () => {
    const next = await listen(url);
    if (next.status === 200) streams[0] = next;
    return next.status === 200 || undefined;
  });
  const head = await fetch(url, { method: 'HEAD' });
  assert.equal(head.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  for (const each of streams) each.close();
});

test('a stream ends after its time, so that a token that does not hold any more has no end of it', async (t) => {
  const { url } = await serveEvents(t, { longestMs: 60 });
  const stream = await listen(url);
  await stream.ended;
  assert.deepEqual(
    stream.messages.map(({ event }) => event),
    ['ready'],
  );
});

test('a server with open streams stops at once, and its clients see the end', async (t) => {
  const { url, close } = await start(t);
  const streams = await Promise.all(Array.from({ length: 5 }, () => listen(`${url}/events`)));
  await Promise.all(streams.map((stream) => stream.next('ready')));
  const began = performance.now();
  await close();
  assert(performance.now() - began < 3000);
  assert.deepEqual(await Promise.all(streams.map(({ ended }) => ended)), [true, true, true, true, true]);
});

test('an auction and the list of them have tags: who asks again by one gets 304 until there is news', async (t) => {
  const { ports } = await openTestHouse(t);
  const app = createApp(ports, { log: () => {} });
  await hold(ports);
  for (const path of ['/auctions', '/auctions/a']) {
    const tag = (await app.request(path)).headers.get('etag')!;
    const again = await app.request(path, { headers: { 'if-none-match': tag } });
    assert.deepEqual([again.status, await again.text()], [304, '']);
    assert.equal(again.headers.get('cache-control'), 'no-cache');
  }
  const tag = (await app.request('/auctions/a')).headers.get('etag')!;
  await app.request('/auctions/a/close', { method: 'POST' });
  await reaches(ports, 'a', 'settled');
  assert.equal((await app.request('/auctions/a', { headers: { 'if-none-match': tag } })).status, 200);
});
