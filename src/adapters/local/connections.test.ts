import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { mostConnections, oneAtATime } from './connections.ts';

const answer = 'x'.repeat(1_000_000);

async function openServer(t: TestContext) {
  let taken = 0;
  const server = createServer(
    oneAtATime((request, response) => {
      taken++;
      // Some time later, as an answer that is looked up.
      setImmediate(() => response.end(`${request.url} ${answer}`));
    }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  t.after(() => {
    socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).then((response) => response.text());
  return { socket, get, takenBy: () => taken };
}

const pipelined = (count: number) =>
  Array.from({ length: count }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: x\r\n\r\n`).join('');

test('oneAtATime() works at no second answer while the first is not read', async (t) => {
  const { socket, get, takenBy } = await openServer(t);
  socket.pause();
  socket.write(pipelined(30));
  // Others are served meanwhile, and by then the server has seen what the first sent.
  for (let i = 0; i < 20; i++) assert.match(await get(`/other-${i}`), /^\/other/);
  // What the operating system takes off the server's hands is as good as read: some megabytes of buffers.
  assert(takenBy() - 20 <= 10, `${takenBy() - 20} of 30 requests of one connection were taken up`);
});

test('oneAtATime() answers pipelined requests in order, all of them', async (t) => {
  const { socket } = await openServer(t);
  const paths: string[] = [];
  const all = new Promise<void>((resolve) => {
    let rest = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      rest += text;
      for (const [, path] of rest.matchAll(/\r\n\r\n(\/\d+) x/g)) if (path !== paths.at(-1)) paths.push(path!);
      rest = rest.slice(-200);
      if (paths.length === 30) resolve();
    });
  });
  socket.write(pipelined(30));
  await all;
  assert.deepEqual(
    paths,
    Array.from({ length: 30 }, (_, i) => `/${i}`),
  );
});

test('oneAtATime() cuts a connection that is hundreds of requests ahead', async (t) => {
  const { socket, takenBy } = await openServer(t);
  socket.resume();
  socket.write(pipelined(500));
  await once(socket, 'close');
  assert(takenBy() < 40, `${takenBy()} of 500 requests were taken up`);
});

test('oneAtATime() lets go of a connection that ends while requests wait', async (t) => {
  const { socket, get, takenBy } = await openServer(t);
  socket.pause();
  socket.write(pipelined(30));
  await get('/other');
  socket.destroy();
  for (let i = 0; i < 5; i++) await get('/other');
  assert(takenBy() < 20, `${takenBy()} requests were taken up`);
});

test('oneAtATime() has 32 requests of a connection wait, and cuts it at the next', () => {
  const handled: number[] = [];
  const socket = {
    destroyed: false,
    destroy() {
      socket.destroyed = true;
    },
  };
  const handle = oneAtATime((request) => void handled.push((request as unknown as { k: number }).k));
  const responses = Array.from({ length: 33 }, (_, k) => {
    const response = new EventEmitter();
    handle({ socket, k } as unknown as IncomingMessage, response as unknown as ServerResponse);
    return response;
  });
  assert.deepEqual([handled, socket.destroyed], [[0], false]);
  responses[0]!.emit('close');
  assert.deepEqual(handled, [0, 1]);
  for (const k of [33, 34])
    handle({ socket, k } as unknown as IncomingMessage, new EventEmitter() as unknown as ServerResponse);
  assert.equal(socket.destroyed, true);
});

test('mostConnections() leaves descriptors for files, and does not grow without a bound', () => {
  assert.deepEqual([100, 1024, 1500, 1_000_000].map(mostConnections), [1, 800, 1276, 2000]);
  assert(mostConnections() >= 1);
});
