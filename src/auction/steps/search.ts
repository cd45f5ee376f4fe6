/**
 * The search for a result, over as many calls as the market's config allows it to take.
 *
 * What a call leaves undone lies in the archive as a checkpoint, numbered from 1; the next call, be it the workflow's next attempt or
 * the first one after a crash, goes on from the last. A checkpoint that is damaged, or that an engine of another version wrote, costs
 * what was searched before it and no more. In the last call that the workflow makes, and where no checkpoint can be written, the best
 * result there is counts as good enough: no auction ends without one for want of patience.
 */

import { canonical } from '../../book/canonical.ts';
import { type Clearing, type ClearingBudget, clear } from '../../clearing/clear.ts';
import type { Book } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Market } from '../../market/market.ts';
import { parseResult, type Result } from '../../market/result.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { excludedFrom } from '../records/exclusion.ts';
import { checkpointFolder, checkpointKey, resultKey } from '../records/keys.ts';

/** A result as it lies in the archive. */
export interface Stored {
  readonly result: Result;
  readonly text: string;
}

/**
 * Search within the limits of one call. `undefined` while what was found is not good enough to publish.
 *
 * @param isLast  whether the workflow will not ask again
 */
export async function searchOn(
  ports: Ports,
  market: Market,
  auction: Auction,
  book: Book,
  isLast: boolean,
): Promise<Stored | undefined> {
  const key = resultKey(auction);
  // A call that was cut after it had written its result: limits in time may lead a second one to another.
  const earlier = await ports.archive.read(key);
  if (earlier !== undefined) return { result: parseResult(JSON.parse(earlier)), text: earlier };

  const folder = checkpointFolder(auction);
  const [last] = (await ports.archive.list(folder)).toReversed();
  const checkpoint = last === undefined ? undefined : await ports.archive.read(last);
  const excluded = await excludedFrom(ports, auction);
  const budget = { ...budgetOf(ports, market, auction), keeps: !isLast, excluded };
  const clearing = await clearFrom(ports, book, auction.book!.hash, budget, checkpoint);
  if (clearing.checkpoint !== undefined && !isGoodEnough(ports, market, auction, clearing)) {
    const number = last === undefined ? 1 : Number.parseInt(last.slice(folder.length), 10) + 1;
    await writeUnlessThere(ports, checkpointKey(auction, number), clearing.checkpoint);
    return undefined;
  }
  const text = canonical(clearing.result);
  const stands = await writeUnlessThere(ports, key, text);
  return { result: stands === text ? clearing.result : parseResult(JSON.parse(stands)), text: stands };
}

async function clearFrom(
  { meter, engine }: Ports,
  book: Book,
  hash: string,
  budget: ClearingBudget,
  checkpoint: string | undefined,
): Promise<Clearing> {
  const run = engine?.clear ?? clear;
  const counted = async (within: ClearingBudget): Promise<Clearing> => {
    const clearing = await run(book, hash, within);
    const [, ...others] = clearing.solved;
    meter.record('programs_doubtful', others.pop()!);
    meter.record(
      'programs_solved_again',
      others.reduce((sum, count) => sum + count, 0),
    );
    return clearing;
  };
  if (checkpoint === undefined) return counted(budget);
  try {
    return await counted({ ...budget, checkpoint });
  } catch (error) {
    if (!(error instanceof AuctionError && error.code === 'invalid-checkpoint')) throw error;
    meter.record('checkpoints_refused', 1);
    return counted(budget);
  }
}

/** A twin of this call may have been first: then its text stands. */
async function writeUnlessThere({ archive }: Ports, key: string, text: string): Promise<string> {
  try {
    await archive.write(key, text);
    return text;
  } catch (error) {
    const twin = error instanceof AuctionError && error.code === 'conflict' ? await archive.read(key) : undefined;
    if (twin === undefined) throw error;
    return twin;
  }
}

function budgetOf({ clock, longestSearchMs }: Ports, market: Market, auction: Auction): ClearingBudget {
  const { clearing = {} } = market;
  const { branchesPerCall, millisecondsPerCall = Infinity } = clearing;
  const now = () => clock.now().getTime();
  const end = Math.min(now() + Math.min(millisecondsPerCall, longestSearchMs), publishingTime(clearing, auction));
  return {
    ...(branchesPerCall !== undefined && { branches: branchesPerCall }),
    ...(Number.isFinite(end) && { until: () => now() >= end }),
  };
}

/** From when on, in ms since the epoch, the best result there is counts as good enough. */
const publishingTime = ({ publishAfterSeconds = Infinity }: NonNullable<Market['clearing']>, auction: Auction) =>
  // The auction's last move was the one to `clearing`: its book was sealed.
  Date.parse(auction.updatedAt) + publishAfterSeconds * 1000;

function isGoodEnough({ clock }: Ports, { clearing = {} }: Market, auction: Auction, found: Clearing): boolean {
  if (found.result.gap <= (clearing.publishAtGap ?? 0)) return true;
  return clock.now().getTime() >= publishingTime(clearing, auction);
}
