/** Posts a message to a webhook: no redirects, nothing read of the answer but its status, and an end in time. */

import { request as plainRequest } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { checkLiteral, publicLookup } from './addresses.ts';

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly stop: AbortSignal;
  /** Whether it may go to any address, and not only to public ones. */
  readonly anywhere: boolean;
  readonly lookup?: LookupFunction | undefined;
}

/** The receiver answered, but not with 2xx. */
export class NotTaken extends Error {
  override readonly name = 'NotTaken';
  readonly status: number;
  constructor(url: string, status: number) {
    super(`${url} answered ${status}`);
    this.status = status;
  }
}

/** How messages are handed over: `post` here, or a network that is simulated. @throws as `post` does */
export type Poster = (message: Post) => Promise<void>;

const timeoutMs = 10_000;

/** @throws NotTaken for another answer than 2xx; AddressRefused; whatever the network says */
export const post: Poster = async ({ url: address, headers, body, stop, anywhere, lookup }) => {
  const url = new URL(address);
  if (!anywhere) checkLiteral(url);
  const send = url.protocol === 'https:' ? secureRequest : plainRequest;
  const looking = anywhere ? lookup : publicLookup(lookup);
  const status = await new Promise<number>((resolve, reject) => {
    const sent = send(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'merit-webhooks/1',
        'content-length': Buffer.byteLength(body),
        ...headers,
      },
      agent: false,
      signal: AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)]),
      ...(looking && { lookup: looking }),
    });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      resolve(answer.statusCode!);
      answer.on('error', () => {});
      // A short answer is read, so that its sender sees it through; a long one is not.
      answer.resume();
      answer.once('end', () => sent.destroy());
      setTimeout(() => sent.destroy(), 1000).unref();
    });
    sent.end(body);
  });
  if (status < 200 || status > 299) throw new NotTaken(address, status);
};
