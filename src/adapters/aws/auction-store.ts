/**
 * Auctions in a table: each has a record, found by its id, and a place in a list, newest gate closure first. Both change in one
 * transaction, so that a list, read consistently, never lags behind: an index of the table would.
 *
 * Lists: `live` until an auction is settled or cancelled, `ended` while its orders are kept, `past` afterwards. The first two stay
 * short, so nothing that runs every minute, or with every order, reads more than a page. The past grows for years: it has a list for
 * each state, and for each state and market, so that whoever asks for some reads those alone.
 */

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { type Auction, type AuctionState, auction as auctionSchema } from '../../auction/auction.ts';
import type { AuctionStore } from '../../auction/ports.ts';
import { canonical } from '../../book/canonical.ts';
import { AuctionError } from '../../market/errors.ts';
import { deliveryEnd } from '../../market/time.ts';
import type { Action, Database, Item, Key } from './database.ts';
import { pause } from './pause.ts';

/** An auction, and how many shards its intake has: as many as were configured when it was made, come what may. */
export interface AuctionRecord {
  readonly auction: Auction;
  readonly shards: number;
}

export interface AuctionRecords extends AuctionStore {
  record(id: string): Promise<AuctionRecord | undefined>;
  /** Those that are in the list, newest first. */
  records(list: 'live' | 'ended'): Promise<AuctionRecord[]>;
  /** The orders of an ended auction are gone. */
  forget(record: AuctionRecord): Promise<void>;
}

const endStates = ['settled', 'cancelled'] as const satisfies readonly AuctionState[];
type EndState = (typeof endStates)[number];
type List = 'live' | 'ended' | `past#${EndState}` | `past#${EndState}#${string}`;

export const hasEnded = (state: AuctionState): state is EndState =>
  (endStates as readonly AuctionState[]).includes(state);
const listOf = (state: AuctionState): List => (hasEnded(state) ? 'ended' : 'live');
const pastOf = (state: EndState, market?: string): List =>
  market === undefined ? `past#${state}` : `past#${state}#${market}`;

const attempts = 12;

const delivers = ({ delivery }: Auction, { from, to }: { readonly from: number; readonly to: number }): boolean =>
  Date.parse(delivery.start) < to && Date.parse(deliveryEnd(delivery)) > from;

const recordKey = (id: string): Key => ({ pk: `auction#${id}`, sk: 'auction' });
/** Far less than a sort key counts: the time that is left of a thousand years from 1970, so that the newest comes first. */
const placeIn = (list: List, { id, gateClosure }: Auction): Key => ({
  pk: `list#${list}`,
  sk: `${String(31_556_952_000_000 - Date.parse(gateClosure)).padStart(14, '0')}#${id}`,
});

const recordOf = ({ body, shards }: Item): AuctionRecord => ({
  auction: auctionSchema.parse(JSON.parse(body as string)),
  shards: shards as number,
});

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a scope: its methods, each short, share one table
export function openAuctionStore(database: Database, table: string, shards: number): AuctionRecords {
  const record = async (id: string): Promise<AuctionRecord | undefined> => {
    const item = await database.get(table, recordKey(id));
    return item && recordOf(item);
  };

  /** @returns whether it was done; the record that stood in the way when not */
  async function write(actions: readonly Action[], ours: string): Promise<{ done: boolean; found?: Item | undefined }> {
    let isUnknown = false;
    for (let attempt = 0; ; attempt++) {
      try {
        const answer = await database.transact(actions);
        if (answer.done) return { done: true };
        const failed = [...answer.refused.values()].find(({ code }) => code === 'ConditionalCheckFailed');
        // After an attempt without an answer we may meet what we wrote ourselves.
        if (failed) return { done: isUnknown && failed.found?.body === ours, found: failed.found };
      } catch (error) {
        if (!(error instanceof AuctionError) || attempt === attempts) throw error;
        isUnknown = true;
      }
      if (attempt === attempts) throw new AuctionError('unavailable', 'the auction is being written by others');
      await pause(attempt);
    }
  }

  /** @param isWanted  of all that are in the list, unless it leaves some out */
  async function records(list: List, limit = Number.POSITIVE_INFINITY, isWanted?: (auction: Auction) => boolean) {
    const found: AuctionRecord[] = [];
    if (limit < 1) return found;
    for await (const item of database.query(table, `list#${list}`, isWanted ? {} : { limit })) {
      const each = recordOf(item);
      if ((isWanted?.(each.auction) ?? true) && found.push(each) === limit) break;
    }
    return found;
  }

  async function advance(known: Auction, next: Auction): Promise<boolean> {
    const stored = await database.get(table, recordKey(next.id));
    if (stored === undefined || !isDeepStrictEqual(recordOf(stored).auction, known)) return false;
    const before = placeIn(listOf(known.state), known);
    const after = placeIn(listOf(next.state), next);
    const item = { state: next.state, shards: stored.shards, body: canonical(next) };
    const { done } = await write(
      [
        {
          table,
          put: { ...recordKey(next.id), ...item },
          condition: { text: 'body = :known', values: { ':known': stored.body } },
        },
        { table, put: { ...after, ...item } },
        ...(before.pk === after.pk && before.sk === after.sk ? [] : [{ table, remove: before }]),
      ],
      item.body,
    );
    return done;
  }

  return {
    record,
    records: (list) => records(list),
    async find(id) {
      return (await record(id))?.auction;
    },
    async create(auction) {
      const body = canonical(auction);
      const state = { state: auction.state, shards, body };
      const { done, found } = await write(
        [
          { table, put: { ...recordKey(auction.id), ...state }, condition: { text: 'attribute_not_exists(pk)' } },
          { table, put: { ...placeIn(listOf(auction.state), auction), ...state } },
        ],
        body,
      );
      if (!done && found?.body !== body) {
        throw new AuctionError('conflict', `there is another auction ${auction.id} already`);
      }
    },
    async list({ market, states, limit, delivering } = {}) {
      const isFiltered = market !== undefined || states !== undefined || delivering !== undefined;
      const isWanted = (auction: Auction) =>
        (market === undefined || auction.market === market) &&
        (states === undefined || states.includes(auction.state)) &&
        (delivering === undefined || delivers(auction, delivering));
      const recent = (list: 'live' | 'ended') => records(list, limit, isFiltered ? isWanted : undefined);
      const ends = endStates.filter((state) => states?.includes(state) ?? true);
      const found = await Promise.all([
        states?.every(hasEnded) ? [] : recent('live'),
        ends.length > 0 ? recent('ended') : [],
        ...ends.map((state) => records(pastOf(state, market), limit, delivering && isWanted)),
      ]);
      const place = ({ auction }: AuctionRecord) => placeIn('live', auction).sk!;
      const sorted = found.flat().sort((a, b) => (place(a) < place(b) ? -1 : 1));
      return sorted.slice(0, limit).map(({ auction }) => auction);
    },
    advance,
    async forget({ auction, shards }) {
      const { state, market } = auction;
      assert(hasEnded(state), `auction ${auction.id} is ${state}: it has not ended`);
      const item = { state, shards, body: canonical(auction) };
      const past = [pastOf(state), pastOf(state, market)].map((list) => ({
        table,
        put: { ...placeIn(list, auction), ...item },
      }));
      await write([{ table, remove: placeIn('ended', auction) }, ...past], item.body);
    },
  };
}
