/**
 * What the outside can do wrong, as one typed error.
 *
 * Everything that only we can cause is an `assert`; an order that loses is neither, acceptance is data. `api/` has the one
 * place that turns a code into an HTTP status, `cli/` the one that turns it into an exit code.
 */

export const errorCodes = [
  'invalid-order', // an order (or the list it came in) breaks a rule of the market; `problems` names each
  'invalid-book', // a book file that is not one
  'invalid-result', // a result file that is not one
  'invalid-proof', // a proof that has not the form of one
  'invalid-checkpoint', // a stopped search that is damaged, or another book's
  'invalid-market', // a market file with a mistake
  'invalid-request', // a request whose own fields are wrong (a query, a date, a state)
  'unauthorized', // no token, or one that does not hold here
  'forbidden', // whoever asks is known, and may not do this
  'not-found', // no such auction, order, execution or file
  'conflict', // the id is taken by something else
  'key-reused', // an idempotency key that stands for another request
  'order-cancelled', // the order is gone for good
  'order-executed', // the auction of the order has its result
  'precondition-failed', // the order has another version than whoever changes it believes
  'precondition-required', // a change that does not say of which version
  'gate-closed', // the auction takes no orders any more
  'gate-not-open', // the auction takes no orders yet
  'wrong-state', // the auction is in a state that does not allow this
  'too-large', // more than a limit allows
  'unavailable', // the store can't write now (full disk, lost folder); nothing was taken
  'incompatible-data', // a data folder of another version, or without write permission
  'damaged-data', // what the house keeps is not what it wrote: its own fault, whoever asks
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One thing that is wrong with one order or one field. */
export interface Problem {
  /** Position in the request's list of orders, from 0; absent when it is not about one order. */
  readonly index?: number;
  readonly record_id?: string;
  /** Path of the field, such as `price` or `points.3.power`. */
  readonly field?: string;
  /** Machine-readable reason, such as `price-off-tick`. */
  readonly code: string;
  /** What was seen, and what would have been right. */
  readonly message: string;
}

export class AuctionError extends Error {
  override readonly name = 'AuctionError';
  readonly code: ErrorCode;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, problems: readonly Problem[] = [], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.problems = problems;
  }
}

/** Somebody else has changed the order since. */
export class VersionError extends AuctionError {
  /** The version that it has now. */
  readonly version: number;

  constructor(record_id: string, version: number) {
    const message = `order ${record_id} is version ${version} now, another one than was expected: somebody has changed it`;
    super('precondition-failed', message, [{ record_id, field: 'version', code: 'other-version', message }]);
    this.version = version;
  }
}
