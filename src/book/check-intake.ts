/** Whether the chain of an intake leads to its book: that nobody changed it since the entries were acknowledged. */

import type { Book, IntakeLink, IntakeRecord } from '../market/book.ts';
import { rulesVersion } from '../market/book.ts';
import type { Problem } from '../market/errors.ts';
import { chainOf, entriesIn, isStamped, type ShownEntry, type StampedOrder } from './book-chain.ts';
import { intakeHash, sequenceOf, shardOf } from './intake.ts';
import { networkHashIn, termsHashIn } from './opening.ts';
import { leftOut } from './relations.ts';

type Record2 = IntakeRecord & { rule: 2 };

/**
 * What does not fit, the first of its kind.
 *
 * A book that came through no intake has no chain, and then nothing is wrong: `uncheckedOf` says what nobody can see of it.
 */
export function checkIntake(book: Book): Problem[] {
  const { intake, orders } = book;
  if (intake === undefined) {
    const stamped = orders.find(({ sequence, received_at }) => sequence !== undefined || received_at !== undefined);
    return stamped === undefined
      ? []
      : [problem('no-intake', 'orders have stamps, but the book has no intake', stamped)];
  }
  const bare = [...orders, ...leftOutIn(intake)].find((order) => !isStamped(order));
  if (bare !== undefined)
    return [problem('no-stamps', `order ${bare.record_id} has no stamps, but the book has an intake`, bare)];
  const moved = orders.find((order, at) => at > 0 && order.sequence! <= orders[at - 1]!.sequence!);
  if (moved !== undefined) {
    const message = `order ${moved.record_id} stands behind one of a later sequence: orders stand as they came`;
    return [problem('out-of-sequence', message, moved)];
  }
  const entries = entriesIn(book);
  const problems = chainProblems(book, intake, entries);
  if (problems.length > 0 || intake.rule !== 2) return problems;
  const links = entries.map(({ link }) => link!);
  return [...openingProblems(book, intake), ...gateProblems(intake, links), ...withdrawalProblems(book, intake, links)];
}

/** What the chain of a book says nothing of, so that only the operator's word is left; undefined where it covers all. */
export function uncheckedOf(book: Book): string | undefined {
  const { intake } = book;
  if (intake === undefined)
    return 'the book has no intake: whether orders were sent so, all of them, only its author knows';
  if (intake.rule !== 2)
    return 'a chain of before: limits, zones, network and times, and who withdrew what, are the word of the operator';
  if (intake.replaced !== undefined)
    return 'the network was replaced after the auction was made: that it was before the gate closed is the word of the operator';
  return undefined;
}

const problem = (code: string, message: string, order?: { readonly record_id: string }): Problem =>
  order === undefined
    ? { field: 'intake', code, message }
    : { record_id: order.record_id, field: 'sequence', code, message };

const leftOutIn = (intake: IntakeRecord) => (intake.rule === 2 && intake.leftOut) || [];

function chainProblems(book: Book, intake: IntakeRecord, entries: readonly ShownEntry[]): Problem[] {
  if (intake.rule === 2) {
    const found = termsHashIn(book, intake);
    if (found !== intake.terms) {
      const what = 'market, currency, limits, zones, network, delivery, gate and version of the rules';
      return [problem('other-terms', `${what} give ${found}, the chain begins at ${intake.terms}: one was changed`)];
    }
  }
  const { shards, heads } = chainOf(book, entries);
  const next = heads.map((_, shard) => sequenceOf(shard, 1, shards));
  for (const { sequence } of entries) {
    const shard = shardOf(sequence, shards);
    if (sequence !== next[shard])
      return [problem('gap-in-sequence', `the intake's entry ${next[shard]} is missing or there twice`)];
    next[shard] = sequence + shards;
  }
  const changed = heads.findIndex((head, shard) => intake.heads !== undefined && head !== intake.heads[shard]);
  const [field, found, said] =
    changed >= 0
      ? [`intake.heads.${changed}`, heads[changed], intake.heads![changed]]
      : ['intake.hash', intakeHash(heads), intake.hash];
  if (found === said) return [];
  const message = `the orders give the running hash ${found}, the book says ${said}: an order was changed`;
  return [{ field, code: 'hash-mismatch', message }];
}

/** The network is the one of the opening, or the one that the book says took its place; the rules are these. */
function openingProblems(book: Book, { network, replaced, rules }: Record2): Problem[] {
  const found = networkHashIn(book);
  const said = replaced ?? network;
  const problems: Problem[] = [];
  if (found !== said) problems.push(problem('other-network', `the network is ${found}, the intake says ${said}`));
  if (rules !== rulesVersion)
    problems.push(problem('other-rules', `it is of version ${rules} of the rules, and this is ${rulesVersion}`));
  return problems;
}

function gateProblems({ gateOpening, gateClosure }: Record2, links: readonly IntakeLink[]): Problem[] {
  const [opens, closes] = [Date.parse(gateOpening), Date.parse(gateClosure)];
  const late = links.find(({ received_at }) => Date.parse(received_at) < opens || Date.parse(received_at) >= closes);
  if (late === undefined) return [];
  const message = `entry ${late.sequence} came at ${late.received_at}; the gate was open from ${gateOpening} to ${gateClosure}`;
  return [problem('outside-the-gate', message)];
}

/**
 * What was withdrawn is accounted for: versions of an order follow one another without a gap, only the last may be in the book, and that one
 * is not if there is a cancellation, which is of it. Who else is left out names who is not there.
 */
function withdrawalProblems({ orders }: Book, intake: Record2, links: readonly IntakeLink[]): Problem[] {
  const out = leftOutIn(intake) as StampedOrder[];
  const live = orders as StampedOrder[];
  const shown = new Map([...live, ...out].map((order) => [order.sequence, order]));
  const cancellations = new Map<string, IntakeLink>();
  for (const link of links) {
    if (link.kind !== 'cancellation') continue;
    const twice = cancellations.get(link.of);
    if (twice !== undefined)
      return [problem('withdrawn-twice', `entries ${twice.sequence} and ${link.sequence} withdraw the same order`)];
    cancellations.set(link.of, link);
  }
  const versions = links
    .filter(({ kind }) => kind !== 'cancellation')
    .map(({ of, sequence, version = 1 }): Version => ({ of, sequence, version, order: shown.get(sequence) }));
  const byOrder = Map.groupBy(versions, ({ of }) => of);
  for (const of of [...cancellations.keys(), ...byOrder.keys()]) {
    const found = versionProblem(byOrder.get(of) ?? [], cancellations.get(of));
    if (found !== undefined) return [found];
  }
  return leftOutProblems(live, out);
}

/** A version of an order: shown in the book, or withdrawn. */
interface Version {
  readonly of: string;
  readonly sequence: number;
  readonly version: number;
  readonly order: StampedOrder | undefined;
}

/** @param versions  all of one order, as they came */
function versionProblem(versions: readonly Version[], cancellation: IntakeLink | undefined): Problem | undefined {
  const sorted = versions.length === 1 ? versions : [...versions].sort((a, b) => a.version - b.version);
  const last = sorted.at(-1);
  if (last === undefined)
    return problem('nothing-withdrawn', `entry ${cancellation!.sequence} withdraws an order that there is not`);
  for (const [at, { sequence, version, order }] of sorted.entries()) {
    if (version === sorted[at - 1]?.version)
      return problem(
        'replaced-twice',
        `entries ${sorted[at - 1]!.sequence} and ${sequence} replace the same version`,
        order,
      );
    if (version !== at + 1)
      return problem(
        'nothing-replaced',
        `entry ${sequence} is version ${version}, and there is no version ${at + 1}`,
        order,
      );
    if (order !== undefined && version !== last.version)
      return problem('not-replaced', `entry ${sorted[at + 1]!.sequence} replaces an order that is in the book`, order);
  }
  if (cancellation === undefined) {
    if (last.order !== undefined) return undefined;
    const message = `entry ${last.sequence} is an order that is not in the book, and nobody withdrew it`;
    return problem('not-cancelled', message);
  }
  if (last.order !== undefined)
    return problem(
      'not-withdrawn',
      `entry ${cancellation.sequence} withdraws an order that is in the book`,
      last.order,
    );
  if ((cancellation.version ?? 1) === last.version) return undefined;
  const message = `entry ${cancellation.sequence} withdraws version ${cancellation.version ?? 1}, and the last is ${last.version}`;
  return problem('other-withdrawn', message);
}

function leftOutProblems(live: readonly StampedOrder[], out: readonly StampedOrder[]): Problem[] {
  const all = [...live, ...out].sort((a, b) => a.sequence - b.sequence);
  const entries = all.map(({ participant, sequence, ...order }) => ({ participant, sequence, order }));
  const due = new Set(leftOut(entries, []).map(({ entry }) => entry.sequence));
  const unjust = out.find(({ sequence }) => !due.has(sequence));
  if (unjust === undefined) return [];
  return [problem('left-out', `order ${unjust.record_id} was left out, and nothing that it names is missing`, unjust)];
}
