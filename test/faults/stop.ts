/** SIGTERM while clients hold on: the server ends within three seconds, and what was acknowledged is there at the next start. */

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { pause } from '../crash/clients.ts';
import { FaultyHouse } from './support/house.ts';
import { openPlace } from './support/place.ts';

const mostMs = 3000;

const ways: Record<string, (port: number) => Socket> = {
  'half a body': (port) =>
    write(port, 'POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a'),
  'half a head': (port) => write(port, 'GET /auctions HTTP/1.1\r\nHost: x\r\nX-A'),
  'answers that are not read': (port) => write(port, 'GET /docs HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20)),
};

function write(port: number, text: string): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.pause();
  socket.write(text);
  return socket;
}

for (const [name, open] of Object.entries(ways))
  test(`SIGTERM while 20 clients hold on with ${name}`, async (t) => {
    const house = await FaultyHouse.start(openPlace(t));
    await house.hold('a', 600_000);
    await house.send('a', 500);
    const port = Number(new URL(await house.server.url()).port);
    const sockets = Array.from({ length: 20 }, () => open(port));
    await pause(200);
    const since = performance.now();
    await house.server.stop();
    const ms = Math.round(performance.now() - since);
    t.diagnostic(`it ended after ${ms} ms`);
    for (const socket of sockets) socket.destroy();
    assert(ms < mostMs);
    house.server.start();
    await house.close('a');
    await house.reaches('a', 'settled');
    await house.checkBook('a');
  });
