/** Evidence and tree heads from files, and their checks as rows of a verification. */

import * as z from 'zod';
import { type ClearedBook, evidenceFaults, type KeptHead } from '../book/check-evidence.ts';
import {
  type Evidence,
  type EvidenceKeys,
  evidence,
  evidenceKeys,
  type SignedTreeHead,
  type StatementType,
  treeAnswer,
} from '../book/evidence.ts';
import type { Receipt } from '../book/intake.ts';
import type { Check, Violation } from '../verify/check.ts';
import { exitCodes, Failure } from './failure.ts';
import { readJson } from './files.ts';
import { signatureFault } from './signatures.ts';

const evidenceFile = z.union([evidence.transform((one) => [one]), z.array(evidence).min(1)]);
const headFile = z.union([treeAnswer, evidence.transform(({ tree }): z.output<typeof treeAnswer> => tree)]);

/** @throws Failure where it is none */
export const readEvidence = (file: string): Promise<Evidence[]> =>
  readAs(evidenceFile, file, 'this is no evidence, as `merit orders proof` writes it');

/** @throws Failure where they are none */
export const readKeys = (file: string): Promise<EvidenceKeys> =>
  readAs(evidenceKeys, file, 'this is no set of keys, as /.well-known/evidence-keys.json has it');

/** A tree head, or the one in a piece of evidence. @throws Failure where it is none */
export const readHead = (file: string): Promise<z.output<typeof treeAnswer>> =>
  readAs(headFile, file, 'this is no tree head, as `merit auctions tree` writes it, nor evidence');

async function readAs<T>(schema: z.ZodType<T>, file: string, message: string): Promise<T> {
  const parsed = schema.safeParse(await readJson(file));
  if (parsed.success) return parsed.data;
  throw new Failure(exitCodes.usage, `${file}: ${message}`);
}

/** That each receipt is in the book that was cleared, and that the house signed what says so. */
export async function evidenceChecks(
  receipts: readonly Receipt[],
  all: readonly Evidence[],
  keys: EvidenceKeys | undefined,
  cleared: ClearedBook = {},
): Promise<Check[]> {
  const violations: Violation[] = [];
  const alone: Receipt[] = [];
  for (const receipt of receipts) {
    const own = all.length === 1 && receipts.length === 1 ? all[0] : all.find((each) => isAbout(each, receipt));
    if (own === undefined) alone.push(receipt);
    else
      for (const { record_id, message } of evidenceFaults(receipt, own, cleared))
        violations.push({ where: record_id!, message });
  }
  const title = 'each receipt is in the book that was cleared';
  const checked = receipts.length - alone.length;
  const unchecked = uncheckedOf(receipts, alone, all);
  return [
    { invariant: 'evidence', title, checked, violations, ...(unchecked !== undefined && { unchecked }) },
    await signatureCheck(all.flatMap(statementsIn), keys),
  ];
}

const isAbout = ({ auction, sequence }: Evidence, receipt: Receipt): boolean =>
  auction === receipt.auction && sequence === receipt.sequence;

function uncheckedOf(
  receipts: readonly Receipt[],
  alone: readonly Receipt[],
  all: readonly Evidence[],
): string | undefined {
  if (alone.length > 0) return `no evidence is here of ${alone.map(({ record_id }) => record_id).join(', ')}`;
  const bare = receipts.filter(({ leaf }) => leaf === undefined);
  if (bare.length > 0)
    return `receipts of before have no leaf, so what was proven of ${bare.map(({ record_id }) => record_id).join(', ')} may be another order`;
  if (all.some(({ result }) => result === undefined)) return 'there was no result yet when the evidence was asked for';
  return undefined;
}

type Statement = readonly [typ: StatementType, where: string, statement: { readonly signature: string }];

const headStatement = (where: string, { consistency: _, ...head }: SignedTreeHead & { consistency?: unknown }) =>
  ['merit-tree-head', where, head] as const;

function statementsIn({ record_id, tree, result }: Evidence): Statement[] {
  const head = headStatement(`${record_id}, tree head`, tree);
  return result === undefined ? [head] : [head, ['merit-result', `${record_id}, result`, result]];
}

/** @param keys  without them whose the signatures are is not looked at */
async function signatureCheck(statements: readonly Statement[], keys: EvidenceKeys | undefined): Promise<Check> {
  const row = { invariant: 'signatures', title: 'tree heads and results are signed by the house' };
  if (keys === undefined)
    return { ...row, checked: 0, violations: [], unchecked: "whose signatures these are, without the house's --keys" };
  const faults = await Promise.all(
    statements.map(async ([typ, where, statement]) => {
      const message = await signatureFault(keys, typ, statement);
      return message === undefined ? [] : [{ where, message }];
    }),
  );
  return { ...row, checked: statements.length, violations: faults.flat() };
}

/** The heads of these files, with whether the house signed them. */
export async function readHeads(
  files: readonly string[],
  keys: EvidenceKeys | undefined,
): Promise<{ heads: KeptHead[]; signatures: Check }> {
  const answers = await Promise.all(files.map(readHead));
  const statements = answers.map((answer, at) => headStatement(files[at]!, answer));
  const heads = answers.map(({ at: _at, signature: _signature, ...head }, at) => ({ from: files[at]!, ...head }));
  return { heads, signatures: await signatureCheck(statements, keys) };
}
