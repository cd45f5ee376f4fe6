/**
 * Why a book has no answer at all: which rule of the network no net positions keep, which flow it forces that no orders serve, or
 * which orders would have to be accepted for it although no prices support that.
 *
 * Only asked when the search found nothing. Each question is one linear program in which the rules in question may be broken, at a cost; those
 * are named that the least cost comes from, by its duals.
 */

import { AuctionError, type Problem as Fault } from '../../market/errors.ts';
import type { Row } from '../model/columns.ts';
import type { Part, Problem } from '../model/problem.ts';
import { published as publishedIn } from '../model/units.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inPower } from '../tolerances.ts';

/** MW, or a share: less is rounding. */
const { nothing } = inPower;

/** @param group  MTUs [first, after last) in which nothing was found */
export function unserved(
  problem: Problem,
  part: Part,
  [first, after]: readonly [number, number],
  solver: Solver,
): AuctionError {
  const when = after > first + 1 ? `periods ${first + 1} to ${after}` : `period ${first + 1}`;
  const names = (faults: readonly Broken[]) => faults.map(({ what }) => what).join(', ');
  const fail = (message: string, faults: readonly Broken[], code: string) =>
    new AuctionError(
      'invalid-book',
      message,
      faults.map(
        ({ what, short, fault }): Fault => ({
          code,
          message: `${what}: ${publishedIn(problem.units).mw(round(short))} MW are missing`,
          ...fault,
        }),
      ),
    );
  const alone = brokenIn(problem, part, solver, 'network');
  if (alone.length > 0)
    return fail(`no net positions of the zones keep ${names(alone)}`, alone, 'constraints-contradict');
  const served = brokenIn(problem, part, solver, 'orders');
  if (served.length > 0)
    return fail(`no orders serve what is forced by ${names(served)}`, served, 'forced-flow-unserved');
  const needed = neededOrders(problem, part, solver);
  const ids = needed.map((order) => problem.book.orders[order]!.record_id);
  const [whose, them] = ids.length === 1 ? ['order', 'it'] : ['orders', 'them'];
  return new AuctionError(
    'invalid-book',
    `in ${when} what the network forces takes ${whose} ${ids.join(', ')}, and no prices within the limits support any choice of ${them}`,
    ids.map((record_id) => {
      const message = 'the network forces it to be accepted, at prices that do not support it';
      return { record_id, code: 'no-supporting-prices', message };
    }),
  );
}

const round = (mw: number): number => Math.round(mw * 1e6) / 1e6;

interface Broken {
  readonly what: string;
  /** MW that all of them together are short of. */
  readonly short: number;
  readonly fault: Partial<Fault>;
}

/**
 * The rules of the network that cannot all be kept; none when they can.
 *
 * @param by  `network`: flows and exchanges alone, whoever would trade them; `orders`: with what the orders can trade
 */
function brokenIn(problem: Problem, part: Part, solver: Solver, by: 'network' | 'orders'): Broken[] {
  const draft = new Draft();
  const named: { row: number; what: string; fault: Partial<Fault> }[] = [];
  const broken: number[] = [];
  const at = columnsOf(problem, part, draft, by);
  for (const r of part.rows) {
    const row = problem.rows[r]!;
    if (!row.entries.every(([c]) => at.has(c))) continue;
    const k = draft.row(row.low, row.high);
    for (const [c, factor] of row.entries) draft.entry(at.get(c)!, k, factor);
    if (row.rule === undefined) continue;
    named.push({ row: k, what: row.rule, fault: { field: fieldOf(row) } });
    if (row.low > -Infinity) broken.push(draft.column(1, 0, Infinity, [[k, 1]]));
    if (row.high < Infinity) broken.push(draft.column(1, 0, Infinity, [[k, -1]]));
  }
  for (const [c, column] of at) {
    const { kind, least, most } = problem.columns[c]!;
    if (kind !== 'flow' || (least <= 0 && most >= 0)) continue;
    const k = draft.row(least, most);
    draft.entry(column, k, 1);
    const { arcs, periods, book } = problem;
    const line = arcs[Math.floor(c / periods)]!.line;
    const what = `line ${book.lines[line]!.id}, period ${(c % periods) + 1}`;
    named.push({ row: k, what, fault: { field: `lines.${line}` } });
    broken.push(draft.column(1, 0, Infinity, [[k, least > 0 ? 1 : -1]]));
  }
  const { status, x, rowDual } = solver.solve(draft.program);
  const short = broken.reduce((sum, column) => sum + x[column]!, 0);
  if (status !== 'optimal' || short <= nothing) return [];
  return named.flatMap(({ row, what, fault }) => (Math.abs(rowDual[row]!) > nothing ? [{ what, short, fault }] : []));
}

const fieldOf = ({ rule = '' }: Row): string => (rule.startsWith('constraint') ? 'constraints' : 'lines');

/** Columns of what trades and flows, forced flows freed; by column of the problem. */
function columnsOf({ nodes, columns, zones, periods }: Problem, part: Part, draft: Draft, by: 'network' | 'orders') {
  const at = new Map<number, number>();
  const isOpen = by === 'network';
  for (let cell = 0; cell < zones * periods; cell++) draft.row(isOpen ? -Infinity : 0, isOpen ? Infinity : 0);
  for (const i of isOpen ? [] : part.nodes) {
    const { zone, from, span, curve } = nodes[i]!;
    const cells = Array.from({ length: span }, (_, k) => [zone * periods + from + k, 1] as const);
    draft.column(0, curve.least, curve.most, cells);
  }
  for (const c of part.columns) {
    const { kind, cells, least, most } = columns[c]!;
    const isNetwork = kind === 'flow' || kind === 'exchange';
    if (isOpen && !isNetwork) continue;
    const [lower, upper] = isNetwork ? [Math.min(0, least), Math.max(0, most)] : [least, most];
    at.set(c, draft.column(0, lower, upper, cells));
  }
  return at;
}

/** Orders under a decision without which what is forced is not served; as few as a linear program finds. */
function neededOrders(problem: Problem, part: Part, solver: Solver): number[] {
  const draft = new Draft();
  const at = columnsOf(problem, part, draft, 'orders');
  for (const [c, column] of at) {
    const { least, most } = problem.columns[c]!;
    draft.entry(column, draft.row(least, most), 1);
  }
  for (const r of part.rows) {
    const { entries, low, high } = problem.rows[r]!;
    const k = draft.row(low, high);
    for (const [c, factor] of entries) draft.entry(at.get(c)!, k, factor);
  }
  const own = problem.decisions.filter(({ column }) => at.has(column));
  const ratios = own.map(({ column }) => {
    const k = draft.row(0, 0);
    draft.entry(at.get(column)!, k, -1);
    return draft.column(1, 0, Infinity, [[k, 1]]);
  });
  const { status, x } = solver.solve(draft.program);
  if (status !== 'optimal') return own.flatMap(({ orders }) => orders);
  return own.flatMap(({ orders }, d) => (x[ratios[d]!]! > nothing ? orders : []));
}
