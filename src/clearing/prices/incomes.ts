/**
 * Volumes and prices together, for minimum incomes (market rules, section 2.7).
 *
 * An income is paid for volumes, also for those at the money, which gain nothing. So where the volumes of an answer leave an order
 * short, others that are worth the same may not. Looking for both at once stays linear: whatever volumes are worth the
 * same, all orders gain the same by prices that support them (complementary slackness), and what an order earns is what it gains and
 * what its volumes cost.
 */

import { supplyAt } from '../model/curves/net-curve.ts';
import type { Part, Problem } from '../model/problem.ts';
import { type Answer, type Bounds, gainsAt, meanOver, samePrice } from '../relaxation/master.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { inPower } from '../tolerances.ts';
import { freeRules, noLossRules, settled } from './rules.ts';

/** What may differ by less (MW, or a ratio) stays. */
const noRoom = inPower.nothing;

/**
 * An answer worth the same in which prices cover every minimum income.
 *
 * @param on  decisions that may not lose
 * @returns undefined where there is none
 */
export function withIncomes(
  problem: Problem,
  solver: Solver,
  part: Part,
  bounds: Bounds,
  on: readonly number[],
  answer: Answer,
): Answer | undefined {
  const { nodes, columns, decisions, rows, periods } = problem;
  const free = settled(problem, part, bounds);
  const open = openVolumes(problem, part, free, answer);
  const isOpen = new Set(open.columns.map(({ c }) => c));
  if (!on.some((d) => decisions[d]!.test === 'income' && decisions[d]!.steps.some((c) => isOpen.has(c))))
    return undefined;

  const draft = new Draft();
  const supporting = freeRules(problem, part, free, answer);
  const prices = Array.from(supporting.low, (low, i) => draft.column(0, low, supporting.high[i]!, []));
  for (const { at, factor, low, high } of supporting.rules) {
    const row = draft.row(low, high);
    at.forEach((i, k) => {
      draft.entry(prices[i]!, row, factor[k]!);
    });
  }

  // What is open keeps its balances, and its rows within their limits: those that have a price where they are.
  const moving = new Map<string, number>();
  const rowOf = (key: string, low: number, high: number): number => {
    const row = moving.get(key) ?? draft.row(low, high);
    moving.set(key, row);
    return row;
  };
  const balance = (cell: number) => rowOf(`cell ${cell}`, 0, 0);
  const volumes = open.nodes.map(({ i, least, most }) => {
    const { zone, from, span } = nodes[i]!;
    const cells = Array.from({ length: span }, (_, k) => zone * periods + from + k);
    const now = answer.net[i]!;
    return draft.column(
      0,
      Math.min(0, least - now),
      Math.max(0, most - now),
      cells.map((cell) => [balance(cell), 1] as const),
    );
  });
  const variableOf = new Map<number, number>();
  for (const { c, least, most } of open.columns) {
    const now = answer.value[c]!;
    const entries = columns[c]!.cells.map(([cell, mw]) => [balance(cell), mw] as const);
    variableOf.set(c, draft.column(0, Math.min(0, least - now), Math.max(0, most - now), entries));
  }
  for (const r of free.rows) {
    const { entries, low, high } = rows[r]!;
    const own = entries.filter(([c]) => isOpen.has(c));
    if (own.length === 0) continue;
    const now = entries.reduce((sum, [c, factor]) => sum + factor * answer.value[c]!, 0);
    const binds = Math.abs(answer.rowPrice[r]!) > samePrice;
    const row = binds ? draft.row(0, 0) : draft.row(Math.min(0, low - now), Math.max(0, high - now));
    for (const [c, factor] of own) draft.entry(variableOf.get(c)!, row, factor);
  }

  for (const { decision, at, factor, low } of noLossRules(problem, on, answer)) {
    const row = draft.row(low, Infinity);
    at.forEach((i, k) => {
      draft.entry(prices[i]!, row, factor[k]!);
    });
    const { test, steps, variable } = decisions[decision]!;
    if (test !== 'income') continue;
    for (const c of steps) {
      if (!isOpen.has(c)) continue;
      const mw = columns[c]!.cells.reduce((sum, [, each]) => sum + each, 0);
      draft.entry(variableOf.get(c)!, row, columns[c]!.cost - variable * mw);
    }
  }
  const { status, x } = solver.solve(draft.program);
  if (status !== 'optimal') return undefined;
  const net = answer.net.slice();
  const value = answer.value.slice();
  open.nodes.forEach(({ i }, k) => {
    net[i]! += x[volumes[k]!]!;
  });
  for (const [c, v] of variableOf) value[c]! += x[v]!;
  return { ...answer, net, value };
}

interface Room {
  readonly least: number;
  readonly most: number;
}

/** What any answer worth the same may have otherwise: who gains nothing at the prices of this one. */
function openVolumes(
  problem: Problem,
  part: Part,
  free: Bounds & { readonly rows: readonly number[] },
  answer: Answer,
) {
  const { nodes, columns, arcs, periods } = problem;
  const open = { nodes: [] as (Room & { readonly i: number })[], columns: [] as (Room & { readonly c: number })[] };
  for (const i of part.nodes) {
    const price = meanOver(problem, answer.price, nodes[i]!);
    const [least] = supplyAt(nodes[i]!.curve, price - samePrice);
    const [, most] = supplyAt(nodes[i]!.curve, price + samePrice);
    if (most - least > noRoom) open.nodes.push({ i, least, most });
  }
  const gain = gainsAt(problem, { columns: part.columns, rows: free.rows }, answer);
  for (const c of part.columns) {
    const { cells, kind } = columns[c]!;
    const [least, most] = [free.lower[c]!, free.upper[c]!];
    if (most - least <= noRoom || Math.abs(gain[c]!) > samePrice * 10) continue;
    // Where power costs nothing, running it in a ring over lines with losses would be worth the same: those flows stay.
    const loss = kind === 'flow' ? arcs[Math.floor(c / periods)]!.loss : 0;
    if (loss > 0 && cells.some(([cell]) => answer.price[cell]! <= samePrice * 10)) continue;
    open.columns.push({ c, least, most });
  }
  return open;
}
