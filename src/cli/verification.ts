/** The independent check of a result, told as a table and in words that say no more than was looked at. */

import { checkIntake, uncheckedOf } from '../book/check-intake.ts';
import type { Receipt } from '../book/intake.ts';
import { receiptFaults } from '../book/receipts.ts';
import type { Book } from '../market/book.ts';
import type { Proof } from '../market/proof.ts';
import type { Result } from '../market/result.ts';
import type { Check } from '../verify/check.ts';
import { checkProof, type ProofVerification } from '../verify/proof/check-proof.ts';
import { type Decisions, type Standing, standingOf } from '../verify/standing.ts';
import { verify } from '../verify/verify.ts';
import { count, counted, figure, gapText, print, printJson, table } from './output.ts';

const shownPerCheck = 5;
const claimsShown = 5;

interface Evidence {
  readonly proof?: Proof | undefined;
  readonly receipts?: readonly Receipt[] | undefined;
  /** Of what the house signed. */
  readonly more?: readonly Check[] | undefined;
}

interface Options extends Evidence {
  readonly json?: boolean;
  /** Say nothing when all is well. */
  readonly quiet?: boolean;
}

export interface Verified extends Standing {
  /** The rules hold, and so do the proof and the receipts where they were given. */
  readonly ok: boolean;
  /** Of the rules, the intake and the receipts. */
  readonly checks: readonly Check[];
  readonly proof?: ProofVerification;
}

/** All that can be looked at. */
export function verificationOf(
  book: Book,
  hash: string,
  result: Result,
  { proof, receipts, more = [] }: Evidence = {},
): Verified {
  const held = receipts === undefined ? [] : [receiptCheck(book, receipts)];
  const checks = [...verify(book, hash, result).checks, intakeCheck(book), ...held, ...more];
  const proven = proof === undefined ? undefined : checkProof(book, hash, result, proof);
  const standing = standingOf(result, checks, proven);
  const ok = standing.rules === 'hold' && proven?.ok !== false;
  return { ...standing, ok, checks, ...(proven && { proof: proven }) };
}

/** The same, and told. */
export function verifyAndTell(book: Book, hash: string, result: Result, options: Options = {}): Verified {
  const found = verificationOf(book, hash, result, options);
  if (options.json) printJson(asJson(hash, result, found));
  else if (!found.ok || options.quiet !== true) tell(book, result, found);
  return found;
}

function asJson(hash: string, { auction, excluded }: Result, { ok, rules, decisions, checks, proof }: Verified) {
  const all = [...checks, ...(proof?.checks ?? [])];
  return {
    ok,
    rules,
    decisions,
    auction,
    book: hash,
    ...(excluded && { excluded }),
    checks: all,
    ...(proof && { proof: { ok: proof.ok, bound: proof.bound, leaves: proof.leaves, claimed: proof.claimed } }),
  };
}

/** Of a book without an intake too: what cannot be seen is said. */
function intakeCheck(book: Book): Check {
  const { intake, orders } = book;
  const problems = checkIntake(book);
  const unchecked = problems.length === 0 ? uncheckedOf(book) : undefined;
  return {
    invariant: 'intake',
    title: 'the chain of receipts leads to the book',
    checked: intake === undefined ? 0 : orders.length + intake.withdrawn.length,
    violations: problems.map(({ record_id, message }) => ({ where: record_id ?? 'intake', message })),
    ...(unchecked !== undefined && { unchecked }),
  };
}

/** Of whoever sent orders: the book is the one that took them. */
function receiptCheck(book: Book, receipts: readonly Receipt[]): Check {
  const faults = receiptFaults(book, receipts);
  const violations = faults.map(({ record_id, message }) => ({ where: record_id!, message }));
  return { invariant: 'receipts', title: 'these receipts fit the book', checked: receipts.length, violations };
}

function tell(book: Book, result: Result, { rules, decisions, checks, proof }: Verified): void {
  tellChecks([...checks, ...(proof?.checks ?? [])]);
  const total = checks.reduce((sum, { checked }) => sum + checked, 0);
  const broken = checks.filter(({ violations }) => violations.length > 0).length;
  const said =
    rules === 'hold' ? `the rules hold, ${counted(total, 'check')}` : `REJECTED, ${counted(broken, 'rule')} broken`;
  print(`\n${result.auction}: ${said}`);
  if (proof?.ok === false) print('the proof does not hold');
  if (rules === 'hold') for (const line of decisionLines(book, result, decisions)) print(line);
  tellExcluded(result);
}

/** A table of what was looked at, and below it what was found. */
export function tellChecks(all: readonly Check[]): void {
  const rows = all.map((check) => [
    check.invariant,
    check.title,
    check.checked === 0 ? '-' : count(check.checked),
    foundText(check),
  ]);
  print(table(['rule', 'what', 'checked', 'found'], rows));
  for (const { invariant, violations, unchecked } of all) {
    for (const { where, message } of violations.slice(0, shownPerCheck)) print(`  ${invariant} ${where}: ${message}`);
    if (violations.length > shownPerCheck) print(`  ${invariant}: and ${violations.length - shownPerCheck} more`);
    if (unchecked !== undefined) print(`  ${invariant}: ${unchecked}`);
  }
}

function foundText({ checked, violations, unchecked }: Check): string {
  if (violations.length > 0) return counted(violations.length, 'violation');
  if (unchecked !== undefined) return 'unchecked';
  return checked === 0 ? 'nothing to check' : 'ok';
}

/** What is known of the decisions, a line for each thing. */
export function decisionLines(book: Book, { welfare }: Result, decisions: Decisions): string[] {
  if (decisions.grade === 'unchecked') return [uncheckedLine(book)];
  const { grade, bound, gap, leaves } = decisions;
  const more = `${figure(Math.max(0, bound - welfare))} above this one (gap ${gapText(gap)})`;
  const proof = `by ${count(leaves)} ${leaves === 1 ? 'leaf' : 'leaves'}: no answer is worth more than ${figure(bound)}, ${more}`;
  if (grade === 'proven') return [`decisions: proven ${proof}`];
  const { claims, boundWithoutClaims } = decisions;
  const lines = [`decisions: claimed ${proof}, unless one of these is false, which are the engine's word:`];
  for (const { orders, hides } of claims.slice(0, claimsShown))
    lines.push(
      `  no prices support ${orders.join(', ')} together; if some did, ${figure(hides)} at most would be hidden`,
    );
  if (claims.length > claimsShown) lines.push(`  and ${count(claims.length - claimsShown)} more`);
  return [...lines, `  were all of them false, no answer would be worth more than ${figure(boundWithoutClaims)}`];
}

function uncheckedLine({ orders, lines }: Book): string {
  const isDecided = orders.some(({ kind }) => kind === 'block' || kind === 'flexible' || kind === 'complex');
  if (isDecided || lines.some(({ loss }) => loss > 0))
    return 'decisions: unchecked. Nothing here says that no better set of decisions exists; a proof would (docs/trust.md)';
  return 'decisions: unchecked, without a proof; this book has no blocks, flexible or complex orders to decide (docs/trust.md)';
}

/** Whom a result leaves out no rule can judge: whoever reads the verification is told. */
function tellExcluded({ excluded = [] }: Result): void {
  if (excluded.length === 0) return;
  const names = excluded.map(({ participant, record_id }) => (participant ? `${participant}/${record_id}` : record_id));
  const more = names.length > mostNamed ? ` and ${count(names.length - mostNamed)} more` : '';
  print(`the operator left out ${counted(names.length, 'order')}: ${names.slice(0, mostNamed).join(', ')}${more}`);
}
const mostNamed = 20;
