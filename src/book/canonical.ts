/** The canonical form of JSON (RFC 8785): the same value gives the same bytes on every machine. */

import assert from 'node:assert/strict';
import canonicalize from 'canonicalize';

export function canonical(value: unknown): string {
  const text = canonicalize(value);
  assert(text !== undefined, 'only JSON values have a canonical form');
  return text;
}
