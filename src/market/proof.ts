/**
 * The proof of a result: the file format `proof/2`, and how it names what trades and what binds.
 *
 * A proof is a tree for each group of MTUs that nothing ties to others. Its inner nodes say how the decisions are divided, its leaves
 * why nothing below them is better than the bound; what each kind shows, and how it is checked, is in docs/proof.md. Money
 * in it is per hour, prices are currency/MWh.
 */

import * as z from 'zod';
import { auctionId, problemsOf } from './book.ts';
import { AuctionError } from './errors.ts';
import { decimalsOf, significantOf } from './exact.ts';

interface Named {
  readonly record_id: string;
  readonly participant?: string | undefined;
}

/**
 * A kind, a blank, and what it is about, set apart by `/`. No id has either in it, so no two things have one name; the checker
 * refuses a book in which two have.
 */
const nameOf = (kind: string, ...of: readonly (string | number)[]): string => `${kind} ${of.join('/')}`;

const of = ({ participant, record_id }: Named): readonly [string, string] => [participant ?? '', record_id];

/** What trades: flows (MW), ratios of blocks, started flexible and complex orders (0 to 1), steps (MW on top of their least). */
export const columnName = {
  flow: (line: string, period: number, back: boolean) => nameOf(back ? 'back' : 'flow', line, period),
  export: (zone: string, period: number) => nameOf('export', zone, period),
  exchange: (from: string, to: string, period: number) => nameOf('exchange', from, to, period),
  /** A loop has the name of its leg that comes first in the book. It is the name of the decision too, as the next one is. */
  ratio: (order: Named) => nameOf('order', ...of(order)),
  start: (order: Named, start: number) => nameOf('start', ...of(order), start),
  step: (order: Named, step: number) => nameOf('step', ...of(order), step),
  stop: (order: Named, period: number) => nameOf('stop', ...of(order), period),
};

/** What binds. */
export const rowName = {
  link: (child: Named) => nameOf('link', ...of(child)),
  group: (participant: string | undefined, group: string) => nameOf('group', participant ?? '', group),
  starts: (order: Named) => nameOf('starts', ...of(order)),
  step: (order: Named, step: number) => nameOf('step', ...of(order), step),
  least: (order: Named, period: number) => nameOf('least', ...of(order), period),
  gradient: (order: Named, mtu: number, falling: boolean) =>
    nameOf(falling ? 'falling' : 'gradient', ...of(order), mtu),
  stop: (order: Named, period: number) => nameOf('stop', ...of(order), period),
  pool: (period: number) => nameOf('pool', period),
  constraint: (id: string, period: number) => nameOf('constraint', id, period),
  ramp: (line: string, mtu: number) => nameOf('ramp', line, mtu),
  rampSet: (id: string, mtu: number) => nameOf('ramp-set', id, mtu),
  positionRamp: (id: string, mtu: number) => nameOf('position-ramp', id, mtu),
};

/** Orders of longer resolution, of one zone, from one MTU to another. */
export const netName = (zone: string, first: number, last: number): string => nameOf('net', zone, first, last);

/** How far a number of a proof may go: digits from the first to the last, digits behind the point, and its size. */
export const proofDigits = { significant: 15, decimals: 18, most: 1e15 } as const;

/** A multiplier or a volume. Its digits are those of its decimal, which stands for it: it is read as a fraction, and never rounded. */
const exact = z
  .number()
  .min(-proofDigits.most)
  .max(proofDigits.most)
  .refine(
    (value) => significantOf(value) <= proofDigits.significant && decimalsOf(value) <= proofDigits.decimals,
    `at most ${proofDigits.significant} digits, and ${proofDigits.decimals} of them behind the point`,
  );

const index = z.int().min(0);
const names = z.array(z.string());
const valued = z.array(z.tuple([z.string(), exact]));
const children = z.array(z.tuple([z.string(), index]));

/** Nodes refer to each other, and to prices, by place in their lists. */
const node = z.discriminatedUnion('kind', [
  /** At these prices everybody together gains no more than the bound. */
  z.strictObject({ kind: z.literal('bound'), at: index }),
  /** Nothing here balances: at these prices, with all costs nought, everybody together loses. */
  z.strictObject({ kind: z.literal('infeasible'), at: index }),
  /** Divided by one decision. */
  z.strictObject({ kind: z.literal('decide'), decision: z.string(), on: index, off: index }),
  /** A line with losses carries one direction only: divided by which of them is closed. */
  z.strictObject({ kind: z.literal('direction'), closed: z.array(z.tuple([z.string(), index])).length(2) }),
  /** What these prices decide: on the other side of each of these everybody together gains no more than the bound. */
  z.strictObject({ kind: z.literal('fixed'), at: index, on: names, off: names, rest: index }),
  /**
   * All of `core` are on in no answer that is worth more than the bound: volumes that prices of such an answer would have to support
   * show it (docs/proof.md). Divided by which of the core is the first that is off, then by which other order, of minimum income or of a
   * group with one of the core, is the first that is on.
   */
  z.strictObject({
    kind: z.literal('unsupported'),
    at: index,
    core: names,
    /** These volumes: columns, and MW sold net by orders of longer resolution. */
    scaled: z.strictObject({ values: valued, nets: valued }),
    /** How much of the bound rests on them, where that is not all: from 0 to below 1. */
    weight: exact.min(0).lt(1).optional(),
    off: children,
    on: children,
  }),
  /** The same division where there are no such volumes: that the rest has no prices is the engine's claim. */
  z.strictObject({ kind: z.literal('claimed'), at: index, core: names, off: children, on: children }),
]);
export type ProofNode = z.output<typeof node>;

const group = z.strictObject({
  first: z.int().min(1).meta({ description: 'first MTU, from 1' }),
  last: z.int().min(1),
  root: index,
  nodes: z.array(node),
  /** By zone and MTU of the group; and of rows whose price is not nought. */
  prices: z.array(z.strictObject({ cells: z.array(exact), rows: valued })),
});
export type ProofGroup = z.output<typeof group>;

const proof = z
  .strictObject({
    merit: z.literal('proof/2'),
    auction: auctionId,
    book: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    groups: z.array(group).readonly(),
  })
  .meta({ id: 'Proof' });
export type Proof = z.output<typeof proof>;

/** @throws AuctionError `invalid-proof` naming each mistake of form */
export function parseProof(input: unknown): Proof {
  const version = (input as { merit?: unknown } | null)?.merit;
  if (version === 'proof/1') {
    const message =
      'this is a proof of format proof/1, which was checked with tolerances; clear the book again for one of proof/2';
    throw new AuctionError('invalid-proof', message, [{ field: 'merit', code: 'old-version', message }]);
  }
  const parsed = proof.safeParse(input);
  if (!parsed.success) throw new AuctionError('invalid-proof', 'the proof is not one', problemsOf(parsed.error));
  return parsed.data;
}
