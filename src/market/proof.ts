/**
 * The proof of a result: the file format `proof/1`, and how it names what trades and what binds.
 *
 * A proof is a tree for each group of MTUs that nothing ties to others. Its inner nodes say how the decisions are divided, its leaves
 * why nothing below them is better than the bound; what each kind shows, and how it is checked, is in docs/proof.md. Money
 * in it is per hour, prices are currency/MWh.
 */

import * as z from 'zod';
import { auctionId, problemsOf } from './book.ts';
import { AuctionError } from './errors.ts';

interface Named {
  readonly record_id: string;
  readonly participant?: string | undefined;
}

const keyOf = ({ participant, record_id }: Named): string => `${participant ?? ''}/${record_id}`;

/** What trades: flows (MW), ratios of blocks, started flexible and complex orders (0 to 1), steps (MW on top of their least). */
export const columnName = {
  flow: (line: string, period: number, back: boolean) => `flow ${line}/${period}${back ? ' back' : ''}`,
  export: (zone: string, period: number) => `export ${zone}/${period}`,
  exchange: (from: string, to: string, period: number) => `exchange ${from}>${to}/${period}`,
  /** A loop has the name of its leg that comes first in the book. It is the name of the decision too. */
  ratio: (order: Named, start?: number) => `${keyOf(order)}${start === undefined ? '' : `@${start}`}`,
  step: (order: Named, step: number) => `step ${keyOf(order)}/${step}`,
  stop: (order: Named, period: number) => `stop ${keyOf(order)}/${period}`,
};

/** What binds. */
export const rowName = {
  link: (child: Named) => `link ${keyOf(child)}`,
  /** @param group participant and group, as keys are written */
  group: (group: string) => `group ${group}`,
  starts: (order: Named) => `starts ${keyOf(order)}`,
  step: (order: Named, step: number) => `step ${keyOf(order)}/${step}`,
  least: (order: Named, period: number) => `least ${keyOf(order)}/${period}`,
  gradient: (order: Named, mtu: number, falling: boolean) =>
    `gradient ${keyOf(order)}/${mtu}${falling ? ' falling' : ''}`,
  stop: (order: Named, period: number) => `stop ${keyOf(order)}/${period}`,
  pool: (period: number) => `pool ${period}`,
  constraint: (id: string, period: number) => `constraint ${id}/${period}`,
  ramp: (line: string, mtu: number) => `ramp ${line}/${mtu}`,
  rampSet: (id: string, mtu: number) => `ramp set ${id}/${mtu}`,
  positionRamp: (id: string, mtu: number) => `net position ramp ${id}/${mtu}`,
};

const index = z.int().min(0);
const names = z.array(z.string());
const valued = z.array(z.tuple([z.string(), z.number()]));
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
   * No prices support all of `core`: scaled to `scaled`, its orders and the free ones are worth more than the bound. What is left over in
   * a cell (`spare`, MW) is sold at the lowest price of the market, what is missing (below zero) bought at the highest. Divided by which of
   * the core is the first that is off, then by which other order, of minimum income or of a group with one of the core, is the first that is on.
   */
  z.strictObject({
    kind: z.literal('unsupported'),
    at: index,
    core: names,
    /** Prices at which these volumes are the best, and the volumes: columns, and MW sold net by orders of longer resolution. */
    scaled: z.strictObject({ at: index, values: valued, nets: valued, spare: valued }),
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
  prices: z.array(z.strictObject({ cells: z.array(z.number()), rows: valued })),
});
export type ProofGroup = z.output<typeof group>;

const proof = z
  .strictObject({
    merit: z.literal('proof/1'),
    auction: auctionId,
    book: z.string().regex(/^sha256:[0-9a-f]{64}$/),
    groups: z.array(group).readonly(),
  })
  .meta({ id: 'Proof' });
export type Proof = z.output<typeof proof>;

/** @throws AuctionError `invalid-proof` naming each mistake of form */
export function parseProof(input: unknown): Proof {
  const parsed = proof.safeParse(input);
  if (!parsed.success) throw new AuctionError('invalid-proof', 'the proof is not one', problemsOf(parsed.error));
  return parsed.data;
}
