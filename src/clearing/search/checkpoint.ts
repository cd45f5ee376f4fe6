/**
 * A stopped search as text, and back: the caller keeps it, and a next call of `clear` goes on from there.
 *
 * The text names decisions by their orders and flows by their lines. The best answer so far is kept whole, so that going on does not
 * change it. A checkpoint is trusted as the engine's own; its digest tells damage, not malice: what a result is worth, the
 * verifier and the proof say.
 */

import { canonical } from '../../book/canonical.ts';
import { sha256 } from '../../book/intake.ts';
import { type Checkpoint, type ClosedFlow, type GroupCheckpoint, parseCheckpoint } from '../../market/checkpoint.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Problem } from '../model/problem.ts';
import { partOf } from '../relaxation/master.ts';
import { boundsOf } from './answers.ts';
import { added, type Cell, decisionsIn, listOf, type Made } from './made.ts';
import type { Branch, Found, Outcome, Standing } from './standing.ts';

/** What of a clearing is kept besides its groups. */
export interface Rest {
  /** Orders (by index) that were left out because they would lose. */
  readonly without: ReadonlySet<number>;
  /** Money that no answer of the whole book exceeds. */
  readonly bound: number;
}

/** @param problem  of the book without the orders that were left out */
export function writeCheckpoint(problem: Problem, hash: string, groups: readonly Outcome[], rest: Rest): string {
  const { book } = problem;
  const body: Omit<Checkpoint, 'digest'> = {
    merit: 'checkpoint/3',
    auction: book.auction,
    book: hash,
    without: [...rest.without].sort((a, b) => a - b).map((index) => nameOf(problem, index)),
    ...boundOf(rest.bound),
    groups: groups.map((group, k) => groupText(problem, group, problem.groups[k]!)),
  };
  return canonical({ ...body, digest: sha256(canonical(body)) });
}

/** @throws AuctionError `invalid-checkpoint` when the text is damaged, or belongs to another book or engine */
export function readCheckpoint(
  text: string,
  hash: string,
  problemWithout: (without: ReadonlySet<number>) => Problem,
): Rest & { readonly problem: Problem; readonly groups: readonly Standing[] } {
  const { digest, ...body } = parseCheckpoint(text);
  if (body.book !== hash) throw foreign(`it belongs to the book ${body.book} of ${body.auction}, not to ${hash}`);
  if (sha256(canonical(body)) !== digest) throw foreign('it was changed since it was written');
  const whole = problemWithout(new Set());
  const indexOf = new Map(whole.book.orders.map((_, index) => [keyOf(nameOf(whole, index)), index]));
  const without = new Set(
    body.without.map((name) => {
      const index = indexOf.get(keyOf(name));
      if (index === undefined) throw foreign(`it leaves out ${name.record_id}, which the book does not have`);
      return index;
    }),
  );
  const problem = without.size === 0 ? whole : problemWithout(without);
  if (problem.groups.length !== body.groups.length) throw foreign('its groups of periods are not those of the book');
  const groups = body.groups.map((group, k) => standingOf(problem, group, problem.groups[k]!));
  return { problem, without, bound: body.bound ?? Infinity, groups };
}

type Name = Checkpoint['without'][number];

const foreign = (why: string): AuctionError =>
  new AuctionError('invalid-checkpoint', `the search can't go on from this checkpoint: ${why}`);

/** JSON knows no infinity: what is not known yet is left out. */
const boundOf = (bound: number): { bound?: number } => (Number.isFinite(bound) ? { bound } : {});

const nameOf = ({ book }: Problem, index: number, start?: number): Name => {
  const { record_id, participant } = book.orders[index]!;
  return { record_id, ...(participant !== undefined && { participant }), ...(start !== undefined && { start }) };
};

const keyOf = ({ record_id, participant, start }: Name): string => `${participant ?? ''}/${record_id}/${start ?? ''}`;

/** Decisions of a group, in the order of the problem. */
function decisionsOf({ decisions }: Problem, columns: readonly number[]): number[] {
  const own = new Set(columns);
  return decisions.flatMap(({ column, test }, d) => (own.has(column) && test !== 'free' ? [d] : []));
}

function groupText(problem: Problem, outcome: Outcome, [first, after]: readonly [number, number]): GroupCheckpoint {
  const { part, best, open, unsupported } = outcome;
  const decisions = decisionsOf(problem, part.columns);
  const position = new Map(decisions.map((d, k) => [d, k]));
  const positions = (list: readonly number[]) => list.map((d) => position.get(d)!);
  const flows = (closed: readonly number[]) => closed.map((c) => flowOf(problem, c));
  const { on, closed, welfare, level, net, value, price, rowPrice } = best!;
  return {
    from: first + 1,
    to: after,
    decisions: decisions.map((d) => {
      const { orders, start } = problem.decisions[d]!;
      return nameOf(problem, orders[0]!, start);
    }),
    incumbent: {
      on: positions(on),
      closed: flows(closed),
      welfare,
      level,
      net: part.nodes.map((i) => net[i]!),
      value: part.columns.map((c) => value[c]!),
      price: cellsOf(problem, first, after).map((cell) => price[cell]!),
      rowPrice: part.rows.map((r) => rowPrice[r]!),
    },
    ...openText(open, (d) => position.get(d)!, flows),
    unsupported,
  };
}

/** Branches share most of their lists: each cell is written once. */
function openText(
  open: readonly Branch[],
  position: (d: number) => number,
  flows: (closed: readonly number[]) => ClosedFlow[],
): Pick<GroupCheckpoint, 'lists' | 'open'> {
  const places = new Map<Made, number>([[undefined, -1]]);
  const lists: GroupCheckpoint['lists'] = { decision: [], before: [] };
  const placeOf = (list: Made): number => {
    const path: Cell[] = [];
    let at = list;
    for (; at !== undefined && !places.has(at); at = at.before) path.push(at);
    let place = places.get(at)!;
    for (const cell of path.reverse()) {
      lists.before.push(place);
      place = lists.decision.push(position(cell.decision)) - 1;
      places.set(cell, place);
    }
    return place;
  };
  const branches = open.map((branch) => ({
    on: placeOf(branch.on),
    off: placeOf(branch.off),
    closed: flows([...decisionsIn(branch.closed)].reverse()),
    ...boundOf(branch.bound),
  }));
  return { lists, open: branches };
}

function standingOf(problem: Problem, group: GroupCheckpoint, [first, after]: readonly [number, number]): Standing {
  const part = partOf(problem, [first, after]);
  const names = new Map(
    decisionsOf(problem, part.columns).map((d) => {
      const { orders, start } = problem.decisions[d]!;
      return [keyOf(nameOf(problem, orders[0]!, start)), d];
    }),
  );
  const known = group.decisions.map((name) => {
    const d = names.get(keyOf(name));
    if (d === undefined)
      throw foreign(`there is no decision about ${name.record_id} in periods ${first + 1} to ${after}`);
    return d;
  });
  const decisions = (list: readonly number[]) =>
    list.map((k) => {
      const d = known[k];
      if (d === undefined) throw foreign(`it has no decision ${k}`);
      return d;
    });
  const flows = (closed: readonly ClosedFlow[]) => closed.map((flow) => columnOf(problem, flow));
  const spread = (list: readonly number[], at: readonly number[], size: number) => {
    if (list.length !== at.length) throw foreign('its answer is not one of this engine');
    const values = new Float64Array(size);
    for (const [k, i] of at.entries()) values[i] = list[k]!;
    return values;
  };
  const { incumbent } = group;
  const on = decisions(incumbent.on);
  const isOn = new Set(on);
  const closed = flows(incumbent.closed);
  const best: Found = {
    on,
    closed,
    bounds: boundsOf(
      problem,
      on,
      known.filter((d) => !isOn.has(d)),
      closed,
    ),
    welfare: incumbent.welfare,
    level: incumbent.level,
    net: spread(incumbent.net, part.nodes, problem.nodes.length),
    value: spread(incumbent.value, part.columns, problem.columns.length),
    price: spread(incumbent.price, cellsOf(problem, first, after), problem.zones * problem.periods),
    rowPrice: spread(incumbent.rowPrice, part.rows, problem.rows.length),
  };
  const cells: Cell[] = [];
  const listAt = (place: number): Made => {
    if (place >= cells.length) throw foreign(`it has no list ${place}`);
    return cells[place];
  };
  const { lists } = group;
  if (lists.before.length !== lists.decision.length) throw foreign('its lists are not those of this engine');
  for (const [k, decision] of decisions(lists.decision).entries())
    cells.push(added(listAt(lists.before[k]!), decision));
  const open = group.open.map((branch) => ({
    on: listAt(branch.on),
    off: listAt(branch.off),
    closed: listOf(flows(branch.closed)),
    bound: branch.bound ?? Infinity,
  }));
  return { best, open, unsupported: group.unsupported };
}

const cellsOf = ({ zones, periods }: Problem, first: number, after: number): number[] =>
  Array.from({ length: zones }, (_, z) => z).flatMap((z) =>
    Array.from({ length: after - first }, (_, k) => z * periods + first + k),
  );

function flowOf({ book, arcs, periods }: Problem, column: number): ClosedFlow {
  const arc = arcs[Math.floor(column / periods)]!;
  return { line: book.lines[arc.line]!.id, against: arc.sign === -1, period: (column % periods) + 1 };
}

function columnOf({ book, arcs, periods }: Problem, { line, against, period }: ClosedFlow): number {
  const a = arcs.findIndex((arc) => book.lines[arc.line]!.id === line && (arc.sign === -1) === against);
  if (a < 0 || period > periods) throw foreign(`there is no flow of line ${line} in period ${period}`);
  return a * periods + period - 1;
}
