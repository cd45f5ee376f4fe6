/**
 * Who trades: net supply of each node and flow of each arc that maximise welfare.
 *
 * A linear program over windows of the curves (`curves/window.ts`), one for each group of MTUs. Its answer is exact when price
 * and net supply of every node lie together on the node's true curve: then every order accepts the prices, every arc obeys its
 * price rule (the program's own optimality), and no better answer exists. Where they do not, the window gets more cuts.
 */

import assert from 'node:assert/strict';
import { AuctionError } from '../market/errors.ts';
import { pricesAt, supplyAt } from './curves/net-curve.ts';
import { meanPrice, refined, windowAround } from './curves/window.ts';
import { Joined } from './network/joined.ts';
import type { Node, Problem } from './problem.ts';
import type { Program, Solver } from './solver/highs.ts';

export interface Equilibrium {
  /** MW, by node. */
  readonly net: Float64Array;
  /** MW sent, by arc * periods + MTU. */
  readonly flow: Float64Array;
  /** Prices of the linear program, by zone * periods + MTU: one of many that support the answer, good for a bound only. */
  readonly dual: Float64Array;
  /** 1 where an arc was closed because its line may not carry both directions at once; by arc * periods + MTU. */
  readonly closed: Uint8Array;
  /** False when a search over closed directions ended at its limit: then there may be a better answer. */
  readonly proven: boolean;
  /** Linear programs solved. */
  readonly programs: number;
}
type Found = Equilibrium & { proven: boolean; programs: number };

/** Prices this near to each other (currency/MWh) are the same: a thousand times finer than the finest usual tick. */
export const samePrice = 1e-6;
/** Straight lines need about eight rounds; steps one or two. */
const mostRounds = 60;
/** Directions tried in one group; such lines are few, and prices rarely negative on both sides. */
const mostBranches = 200;

export function findEquilibrium(problem: Problem, solver: Solver): Equilibrium {
  const { nodes, arcs, periods, zones } = problem;
  const found: Found = {
    net: new Float64Array(nodes.length),
    flow: new Float64Array(arcs.length * periods),
    dual: new Float64Array(zones * periods),
    closed: new Uint8Array(arcs.length * periods),
    proven: true,
    programs: 0,
  };
  const guess = expectedPrices(problem);
  for (const [first, after] of problem.groups) solveGroup(problem, solver, guess, first, after, found);
  return found;
}

/**
 * One group of MTUs: the linear program, and where its answer would burn power (see `bothDirections`) a branch and bound over
 * the direction that is closed. The program's own value bounds what lies below a branch.
 */
function solveGroup(
  problem: Problem,
  solver: Solver,
  guess: Float64Array,
  first: number,
  after: number,
  found: Found,
): void {
  const members = problem.nodes.flatMap((node, i) => (node.from >= first && node.from < after ? [i] : []));
  const windows = members.map((i) =>
    windowAround(problem.nodes[i]!.curve, meanOver(problem, guess, problem.nodes[i]!)),
  );
  const group: Group = { first, after, members, windows };
  let best: { cost: number; answer: Pick<Found, 'net' | 'flow' | 'dual' | 'closed'> } | undefined;
  let branches = 0;
  const visit = (): void => {
    const cost = solveExactly(problem, solver, group, found);
    if (best !== undefined && cost >= best.cost - 1e-9 * Math.abs(best.cost)) return;
    const both = bothDirections(problem, first, after, found);
    if (both === undefined) {
      const { net, flow, dual, closed } = found;
      best = { cost, answer: { net: net.slice(), flow: flow.slice(), dual: dual.slice(), closed: closed.slice() } };
      return;
    }
    for (const at of both) {
      // Past the limit only the first branch is followed: an answer, but without proof.
      if (++branches > mostBranches && best !== undefined) {
        found.proven = false;
        return;
      }
      found.closed[at] = 1;
      visit();
      found.closed[at] = 0;
    }
  };
  visit();
  assert(best !== undefined);
  found.net.set(best.answer.net);
  found.flow.set(best.answer.flow);
  found.dual.set(best.answer.dual);
  found.closed.set(best.answer.closed);
}

interface Group {
  readonly first: number;
  readonly after: number;
  /** Nodes of the group. */
  readonly members: readonly number[];
  /** Their windows; they only ever get finer. */
  windows: (readonly number[])[];
}

function meanOver({ periods }: Problem, prices: Float64Array, node: Node): number {
  let sum = 0;
  for (let t = node.from; t < node.from + node.span; t++) sum += prices[node.zone * periods + t]!;
  return sum / node.span;
}

/** Solve and refine until price and net supply of every node lie on its true curve; the least cost. */
function solveExactly(problem: Problem, solver: Solver, group: Group, found: Found): number {
  const { first, after, members } = group;
  for (let round = 1; ; round++) {
    assert(round <= mostRounds, `MTUs ${first + 1} to ${after}: no exact answer after ${mostRounds} linear programs`);
    const cost = solveWindows(problem, solver, group, found);
    let exact = true;
    group.windows = members.map((i, k) => {
      const node = problem.nodes[i]!;
      const price = meanOver(problem, found.dual, node);
      const net = found.net[i]!;
      const [low, high] = pricesAt(node.curve, net);
      if (price >= low - samePrice && price <= high + samePrice) return group.windows[k]!;
      exact = false;
      return refined(node.curve, group.windows[k]!, net, price);
    });
    if (exact) return cost;
  }
}

/** Solve the program over the group's windows and note its answer; its least cost. */
function solveWindows(
  problem: Problem,
  solver: Solver,
  { first, after, members, windows }: Group,
  found: Found,
): number {
  const { arcs, periods, zones, nodes } = problem;
  const width = after - first;
  const rowOf = (zone: number, t: number) => zone * width + (t - first);
  const cost: number[] = [];
  const lower: number[] = [];
  const upper: number[] = [];
  const starts: number[] = [0];
  const indices: number[] = [];
  const values: number[] = [];
  // Row: supply beyond the windows' lower ends, less what flows out, equals the demand at those ends.
  const rightSide = new Float64Array(zones * width);
  members.forEach((i, k) => {
    const { curve, zone, from, span } = nodes[i]!;
    const cuts = windows[k]!;
    for (let t = from; t < from + span; t++) rightSide[rowOf(zone, t)]! -= cuts[0]!;
    for (let c = 1; c < cuts.length; c++) {
      cost.push(meanPrice(curve, cuts[c - 1]!, cuts[c]!) * span);
      lower.push(0);
      upper.push(cuts[c]! - cuts[c - 1]!);
      for (let t = from; t < from + span; t++) {
        indices.push(rowOf(zone, t));
        values.push(1);
      }
      starts.push(indices.length);
    }
  });
  const firstArcColumn = cost.length;
  arcs.forEach((arc, a) => {
    for (let t = first; t < after; t++) {
      cost.push(arc.tariff);
      lower.push(arc.least[t]!);
      upper.push(found.closed[a * periods + t] ? arc.least[t]! : arc.most[t]!);
      indices.push(rowOf(arc.from, t), rowOf(arc.to, t));
      values.push(-1, 1 - arc.loss);
      starts.push(indices.length);
    }
  });
  const program: Program = {
    cost: Float64Array.from(cost),
    lower: Float64Array.from(lower),
    upper: Float64Array.from(upper),
    rowLower: rightSide,
    rowUpper: rightSide,
    starts: Int32Array.from(starts),
    indices: Int32Array.from(indices),
    values: Float64Array.from(values),
  };
  const solution = solver.solve(program);
  found.programs++;
  if (solution.status === 'infeasible') {
    throw new AuctionError(
      'invalid-book',
      `in periods ${first + 1} to ${after} the flows that negative capacities force can't be served by the orders`,
    );
  }
  assert(solution.status === 'optimal', `the linear program of MTUs ${first + 1} to ${after} ended ${solution.status}`);

  let column = 0;
  members.forEach((i, k) => {
    const cuts = windows[k]!;
    let net = cuts[0]!;
    for (let c = 1; c < cuts.length; c++) net += solution.x[column++]!;
    found.net[i] = net;
  });
  assert(column === firstArcColumn);
  for (let a = 0; a < arcs.length; a++) {
    for (let t = first; t < after; t++) found.flow[a * periods + t] = solution.x[column++]!;
  }
  for (let z = 0; z < zones; z++) {
    for (let t = first; t < after; t++) found.dual[z * periods + t] = solution.rowDual[rowOf(z, t)]!;
  }
  return cost.reduce((sum, c, i) => sum + c * solution.x[i]!, 0);
}

/**
 * At negative prices a line with losses would gain from carrying both directions at once, burning power. It may not (INV-17).
 * The arcs of the first line that does (arc * periods + MTU), the one that carries less first; undefined when none does.
 */
function bothDirections(problem: Problem, first: number, after: number, found: Found): [number, number] | undefined {
  const { arcs, periods } = problem;
  for (let a = 0; a + 1 < arcs.length; a++) {
    if (arcs[a]!.line !== arcs[a + 1]!.line) continue;
    for (let t = first; t < after; t++) {
      const [one, other] = [a * periods + t, (a + 1) * periods + t];
      if (Math.min(found.flow[one]!, found.flow[other]!) <= samePrice) continue;
      return found.flow[one]! < found.flow[other]! ? [one, other] : [other, one];
    }
  }
  return undefined;
}

/** Where to look first: the price at which all zones that lines join would clear if the lines had no limits. */
function expectedPrices(problem: Problem): Float64Array {
  const { zones, periods, nodes } = problem;
  const { min, max } = problem.book.priceLimits;
  const joined = new Joined(zones);
  for (const arc of problem.arcs) joined.join(arc.from, arc.to);
  const byMtu = Array.from({ length: zones * periods }, (): Node[] => []);
  for (const node of nodes) {
    for (let t = node.from; t < node.from + node.span; t++) byMtu[joined.root(node.zone) * periods + t]!.push(node);
  }
  const prices = new Float64Array(zones * periods);
  for (let z = 0; z < zones; z++) {
    for (let t = 0; t < periods; t++) {
      const here = byMtu[z * periods + t]!;
      let low = min;
      let high = max;
      for (let k = 0; k < 24 && here.length > 0; k++) {
        const mid = (low + high) / 2;
        let surplus = 0;
        for (const { curve } of here) surplus += supplyAt(curve, mid)[1];
        if (surplus < 0) low = mid;
        else high = mid;
      }
      prices[z * periods + t] = high;
    }
  }
  for (let z = 0; z < zones; z++) {
    for (let t = 0; t < periods; t++) prices[z * periods + t] = prices[joined.root(z) * periods + t]!;
  }
  return prices;
}
