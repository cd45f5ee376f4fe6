/**
 * What connections may take of the server: so many at a time, and one answer at a time on each.
 *
 * A client may send many requests without waiting (HTTP/1.1 pipelining). Node hands all of them on at once and keeps the answers until they
 * can be sent: whoever never reads has the server work out and hold hundreds of them. Here a request waits until the answer before it has
 * been handed to the operating system.
 */

import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Descriptors that files and connections of its own take. */
const ownDescriptors = 224;
/** A connection that waits takes some 20 kB. */
const mostAtAll = 2000;
/** What a system allows where it says nothing else. */
const usualDescriptors = 1024;

/** How many connections the server takes at a time: each is a descriptor, of which its system allows so many. */
export function mostConnections(descriptors = descriptorsAllowed()): number {
  return Math.max(1, Math.min(mostAtAll, descriptors - ownDescriptors));
}

/** By Linux; Node raises the soft limit to the hard one as it starts. */
function descriptorsAllowed(): number {
  try {
    const soft = /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft ?? usualDescriptors);
  } catch {
    return usualDescriptors; // not on this system
  }
}

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
