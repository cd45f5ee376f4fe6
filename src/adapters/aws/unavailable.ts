/** Transient errors of AWS (throttling, timeouts, outages) become `unavailable`; all others are our own fault. */

import { AuctionError } from '../../market/errors.ts';

const passing = new Set([
  'InternalFailure',
  'InternalServerError',
  'KMSThrottlingException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'SlowDown',
  'Throttled',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'TooManyRequestsException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);
/** Codes of the network. */
const broken = new Set(['ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT']);

export function passes(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, $metadata } = error as { code?: string; $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 500 || status === 429 || passing.has(error.name) || (code !== undefined && broken.has(code));
}

/** What to throw for an error of AWS: itself when it is a fault of ours (a permission, a name), which no retry heals. */
export const unavailable = (what: string, error: unknown): unknown =>
  passes(error)
    ? new AuctionError('unavailable', `${what} can't be reached: ${(error as Error).message}`, [], { cause: error })
    : error;
