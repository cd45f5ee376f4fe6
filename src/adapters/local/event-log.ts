/**
 * The events of this process, the last few thousand of them in memory.
 *
 * An id is the start of the process and a number, so that whoever comes back with one of an earlier process is told to read again. What was
 * told is durable: it is taken from the store of auctions once that has answered.
 */

import { randomUUID } from 'node:crypto';
import type { AuctionStore } from '../../auction/ports.ts';
import { type EventLog, eventsOf, type HouseEvent, type NumberedEvent } from '../../auction/views/events.ts';

/** At some hundred bytes each. */
const usuallyKept = 10_000;

export interface LocalEventLog extends EventLog {
  add(events: readonly HouseEvent[]): void;
}

/** @param most  events that are kept */
export function openEventLog(most = usuallyKept): LocalEventLog {
  const start = randomUUID().slice(0, 8);
  const kept: NumberedEvent[] = [];
  /** Number of the newest. */
  let last = 0;
  let grown = Promise.withResolvers<void>();

  const numberOf = (id: string): number | undefined => {
    const [, of, number] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    return of === start && Number(number) <= last ? Number(number) : undefined;
  };

  return {
    add(events) {
      if (events.length === 0) return;
      for (const event of events) kept.push({ id: `${start}-${++last}`, event });
      if (kept.length > 2 * most) kept.splice(0, kept.length - most);
      grown.resolve();
      grown = Promise.withResolvers<void>();
    },
    newest: () => `${start}-${last}`,
    after(id) {
      const number = numberOf(id);
      const missed = number === undefined ? Number.POSITIVE_INFINITY : last - number;
      return missed > Math.min(kept.length, most) ? undefined : kept.slice(kept.length - missed);
    },
    async grown(id, stop) {
      if (id !== `${start}-${last}` || stop.aborted) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      stop.addEventListener('abort', () => resolve(), { once: true });
      await Promise.race([grown.promise, promise]);
    },
  };
}

/** A store whose changes are told, once they are made. */
export const telling = (auctions: AuctionStore, log: LocalEventLog): AuctionStore => ({
  ...auctions,
  async create(auction) {
    const isThere = (await auctions.find(auction.id)) !== undefined;
    await auctions.create(auction);
    if (!isThere) log.add(eventsOf(undefined, auction));
  },
  async advance(known, next) {
    const isDone = await auctions.advance(known, next);
    if (isDone) log.add(eventsOf(known, next));
    return isDone;
  },
});
