/**
 * A receiver of Merit's webhooks, for Node without packages: checks signature and time, takes each message once, and drops what comes late.
 *
 *     WEBHOOK_SECRETS='whsec_...' node receiver.mjs 9000
 */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

/** Seconds by which the clocks may differ, and for which an id has to be remembered at least. */
const windowSeconds = 300;

/**
 * @param {Record<string, string | undefined>} headers  names in lower case
 * @param {string} body  byte for byte as it came
 * @param {string[]} secrets  those that hold: two while one takes the place of another
 * @returns {string | undefined} what is wrong; nothing where the message is Merit's and of now
 */
export function fault(headers, body, secrets, now = Date.now() / 1000) {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers;
  if (!id || !at || !signatures) return 'it is not signed';
  if (!/^\d+$/.test(at) || Math.abs(now - Number(at)) > windowSeconds) return 'it is not of now';
  const expected = secrets.map((secret) =>
    createHmac('sha256', Buffer.from(secret.slice('whsec_'.length), 'base64')).update(`${id}.${at}.${body}`).digest(),
  );
  const isRight = signatures.split(' ').some((signature) => {
    const [version, digest = ''] = signature.split(',');
    const bytes = Buffer.from(digest, 'base64');
    return version === 'v1' && expected.some((right) => right.length === bytes.length && timingSafeEqual(right, bytes));
  });
  return isRight ? undefined : 'its signature is not right';
}

/** Remembers what was taken. A receiver that may be restarted keeps this in its database. */
export class Inbox {
  #ids = new Set();
  #sequences = new Map();

  /** @returns {'new' | 'repeated' | 'late'}  late: a later state of the auction is known already */
  take(id, { auction, sequence }) {
    if (this.#ids.has(id)) return 'repeated';
    this.#ids.add(id);
    const known = this.#sequences.get(auction) ?? 0;
    if (sequence < known) return 'late';
    this.#sequences.set(auction, sequence);
    return 'new';
  }
}

if (import.meta.main) {
  const secrets = (process.env.WEBHOOK_SECRETS ?? '').split(' ');
  const inbox = new Inbox();
  createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const wrong = fault(request.headers, body, secrets);
    if (wrong === undefined) {
      const { type, data } = JSON.parse(body);
      console.log(inbox.take(request.headers['webhook-id'], data), type, JSON.stringify(data));
    } else console.error(wrong);
    // 2xx: it is taken. Anything else, and Merit tries again.
    response.writeHead(wrong === undefined ? 204 : 401).end();
  }).listen(Number(process.argv[2] ?? 9000));
}
