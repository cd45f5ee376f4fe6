/** Where the things of an auction lie in the archive. A restarted auction has results of its own beside the earlier ones. */

import type { Auction } from '../auction.ts';

type Run = Pick<Auction, 'id' | 'run'>;

/** Sequences a page spans. A page reference must stay small, and a thousand of them must fit one workflow message. */
export const pageSize = 1000;

/** A network by its hash: auctions may share one. */
export const networkKey = (hash: string): string => `networks/${hash.replace(':', '-')}.json`;

/** One book for all runs: a sealed book never changes. */
export const bookKey = (auction: string): string => `books/${auction}.json`;

/** @param auction  whose result may be of an earlier run */
export const resultKey = ({ id, run: current, result }: Run & Pick<Auction, 'result'>): string => {
  const run = result?.run ?? current;
  return `results/${id}${run === 1 ? '' : `.run-${run}`}.json`;
};

/** Why a run failed, and without which orders it would clear. */
export const diagnosisKey = ({ id, run }: Run): string => `diagnoses/${id}.run-${run}.json`;

/** Which orders a run leaves out. */
export const exclusionKey = ({ id, run }: Run): string => `exclusions/${id}.run-${run}.json`;

/** Where the checkpoints of an unfinished search lie, in the order of their numbers. */
export const checkpointFolder = ({ id, run }: Run): string => `checkpoints/${id}/run-${run}/`;

export const checkpointKey = (auction: Run, number: number): string =>
  `${checkpointFolder(auction)}${String(number).padStart(5, '0')}.json`;

/** Outcomes lie by the run that their result is of: a binding result that is settled again has the same. */
const folder = ({ id, run: current, result }: Run & Pick<Auction, 'result'>): string => {
  const run = result?.run ?? current;
  return `orders/${id}${run === 1 ? '' : `/run-${run}`}`;
};

/** The pages of outcomes with their hashes. */
export const pagesKey = (auction: Run & Pick<Auction, 'result'>): string => `${folder(auction)}/pages.json`;

/** The outcomes of all orders whose sequence lies in the page's span, so that one order is found without a search. */
export const pageKey = (auction: Run & Pick<Auction, 'result'>, sequence: number): string =>
  `${folder(auction)}/page-${String(Math.ceil(sequence / pageSize)).padStart(5, '0')}.json`;

/** The accepted and partially accepted orders of a page. */
export const acceptedKey = (auction: Run & Pick<Auction, 'result'>, page: string): string =>
  `${folder(auction)}/accepted/${page.slice(page.lastIndexOf('/') + 1)}`;
