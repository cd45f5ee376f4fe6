/**
 * `merit verify BOOK RESULT [--proof PROOF] [--receipts FILE] [--require GRADE]`: does this result keep the rules, what is known of its
 * decisions, and is it the book that took these orders? Exit code 1 when the rules, the proof or the receipts do not hold, or less is known
 * of the decisions than is required.
 *
 * `merit verify --receipt FILE --evidence FILE [--keys FILE]`: are these orders in the book that was cleared? For whoever has neither.
 */

import { canonical } from '../../book/canonical.ts';
import type { ClearedBook } from '../../book/check-evidence.ts';
import { sha256 } from '../../book/intake.ts';
import { bookHash } from '../../book/seal.ts';
import type { Check } from '../../verify/check.ts';
import { type Grade, reaches } from '../../verify/standing.ts';
import { readBook, readProof, readReceipts, readResult } from '../books.ts';
import { evidenceChecks, readEvidence, readKeys } from '../evidence.ts';
import { exitCodes, Failure } from '../failure.ts';
import { print, printJson } from '../output.ts';
import { tellChecks, verifyAndTell } from '../verification.ts';

interface Options {
  readonly proof?: string;
  readonly receipts?: string;
  readonly evidence?: string;
  readonly keys?: string;
  readonly require?: Grade;
  readonly json?: boolean;
}

export async function verifyResult(
  bookFile: string | undefined,
  resultFile: string | undefined,
  options: Options,
): Promise<void> {
  if (options.evidence === undefined && options.keys !== undefined)
    throw new Failure(exitCodes.usage, '--keys are for --evidence');
  if (bookFile === undefined) return verifyReceipts(options);
  if (resultFile === undefined) throw new Failure(exitCodes.usage, 'a book is checked with its result: name both');
  const book = await readBook(bookFile);
  const result = await readResult(resultFile);
  const proof = options.proof === undefined ? undefined : await readProof(options.proof);
  const receipts = options.receipts === undefined ? undefined : await readReceipts(options.receipts);
  const hash = bookHash(book);
  const more =
    options.evidence === undefined
      ? []
      : await checksOfEvidence(options, {
          book: { hash, book },
          result: { hash: sha256(canonical(result)), book: result.book },
        });
  const found = verifyAndTell(book, hash, result, { ...options, proof, receipts, more });
  const isEnough = options.require === undefined || reaches(found, options.require);
  if (!found.ok || !isEnough) process.exitCode = exitCodes.no;
  if (found.ok && !isEnough)
    console.error(`merit: decisions are ${found.decisions.grade}, required is ${options.require}`);
}

async function checksOfEvidence({ receipts, evidence, keys }: Options, cleared?: ClearedBook): Promise<Check[]> {
  if (receipts === undefined || evidence === undefined)
    throw new Failure(exitCodes.usage, 'evidence is held against a receipt: name both, --receipt and --evidence');
  const known = keys === undefined ? undefined : await readKeys(keys);
  return evidenceChecks(await readReceipts(receipts), await readEvidence(evidence), known, cleared);
}

/** Of whoever has neither book nor result. */
async function verifyReceipts(options: Options): Promise<void> {
  if (options.proof !== undefined || options.require !== undefined)
    throw new Failure(exitCodes.usage, '--proof and --require are for a book and its result');
  const checks = await checksOfEvidence(options);
  const ok = checks.every(({ violations }) => violations.length === 0);
  if (!ok) process.exitCode = exitCodes.no;
  if (options.json) return printJson({ ok, checks });
  tellChecks(checks);
  print(ok ? '\nthe evidence holds' : '\nREJECTED: the evidence does not hold');
}
