/** Notices are sent, and counted by their kind. */

import { utc } from '../../market/time.ts';
import { type Auction, sequenceOf } from '../auction.ts';
import type { News, Ports } from '../ports.ts';

/** @param auction  as it is once what is told has happened */
export async function tell(
  ports: Pick<Ports, 'notices' | 'meter' | 'clock'>,
  auction: Auction,
  news: readonly News[],
): Promise<void> {
  if (news.length === 0) return;
  const { id, state, run } = auction;
  const head = { auction: id, state, run, sequence: sequenceOf(auction), at: utc(ports.clock.now()) };
  await ports.notices.send(news.map((each) => ({ ...each, ...head })));
  for (const [kind, some] of Map.groupBy(news, (notice) => notice.kind))
    ports.meter.record('notices_sent', some.length, kind);
}
