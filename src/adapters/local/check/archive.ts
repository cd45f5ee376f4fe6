/**
 * The archive against the auctions: every document that a record names is there, with the hash that the record has.
 *
 * What no record names (checkpoints, results of earlier runs, networks that were replaced) is not looked at: nobody is served it.
 */

import type { Auction } from '../../../auction/auction.ts';
import type { Archive } from '../../../auction/ports.ts';
import { readDocument, readJsonDocument } from '../../../auction/records/documents.ts';
import {
  acceptedKey,
  bookKey,
  diagnosisKey,
  exclusionKey,
  networkKey,
  pageKey,
  pagesKey,
  resultKey,
} from '../../../auction/records/keys.ts';
import type { Pages } from '../../../auction/views/results.ts';
import { type SettledOrder, settledOrders } from '../../../auction/views/settled-order.ts';
import { canonical } from '../../../book/canonical.ts';
import { rootIn } from '../../../book/check-evidence.ts';
import { checkIntake } from '../../../book/check-intake.ts';
import { sha256 } from '../../../book/intake.ts';
import type { Book } from '../../../market/book.ts';
import type { Result } from '../../../market/result.ts';
import { verify } from '../../../verify/verify.ts';
import type { Check, Found } from './checks.ts';

export interface ArchiveCheckOptions {
  readonly auctions: readonly Auction[];
  readonly archive: Archive;
  /** The running hash at the end of each intake that the database still has. */
  readonly intakes: ReadonlyMap<string, string>;
  /** Whether each result is verified against its book once more, which takes as long as at first. */
  readonly verified: boolean;
}

/** Counts what a rule looks at, and keeps what it finds. */
class Tally {
  readonly found: Found[] = [];
  checked = 0;
  readonly rule: string;
  readonly title: string;
  constructor(rule: string, title: string) {
    this.rule = rule;
    this.title = title;
  }
  /** @returns what `look` returns; nothing where it throws, which is what was found */
  async look<T>(where: string, look: () => Promise<T>): Promise<T | undefined> {
    this.checked++;
    try {
      return await look();
    } catch (error) {
      this.found.push({ where, message: (error as Error).message });
      return undefined;
    }
  }
}

export async function checkArchive({ auctions, archive, intakes, verified }: ArchiveCheckOptions): Promise<Check[]> {
  const books = new Tally('books', 'sealed books have their hash, and lead to their intake and its tree');
  const results = new Tally('results', 'results have their hash, and name their book');
  const outcomes = new Tally('outcomes', 'pages of outcomes, and of accepted orders');
  const others = new Tally('documents', 'networks, exclusions and diagnoses');
  const verifications = new Tally('rules', 'results keep the rules of their books');
  const read = (tally: Tally, key: string, hash: string) => tally.look(key, () => readDocument({ archive }, key, hash));

  for (const auction of auctions) {
    const { id, book: sealed, result: cleared, network, excluded, failure } = auction;
    if (network) await read(others, networkKey(network.hash), network.hash);
    if (excluded) await read(others, exclusionKey(auction), excluded.hash);
    const diagnosed = failure?.diagnosis?.hash;
    if (diagnosed) await read(others, diagnosisKey(auction), diagnosed);

    const book = sealed && (await books.look(bookKey(id), () => readBook(auction, sealed.hash)));
    const result = cleared && (await results.look(resultKey(auction), () => readResult(auction, cleared.hash)));
    if (verified && book && result)
      await verifications.look(id, async () => {
        const broken = verify(book, sealed.hash, result).checks.filter(({ violations }) => violations.length > 0);
        if (broken.length > 0)
          throw new Error(`the verifier rejects it: ${broken.map((each) => each.invariant).join(', ')}`);
      });
    if (auction.pages || (book && result)) await checkPages(auction, book, result);
  }
  return [books, results, outcomes, others, ...(verified ? [verifications] : [])].map(
    ({ rule, title, checked, found }): Check => ({ rule, title, checked, found }),
  );

  async function readBook({ id, tree }: Auction, hash: string): Promise<Book> {
    const book = (await readJsonDocument({ archive }, bookKey(id), hash)) as Book;
    const [problem] = checkIntake(book);
    if (problem) throw new Error(problem.message);
    const end = intakes.get(id);
    if (end !== undefined && book.intake?.hash !== end)
      throw new Error(`its intake has the hash ${book.intake?.hash}, the database has ${end}`);
    const { root } = rootIn(book);
    if (tree !== undefined && tree.root !== root)
      throw new Error(`the tree of its entries has the root ${root}, signed was ${tree.root}`);
    return book;
  }

  async function readResult(auction: Auction, hash: string): Promise<Result> {
    const result = (await readJsonDocument({ archive }, resultKey(auction), hash)) as Result;
    if (result.book !== auction.book?.hash)
      throw new Error(`it is of book ${result.book}, sealed was ${auction.book?.hash}`);
    return result;
  }

  async function checkPages(auction: Auction, book: Book | undefined, result: Result | undefined): Promise<void> {
    const pages = auction.pages ? await readPages(auction, auction.pages.hash) : derivedPages(auction, book!, result!);
    for (const [key, hash] of Object.entries(pages ?? {})) {
      const text = await read(outcomes, key, hash);
      // The rest is written when the auction settles.
      if (text === undefined || auction.state !== 'settled') continue;
      const { orders } = JSON.parse(text) as { orders: SettledOrder[] };
      const accepted = orders.filter(({ status }) => status !== 'rejected');
      if (accepted.length === 0) continue;
      const expected = sha256(canonical({ auction: auction.id, orders: accepted }));
      await read(outcomes, acceptedKey(auction, key), expected);
    }
  }

  async function readPages(auction: Auction, hash: string): Promise<Pages['pages'] | undefined> {
    const text = await read(outcomes, pagesKey(auction), hash);
    return text === undefined ? undefined : (JSON.parse(text) as Pages).pages;
  }
}

/** Of a record without their hashes: they follow from book and result. */
function derivedPages(auction: Auction, book: Book, result: Result): Pages['pages'] {
  const pages = Map.groupBy(settledOrders(book, result), ({ sequence }) => pageKey(auction, sequence));
  return Object.fromEntries(
    [...pages].map(([key, orders]) => [key, sha256(canonical({ auction: auction.id, orders }))]),
  );
}
