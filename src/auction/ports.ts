/**
 * What the life of an auction needs from the outside, as small ports that speak the domain.
 *
 * Each promise below is proven for every adapter by the cases in `test/ports/`. Ports throw `AuctionError` for what the
 * outside can cause; an absence is an answer (`undefined`), not an error.
 */

import type { ChainedEntry } from '../book/chain-fault.ts';
import type { EvidenceKeys, SigningKey } from '../book/evidence.ts';
import type { Entry, Receipt } from '../book/intake.ts';
import type { Clearing, ClearingBudget } from '../clearing/clear.ts';
import type { Book } from '../market/book.ts';
import type { Market } from '../market/market.ts';
import type { Order } from '../market/order.ts';
import type { OrderStatus, Reason, Result } from '../market/result.ts';
import type { Verification } from '../verify/verify.ts';
import type { Auction, AuctionState } from './auction.ts';
import type { Meter } from './views/metrics.ts';

/** The only source of time. `:memory:` tests turn it by hand. */
export interface Clock {
  now(): Date;
}

export interface AuctionFilter {
  readonly market?: string;
  readonly states?: readonly AuctionState[];
  readonly limit?: number;
  /** Only those with a market time unit in it: from an instant, up to another (milliseconds since 1970). */
  readonly delivering?: { readonly from: number; readonly to: number };
}

/** Where auctions live. Cases: `test/ports/auction-store.cases.ts`. */
export interface AuctionStore {
  /** The same auction again is a no-op (callers retry); a different one under that id throws `AuctionError('conflict')`. */
  create(auction: Auction): Promise<void>;
  find(id: string): Promise<Auction | undefined>;
  /** Newest gate closure first. */
  list(filter?: AuctionFilter): Promise<Auction[]>;
  /**
   * Replace the auction if it is still exactly as `known`, in all its fields; false when another writer was first. So a step of
   * an earlier run can't move a restarted auction, and of two changes within one state none is lost.
   */
  advance(known: Auction, next: Auction): Promise<boolean>;
}

/** An order as the store keeps it. */
export interface StoredOrder {
  readonly auction: string;
  readonly participant: string;
  readonly sequence: number;
  readonly received_at: string;
  /** Running hash of the intake after this order. */
  readonly hash: string;
  /** Of the order, from 1: each replacement is the next. The stamps are of this version. */
  readonly version: number;
  readonly order: Order;
  readonly cancelled: boolean;
  /** Unix seconds after which the order may be deleted, if its auction is settled or cancelled. */
  readonly ttl: number;
}

/** An entry of the intake as far as the tree goes, and which order it is about. */
export interface StoredLeaf extends ChainedEntry {
  readonly participant: string;
  readonly record_id: string;
}

/** The fields by which a block names another order, or a group. */
export type NamingField = 'linkedTo' | 'loopWith' | 'exclusiveGroup';

/** A request that its sender may repeat without it being done twice. */
export interface Once {
  /** The sender's name for it, one for each participant. */
  readonly key: string;
  /** Hash of what it asks. */
  readonly fingerprint: string;
}

/** How long a key is known after its request was written, in ms. */
export const keyLifetimeMs = 24 * 3600 * 1000;

/** Which orders of an auction are wanted: `limit` of them at most, after a sequence. */
export interface OrderPage {
  readonly after?: number;
  readonly limit?: number;
  readonly participant?: string;
}

/** Where the intake lives. Cases: `test/ports/order-store.cases.ts`. */
export interface OrderStore {
  /**
   * Append all orders or none, stamping each with the next sequence and the time of this write.
   *
   * When the promise resolves the orders are durable. An order that is there already with the same body gives its old
   * receipt; with another body the whole request throws `AuctionError('conflict')` naming index and record_id. Of an order that was
   * replaced the last version counts. A cancelled record_id is taken for good. Whether the gate is open is decided at the write: an auction that is not `open`, or whose
   * gate closure is not after the time of the write, throws `gate-not-open` (before) or `gate-closed` (after, or cancelled).
   * `not-found` when there is no such auction; `too-large` when one write cannot hold the request; `unavailable` when it could
   * not be made durable, and then nothing is kept. (Where the store is far away and not even that can be found out, the
   * message says so: the same request again is safe, and gives the receipts if it was kept.)
   */
  append(auction: string, participant: string, orders: readonly Order[], once?: Once): Promise<Receipt[]>;
  /**
   * What a participant's request of that key was answered; undefined where there was none in `keyLifetimeMs`. A write with `once` gives
   * this answer too, and else keeps its key in the transaction that it is written in; a refused one keeps nothing. `key-reused` for a
   * request of another fingerprint.
   */
  recall(participant: string, once: Once): Promise<Receipt[] | undefined>;
  /**
   * Put a new version of an order in the place of the last one, under the same gate rule: from now on it is the order.
   *
   * The same body as that of the last version writes nothing and gives its receipt, unless another version than that or the one before it is
   * expected. `not-found` without the order; `order-cancelled`; a `VersionError` when `expected` is not the last version. Of two that expect
   * the same version one gets through.
   */
  replace(auction: string, participant: string, order: Order, expected?: number, once?: Once): Promise<Receipt>;
  /** Cancel one order, under the same gate rule. Cancelling twice gives the same receipt; `not-found` without the order. */
  cancel(auction: string, participant: string, record_id: string): Promise<Receipt>;
  /**
   * Cancel several orders, each once, with a receipt for each in their order. All of them or none, where one transaction holds them; else in the
   * order given, in several, and who is refused on the way sends the same again. `once` is for what one transaction holds.
   */
  cancelAll(auction: string, participant: string, record_ids: readonly string[], once?: Once): Promise<Receipt[]>;
  /** Of these ids the participant's orders in an auction in their last version, live or cancelled, in any order; expired ones and what is not there left out. */
  find(auction: string, participant: string, record_ids: readonly string[]): Promise<StoredOrder[]>;
  /** The participant's order of that id in the auction whose gate closes last of those that have one; not an expired one. */
  findNewest(participant: string, record_id: string): Promise<StoredOrder | undefined>;
  /**
   * For each of these names the first live order of this participant whose `field` it is: a child of that order, its partner in a
   * loop, or the first of that exclusive group. Names without one are left out.
   */
  findNaming(
    auction: string,
    participant: string,
    field: NamingField,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, StoredOrder>>;
  /** Every live order of this participant whose `field` is that name, in any order. */
  allNaming(auction: string, participant: string, field: NamingField, name: string): Promise<StoredOrder[]>;
  /** All versions of an order, the first one first; none where it is not there, or expired. */
  versions(auction: string, participant: string, record_id: string): Promise<StoredOrder[]>;
  /** The live and cancelled orders of an auction in their last version, by sequence; with `participant` only those of one. */
  list(auction: string, page?: OrderPage): Promise<StoredOrder[]>;
  /**
   * All entries of the intake by sequence. Call it once the gate is closed: from then on it never changes. `damaged-data` where they do
   * not lead to the hashes that were acknowledged.
   */
  entries(auction: string): Promise<Entry[]>;
  /**
   * What the tree over the intake is made of (`book/merkle.ts`): `limit` entries at most, by sequence, those after `after`. Until the book
   * is sealed only those before the first sequence that is not taken yet, so that no later entry comes between these.
   */
  leaves(auction: string, after: number, limit: number): Promise<StoredLeaf[]>;
  /** How many chains the intake of an auction is divided into (`book/intake.ts`); never changes. */
  shards(auction: string): Promise<number>;
  /** Delete the orders whose `ttl` has passed and whose auction is settled or cancelled, and keys past their time; how many orders went. */
  expire(now: Date): Promise<number>;
}

/** Where sealed books, results and settled orders lie: immutable objects under keys such as `books/{auction}.json`. */
export interface Archive {
  /** Write whole or not at all. Writing the same bytes again is a no-op. */
  write(key: string, text: string): Promise<void>;
  read(key: string): Promise<string | undefined>;
  /** Keys that begin with `prefix`, sorted. */
  list(prefix: string): Promise<string[]>;
  /**
   * The bytes of an object piece by piece, after they were compared with its hash; `undefined` when it is not there, `damaged-data` when
   * they are others. Only an archive on this machine's disk has this: there a document need not be in memory to be sent.
   */
  readonly stream?: (key: string, hash: string) => Promise<ReadableStream<Uint8Array> | undefined>;
  /**
   * Where an object can be fetched without the house, for some minutes and by whoever has the address; nothing where it is not
   * there. Only an archive that others can reach has this.
   */
  readonly locate?: (key: string) => Promise<{ readonly url: string; readonly bytes: number } | undefined>;
}

/** What there is to tell of an auction. The id makes a repeat harmless. */
export type News =
  | {
      readonly id: string;
      readonly kind: 'order-rejected';
      readonly participant: string;
      readonly record_id: string;
      readonly status: OrderStatus;
      readonly reason: Reason;
    }
  | {
      readonly id: string;
      /** It named an order that was cancelled as it came in, so the book does without it. */
      readonly kind: 'order-left-out';
      readonly participant: string;
      readonly record_id: string;
      readonly cause: string;
    }
  | { readonly id: string; readonly kind: 'auction-failed'; readonly cause: string }
  | {
      readonly id: string;
      /** It is known without which orders a failed auction would clear, or that nothing helps (`steps/diagnose.ts`). */
      readonly kind: 'auction-diagnosed';
      readonly found: string;
      readonly orders: number;
    }
  | { readonly id: string; readonly kind: 'auction-cancelled'; readonly cause: string }
  | { readonly id: string; readonly kind: 'auction-settled'; readonly orders: number };

/** What the house tells somebody, with where the auction was then: what comes late is seen to. */
export type Notice = News & {
  readonly auction: string;
  readonly state: AuctionState;
  readonly run: number;
  /** Grows with each state of the auction (`sequenceOf`). */
  readonly sequence: number;
  readonly at: string;
};

/** Outgoing notices. Its promise is held by `test/ports/local.test.ts`. */
export interface Notices {
  /** Durable when it resolves; delivered at least once afterwards. The same id again is a no-op. */
  send(notices: readonly Notice[]): Promise<void>;
}

/** One run of `workflow/auction.asl.json`. */
export interface Execution {
  readonly id: string;
  readonly auction: string;
  readonly status: 'running' | 'succeeded' | 'failed';
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly cause?: string;
}

export interface ExecutionEvent {
  readonly at: string;
  /** `ExecutionStarted`, `TaskStateEntered`, `TaskStateExited`, `ExecutionSucceeded` and the like. */
  readonly type: string;
  /** Name of the state in the ASL file, where the event is about one. */
  readonly state?: string;
  readonly detail?: unknown;
}

/** Runs the workflow. Cases: `test/ports/workflow.cases.ts`. */
export interface Workflow {
  /** Start the execution `{auction}-{run}`; when it was started already, nothing happens. */
  start(auction: string, run: number): Promise<string>;
  /** One of them by its id, without a look at the others; `undefined` when there is none. */
  find(id: string): Promise<Execution | undefined>;
  /** Newest first. */
  list(filter?: { auction?: string; limit?: number }): Promise<Execution[]>;
  /** The events of an execution in order; `undefined` when there is none. */
  history(id: string): Promise<ExecutionEvent[] | undefined>;
}

/** What the house signs its statements with (`book/evidence.ts`): Ed25519. Cases: `test/ports/signer.cases.ts`. */
export interface Signer {
  /** The key that signs now. `unavailable` when it cannot be had, then or as it signs. */
  signingKey(): Promise<SigningKey>;
  /** The public halves of all keys that ever signed, that of now first. */
  keys(): Promise<EvidenceKeys>;
}

/** Where the work of clearing and checking is done; without it in this process, by `src/clearing` and `src/verify`. */
export interface Engine {
  clear(book: Book, hash: string, budget?: ClearingBudget): Promise<Clearing>;
  verify(book: Book, hash: string, result: Result): Promise<Verification>;
}

export interface Ports {
  readonly clock: Clock;
  /** By id; the first one is the default market. */
  readonly markets: ReadonlyMap<string, Market>;
  readonly auctions: AuctionStore;
  readonly orders: OrderStore;
  readonly archive: Archive;
  readonly notices: Notices;
  readonly workflow: Workflow;
  readonly meter: Meter;
  readonly signer: Signer;
  readonly engine?: Engine;
  /** So long one call may search for a result at most, whatever the market says: a call that does not come back ends no auction. */
  readonly longestSearchMs: number;
}
