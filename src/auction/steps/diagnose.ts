/**
 * The last step of a workflow that failed: without which orders would the auction clear?
 *
 * It is looked for by leaving out and clearing again: first whose orders, then which of theirs, as few as can be
 * (`smallest-set.ts`). Nothing is left out by that: an operator reads the diagnosis and decides (`restartAuction`).
 */

import type * as z from 'zod';
import { canonical } from '../../book/canonical.ts';
import { sha256 } from '../../book/intake.ts';
import { type ClearingBudget, clear } from '../../clearing/clear.ts';
import type { Book } from '../../market/book.ts';
import type { BookOrder } from '../../market/order.ts';
import type { OrderName } from '../../market/result.ts';
import { verify } from '../../verify/verify.ts';
import type { Auction } from '../auction.ts';
import type { Engine, Ports } from '../ports.ts';
import { type Diagnosis, diagnosis, type Finding } from '../records/diagnosis.ts';
import { excludedFrom, separable } from '../records/exclusion.ts';
import { diagnosisKey } from '../records/keys.ts';
import { findAuction } from '../records/moves.ts';
import { readSealedBook } from '../views/results.ts';
import { smallestWithout } from './smallest-set.ts';
import type { run } from './step.ts';
import { tell } from './tell.ts';

const inProcess: Engine = { clear, verify: async (...of) => verify(...of) };

/** How long one clearing may search, in ms; the whole looks for as long as a call of clearing may. */
const mostMsEach = 30_000;
/** How many branches one clearing looks at: as few as it takes for the whole book to fail. */
const depths = [30, 300, 3000, Number.POSITIVE_INFINITY];
const mostDetails = 20;

export async function diagnoseFailure(ports: Ports, input: z.output<typeof run>): Promise<{ found?: Finding }> {
  const auction = await findAuction(ports, input.auction);
  const { failure, book } = auction;
  const isCleared = failure?.from === 'clearing' || failure?.from === 'preliminary';
  if (auction.state !== 'failed' || auction.run !== input.run || !isCleared || book === undefined) return {};
  const earlier = await ports.archive.read(diagnosisKey(auction));
  const found = earlier === undefined ? await diagnose(ports, auction) : diagnosis.parse(JSON.parse(earlier));
  const text = earlier ?? canonical(found);
  if (earlier === undefined) await ports.archive.write(diagnosisKey(auction), text);
  const summary = { found: found.found, orders: found.without.length };
  // Whoever restarted it meanwhile did not wait for this.
  const withHash = { ...failure, diagnosis: { ...summary, hash: sha256(text) } };
  await ports.auctions.advance(auction, { ...auction, failure: withHash });
  const id = `auction-diagnosed:${auction.id}:${auction.run}`;
  await tell(ports, auction, [{ id, kind: 'auction-diagnosed', ...summary }]);
  return { found: found.found };
}

async function diagnose(ports: Ports, auction: Auction): Promise<Diagnosis> {
  const { clock, engine = inProcess, longestSearchMs } = ports;
  const whole = await readSealedBook(ports, auction);
  const excluded = await excludedFrom(ports, auction);
  const out = new Set(excluded.map(keyOf));
  const book = { ...whole, orders: whole.orders.filter((order) => !out.has(keyOf(order))) };
  const end = clock.now().getTime() + longestSearchMs;
  const isSpent = () => clock.now().getTime() >= end;
  let clearings = 0;
  let depth = 0;
  const fails = async (orders: readonly BookOrder[]): Promise<readonly string[] | undefined> => {
    clearings++;
    // Others have their turn between two clearings.
    await new Promise((resolve) => setImmediate(resolve));
    const until = Math.min(end, clock.now().getTime() + mostMsEach);
    const part = { ...book, orders: [...orders] };
    const budget = { branches: depths[depth]!, until: () => clock.now().getTime() >= until };
    return failsWith(engine, part, auction.book!.hash, budget);
  };
  let details = await fails(book.orders);
  while (details === undefined && depth < depths.length - 1 && !isSpent()) {
    depth++;
    details = await fails(book.orders);
  }
  const about = {
    merit: 'diagnosis/1',
    auction: auction.id,
    run: auction.run,
    cause: auction.cause ?? '',
    details: (details ?? []).slice(0, mostDetails),
  } as const;
  const ending = (found: Finding, without: readonly BookOrder[] = [], conflicts: readonly BookOrder[][] = []) => ({
    ...about,
    found,
    without: without.length === 0 ? [] : [...excluded, ...without.map(nameOf)],
    conflicts: conflicts.map((orders) => orders.map(nameOf)),
    clearings,
  });
  if (details === undefined) return ending('clears');

  const passes = async (kept: readonly BookOrder[][]) => (await fails(inBook(book, kept.flat()))) === undefined;
  const owners = [...Map.groupBy(book.orders, ({ participant }) => participant).values()];
  const whose = await smallestWithout(owners, { passes, isSpent });
  if (whose.kind !== 'found') return ending(whose.kind);
  const suspects = new Set(whose.without.flat());
  const others = book.orders.filter((order) => !suspects.has(order));
  const sets = separable({ ...book, orders: [...suspects] });
  const which = await smallestWithout(sets, { passes: (kept) => passes([...kept, others]), isSpent });
  if (which.kind !== 'found') return ending('participants', whose.without.flat());
  if (which.without.length === 0) return ending('clears');
  return ending(
    'orders',
    which.without.flat(),
    which.conflicts.map((conflict) => conflict.flat()),
  );
}

/** What the book fails with; `undefined` when it clears, and the verifier passes what comes out. */
async function failsWith(
  { clear, verify }: Engine,
  book: Book,
  hash: string,
  budget: ClearingBudget,
): Promise<readonly string[] | undefined> {
  try {
    const { result } = await clear(book, hash, budget);
    canonical(result); // as the archive will have it
    const { checks } = await verify(book, hash, result);
    const broken = checks.filter(({ violations }) => violations.length > 0);
    if (broken.length === 0) return undefined;
    return broken.flatMap(({ invariant, violations }) =>
      violations.map(({ where, message }) => `${invariant} ${where}: ${message}`),
    );
  } catch (error) {
    // Whatever it is that the engine throws: it is what is being looked for.
    const { name, message } = error as Error;
    return [`${name}: ${message.split('\n')[0]!.slice(0, 500)}`];
  }
}

/** Orders in the order of the book. */
function inBook({ orders }: Book, some: readonly BookOrder[]): BookOrder[] {
  const wanted = new Set(some);
  return orders.filter((order) => wanted.has(order));
}

const keyOf = ({ participant, record_id }: OrderName): string => `${participant}/${record_id}`;
const nameOf = ({ participant, record_id }: BookOrder): OrderName => ({
  record_id,
  ...(participant !== undefined && { participant }),
});
