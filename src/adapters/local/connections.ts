/**
 * What one connection may take of the server: one answer at a time.
 *
 * A client may send many requests without waiting (HTTP/1.1 pipelining). Node hands all of them on at once and keeps the answers until they
 * can be sent: whoever never reads has the server work out and hold hundreds of them. Here a request waits until the answer before it has
 * been handed to the operating system.
 */

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A connection on which more requests wait is cut: no client that reads its answers is so far ahead of them. */
const mostWaiting = 32;

export function oneAtATime(handle: RequestListener): RequestListener {
  const lines = new WeakMap<Socket, (() => void)[]>();
  return (request, response) => {
    const { socket } = request;
    const line = lines.get(socket);
    if (line === undefined) {
      lines.set(socket, []);
      begin(request, response);
    } else if (line.length < mostWaiting) line.push(() => begin(request, response));
    else socket.destroy();
  };

  function begin(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    // Also when the connection is gone: then nobody's turn comes any more.
    response.once('close', () => {
      const line = lines.get(socket)!;
      const next = line.shift();
      if (next === undefined || socket.destroyed) lines.delete(socket);
      else next();
    });
    void handle(request, response);
  }
}
