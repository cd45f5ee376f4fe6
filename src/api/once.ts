/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that may be repeated without being done twice.
 *
 * The key is kept in the transaction in which its request is written, with a hash of what was asked: method, address, query, `If-Match` and
 * body, whatever the order of its fields. The same again is answered as before; another request under the key is refused. Refusals keep
 * nothing: such a request is judged anew.
 */

import * as z from 'zod';
import { keyLifetimeMs, type Once } from '../auction/ports.ts';
import { canonical } from '../book/canonical.ts';
import { sha256 } from '../book/intake.ts';

const hours = keyLifetimeMs / 3_600_000;

export const idempotencyKey = z
  .string()
  .regex(
    /^("[ !#-[\]-~]{1,255}"|[!#-[\]-~]{1,255})$/,
    '1 to 255 printable ASCII characters without \\ and ", in quotes or not',
  )
  .exactOptional()
  .meta({
    description:
      `a name for this request, so that it may be sent again: for ${hours} hours the same request gets the same answer, another one under ` +
      'the name `key-reused`. One for each participant; a refused request leaves it free',
    examples: ['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
  });

/** @param what  all that a request asks, as JSON */
export function onceOf(header: string | undefined, what: unknown): Once | undefined {
  if (header === undefined) return undefined;
  const key = header.startsWith('"') && header.length > 2 ? header.slice(1, -1) : header;
  return { key, fingerprint: sha256(canonical(what)) };
}
