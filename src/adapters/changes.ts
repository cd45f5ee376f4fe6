/** Whether an order may be replaced, and a request repeated: what every store decides alike, at its write. */

import type { Once } from '../auction/ports.ts';
import { AuctionError, VersionError } from '../market/errors.ts';

export interface Replacing {
  readonly record_id: string;
  /** Canonical. */
  readonly body: string;
  readonly expected: number | undefined;
}

/** The last version that there is. */
export interface Last {
  readonly body: string;
  readonly version: number;
  readonly cancelled: boolean;
}

/**
 * Whether the replacement is there already, so that a repeat gives its receipt: whoever got no answer expects the version before.
 *
 * @throws AuctionError `order-cancelled`
 */
export function isRepeated({ record_id, body, expected }: Replacing, last: Last): boolean {
  if (last.cancelled) throw new AuctionError('order-cancelled', `order ${record_id} was cancelled: it stays so`);
  const isExpected = expected === undefined || expected === last.version || expected === last.version - 1;
  return isExpected && body === last.body;
}

/** @throws VersionError */
export function checkVersion({ record_id, expected }: Replacing, { version }: Last): void {
  if (expected !== undefined && expected !== version) throw new VersionError(record_id, version);
}

export const keyReused = ({ key }: Once): AuctionError =>
  new AuctionError('key-reused', `key ${key} stands for another request: a new request has a new key`);
