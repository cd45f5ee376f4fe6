/** The independent check of a result, told as a table. */

import { checkIntake, uncheckedOf } from '../book/check-intake.ts';
import type { Receipt } from '../book/intake.ts';
import { receiptFaults } from '../book/receipts.ts';
import type { Book } from '../market/book.ts';
import type { Proof } from '../market/proof.ts';
import type { Result } from '../market/result.ts';
import type { Check } from '../verify/check.ts';
import { checkProof, type ProofVerification } from '../verify/proof/check-proof.ts';
import { verify } from '../verify/verify.ts';
import { count, counted, figure, print, printJson, table } from './output.ts';

const shownPerCheck = 5;

interface Options {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly proof?: Proof | undefined;
  readonly receipts?: readonly Receipt[] | undefined;
}

/**
 * @param options.quiet say nothing when all is well
 * @returns whether the result stands
 */
export function verifyAndTell(
  book: Book,
  hash: string,
  result: Result,
  { json = false, quiet = false, proof, receipts }: Options = {},
): boolean {
  const proven = proof === undefined ? undefined : checkProof(book, hash, result, proof);
  const held = receipts === undefined ? [] : [receiptCheck(book, receipts)];
  const checks = [...allChecks(book, hash, result), ...held, ...(proven?.checks ?? [])];
  const ok = checks.every((check) => check.violations.length === 0);
  const { auction, excluded } = result;
  if (json)
    printJson({
      ok,
      auction,
      book: hash,
      ...(excluded && { excluded }),
      checks,
      ...(proven && { proof: proofText(proven) }),
    });
  else if (!ok || !quiet) {
    tell(result, checks, ok);
    tellExcluded(result);
    if (proven !== undefined) tellProof(result, proven);
  }
  return ok;
}

/** Those of the verifier, and the intake's chain of hashes. */
export function allChecks(book: Book, hash: string, result: Result): Check[] {
  return [...verify(book, hash, result).checks, intakeCheck(book)];
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

/** Whom a result leaves out no rule can judge: whoever reads the verification is told. */
function tellExcluded({ excluded = [] }: Result): void {
  if (excluded.length === 0) return;
  const names = excluded.map(({ participant, record_id }) => (participant ? `${participant}/${record_id}` : record_id));
  const more = names.length > mostNamed ? ` and ${count(names.length - mostNamed)} more` : '';
  print(`the operator left out ${counted(names.length, 'order')}: ${names.slice(0, mostNamed).join(', ')}${more}`);
}
const mostNamed = 20;

const proofText = ({ ok, bound, leaves, claimed }: ProofVerification) => ({ ok, bound, leaves, claimed });

function tellProof({ welfare }: Result, { ok, bound, leaves, claimed }: ProofVerification): void {
  if (!ok) {
    print('the proof does not hold');
    return;
  }
  const more = Math.max(0, bound - welfare);
  print(
    `proof of ${count(leaves)} leaves: no answer is worth more than ${figure(bound)}, ${figure(more)} above this one`,
  );
  if (claimed > 0)
    print(`for ${count(claimed)} of them that no prices support it is only the engine's word (docs/proof.md)`);
}

function tell({ auction }: Result, checks: readonly Check[], ok: boolean): void {
  const rows = checks.map((check) => [
    check.invariant,
    check.title,
    check.checked === 0 ? '-' : count(check.checked),
    foundText(check),
  ]);
  print(table(['rule', 'what', 'checked', 'found'], rows));
  for (const { invariant, violations, unchecked } of checks) {
    for (const { where, message } of violations.slice(0, shownPerCheck)) print(`  ${invariant} ${where}: ${message}`);
    if (violations.length > shownPerCheck) print(`  ${invariant}: and ${violations.length - shownPerCheck} more`);
    if (unchecked !== undefined) print(`  ${invariant}: ${unchecked}`);
  }
  const total = checks.reduce((sum, { checked }) => sum + checked, 0);
  const broken = checks.filter(({ violations }) => violations.length > 0).length;
  print(`\n${auction}: ${ok ? `verified, ${counted(total, 'check')}` : `REJECTED, ${counted(broken, 'rule')} broken`}`);
}

function foundText({ checked, violations, unchecked }: Check): string {
  if (violations.length > 0) return counted(violations.length, 'violation');
  if (unchecked !== undefined) return 'unchecked';
  return checked === 0 ? 'nothing to check' : 'ok';
}
