/**
 * The published prices: the middle of what the rules allow (market rules, section 5.2).
 *
 * Who trades is known; all prices that support it form a convex set. Each price has a lowest and a highest value in it:
 * its own zone's orders bound it, and every line passes bounds on, because an arc with room makes two prices equal and an empty
 * or full one lets them differ in one direction only. Bounds are passed on until none moves.
 *
 * Where no order spans several MTUs, every rule relates two prices and grows in both; such sets are closed under taking
 * the lower, and the higher, of two solutions. So all lowest prices together are a solution, all highest ones too, and
 * by convexity so is the middle: no optimisation is needed. Blocks and other orders over several MTUs bound a mean of prices,
 * ramps and flow-based constraints tie prices by prices of their own, and there the middle may break a rule: then the nearest
 * prices that break none are taken (a small quadratic program).
 *
 * The limits of the market come first. An order over several MTUs, or a line with losses where prices are negative, can ask for
 * a price beyond them: a half-hour sell that one of its quarters has no use for would need that quarter below the lowest
 * price. No price supports such an answer, though it is the best. Bounds then stop at each other, the rule is left
 * unsupported, and the order is told so (`paradoxically_rejected`).
 */

import assert from 'node:assert/strict';
import type { Sharing } from '../indeterminacy/sharing.ts';
import type { Problem } from '../model/problem.ts';
import { samePrice } from '../relaxation/master.ts';
import { toLots } from '../rounding/traded.ts';
import type { Equilibrium } from '../search/equilibrium.ts';
import { Draft } from '../solver/draft.ts';
import type { Solver } from '../solver/highs.ts';
import { type NearestProgram, nearestPoint } from '../solver/nearest.ts';
import { completed, nearestFrom } from '../solver/nearest-from.ts';
import { inPrice, inRatio, inSolver } from '../tolerances.ts';
import { supportedLevel, givingWay as yieldingRules } from './giving-way.ts';
import { priceOfPart } from './price-of-part.ts';
import { type Reduced, reduced } from './reduced.ts';
import { freeRules, noLossRules, type Rule, type Rules, wholeOf } from './rules.ts';
import { tightened } from './tightened.ts';

/** Bounds move at least this far (currency/MWh), or passing them on ends: gains around a ring of lossy lines shrink for ever. */
const notice = inPrice.moved;
/** Where straight lines leave two bounds a rounding error apart, prices of rows would flee from each other for ever: not beyond this. */
const farthest = 1e9;

interface Midpoint {
  readonly prices: Float64Array;
  readonly unsupported: readonly number[];
  /** Columns of orders over several MTUs that are executed less than their mean price asks. */
  readonly less: ReadonlySet<number>;
}

/**
 * Which of the welfare-equal volumes are executed makes no difference to what trades freely accepts; so the solver's own volumes are
 * asked, which are exact. What a decision gains is asked of the volumes that it gets.
 *
 * @returns prices (currency/MWh, not rounded) by zone * periods + MTU; and groups of MTUs in which these volumes have none within the limits
 */
export function midpointPrices(problem: Problem, solver: Solver, found: Equilibrium, shared: Sharing): Midpoint {
  const cells = problem.zones * problem.periods;
  const noLoss = noLossRules(problem, found.on, shared);
  const { free: asked, unsupported, less } = rulesThatHold(problem, solver, found, shared, noLoss);
  const free = tightened(solver, asked, cells);
  const rowsAsked = [free.low.slice(cells), free.high.slice(cells)] as const;
  passBounds(free);
  // Of rows the cells have learnt what there is to learn.
  free.low.set(rowsAsked[0], cells);
  free.high.set(rowsAsked[1], cells);
  const prices = free.low.map((bound, i) => {
    const high = free.high[i]!;
    return Number.isFinite(bound + high) ? (bound + high) / 2 : 0;
  });
  const rules = [...free.rules, ...noLoss];
  const program = reduced({ ...free, rules }, cells);
  for (const part of brokenParts(program, prices, cells)) nearest(program, part, prices, found, shared, cells);
  return { prices: prices.slice(0, cells), unsupported, less };
}

/** The rules of all that trades freely, without those that give way; and the groups of MTUs in which even so no prices keep them. */
function rulesThatHold(
  problem: Problem,
  solver: Solver,
  found: Equilibrium,
  shared: Sharing,
  noLoss: readonly Rule[],
): { free: Rules; unsupported: number[]; less: Set<number> } {
  const { zones, periods, groups } = problem;
  const shut = new Set(found.groups.flatMap(({ best }) => best!.closed));
  // Whichever of the volumes of equal welfare are executed, the same prices support them; prices that do not are asked by those executed.
  const volumes = { net: found.net.slice(), value: found.value.slice() };
  for (const { best, part } of found.groups) {
    if (best!.level <= supportedLevel) continue;
    for (const i of part.nodes) volumes.net[i] = shared.net[i]!;
    for (const c of part.columns) volumes.value[c] = shared.value[c]!;
  }
  const idle = idleIn(problem, shared);
  for (const c of idle) volumes.value[c] = shared.free.lower[c]!;
  const free = freeRules(problem, wholeOf(problem), without(idle, shared.free), volumes, shut);
  problem.nodes.forEach((node, i) => {
    const at = node.span === 1 ? priceOfPart(node, shared.net[i]!) : undefined;
    const cell = node.zone * periods + node.from;
    if (at === undefined || at < free.low[cell]! - samePrice || at > free.high[cell]! + samePrice) return;
    [free.low[cell], free.high[cell]] = [at, at];
  });
  const instead = new Map<Rule, Rule | undefined>();
  const unsupported: number[] = [];
  groups.forEach(([first, after], k) => {
    const { level, closed } = found.groups[k]!.best!;
    if (level === 0 && closed.length === 0) return;
    const rowsHere = new Set(found.groups[k]!.part.rows.map((r) => zones * periods + r));
    const isHere = ({ at }: Rule) =>
      at.some((i) => (i < zones * periods ? i % periods >= first && i % periods < after : rowsHere.has(i)));
    const here = [...free.rules, ...noLoss].filter(isHere);
    const yielding = yieldingRules(solver, { ...free, rules: here }, zones * periods);
    if (yielding === undefined) unsupported.push(k);
    for (const [rule, looser] of yielding?.instead ?? []) instead.set(rule, looser);
  });
  const rules = free.rules.flatMap((rule) => (instead.has(rule) ? (instead.get(rule) ?? []) : [rule]));
  const less = new Set([...instead.keys()].flatMap(({ column }) => column ?? []));
  return { free: { ...free, rules }, unsupported, less };
}

/**
 * Columns of decisions that execute nothing, be it that nothing of them is a lot: they are off, whatever the search has called them (market rules,
 * section 4), and ask nothing of prices.
 */
function idleIn({ columns, decisions, lot }: Problem, { free, value }: Sharing): number[] {
  return decisions.flatMap(({ column, test, steps }) => {
    if (test === 'free' || steps.length > 0 || free.lower[column]! > 0) return [];
    const { legs, cells } = columns[column]!;
    const isNothing = (legs ?? cells).every(([, mw]) => toLots(mw * value[column]!, lot) === 0);
    return isNothing || Math.abs(value[column]!) <= inRatio.exact ? [column] : [];
  });
}

/** The same with these columns fixed at their least. */
function without(columns: readonly number[], free: Sharing['free']): Sharing['free'] {
  const upper = free.upper.slice();
  for (const c of columns) upper[c] = free.lower[c]!;
  return { ...free, upper };
}

/** Around lines that lose little, bounds shrink towards zero by little each time. */
const mostVisits = 1_000_000;

/** Tighten the bounds by every rule until none moves. */
function passBounds({ rules, low, high }: Rules): void {
  const rulesAt = new Map<number, number[]>();
  rules.forEach((rule, r) => {
    for (const at of rule.at) {
      const list = rulesAt.get(at);
      if (list === undefined) rulesAt.set(at, [r]);
      else list.push(r);
    }
  });
  const waiting = rules.map((_, r) => r);
  const isWaiting = new Uint8Array(rules.length).fill(1);
  for (let next = 0; next < waiting.length && next < mostVisits; next++) {
    const rule = waiting[next]!;
    isWaiting[rule] = 0;
    for (const moved of tighten(rules[rule]!, low, high)) {
      for (const r of rulesAt.get(moved)!) {
        if (isWaiting[r] || r === rule) continue;
        isWaiting[r] = 1;
        waiting.push(r);
      }
    }
  }
}

/** Tighten the bounds of one rule's prices; which of them moved. */
function tighten({ at, factor, low: ruleLow, high: ruleHigh }: Rule, low: Float64Array, high: Float64Array): number[] {
  const moved: number[] = [];
  at.forEach((i, k) => {
    // What the other prices can contribute at least and at most.
    let least = 0;
    let most = 0;
    at.forEach((j, m) => {
      if (m === k) return;
      const f = factor[m]!;
      least += f * (f > 0 ? low[j]! : high[j]!);
      most += f * (f > 0 ? high[j]! : low[j]!);
    });
    const f = factor[k]!;
    const a = (ruleLow - most) / f;
    const b = (ruleHigh - least) / f;
    const [from, to] = f > 0 ? [a, b] : [b, a];
    // Bounds stop at each other: beyond, a rule asks for what the market's limits do not allow.
    let touched = false;
    if (from > low[i]! + notice && from < farthest && low[i]! < high[i]!) {
      low[i] = Math.min(from, high[i]!);
      touched = true;
    }
    if (to < high[i]! - notice && to > -farthest && low[i]! < high[i]!) {
      high[i] = Math.max(to, low[i]!);
      touched = true;
    }
    if (touched) moved.push(i);
  });
  return moved;
}

/** Variables that rules tie together, with these rules, where one of them does not hold or has a price of a row to find. */
function brokenParts({ variable, weight, rules }: Reduced<Rule>, prices: Float64Array, cells: number) {
  const priceOf = new Float64Array(weight.length);
  variable.forEach((v, i) => {
    if (v >= 0 && i < cells) priceOf[v] = prices[i]!;
  });
  const isBroken = rules.map(({ rule, at, factor }) => {
    if (at.some((v) => weight[v] === 0)) return true;
    const sum = at.reduce((total, v, k) => total + factor[k]! * priceOf[v]!, 0);
    const slack =
      samePrice *
      Math.max(
        1,
        factor.reduce((total, f) => total + Math.abs(f), 0),
      );
    return sum < rule.low - slack || sum > rule.high + slack;
  });
  const rulesAt = weight.length === 0 ? [] : Array.from(weight, (): number[] => []);
  rules.forEach(({ at }, r) => {
    for (const v of at) rulesAt[v]!.push(r);
  });
  const seen = new Uint8Array(rules.length);
  const parts: { variables: number[]; rules: number[] }[] = [];
  isBroken.forEach((broken, r) => {
    if (!broken || seen[r]) return;
    const part = { variables: new Set<number>(), rules: [r] };
    seen[r] = 1;
    for (const next of part.rules) {
      for (const v of rules[next]!.at) {
        part.variables.add(v);
        for (const other of rulesAt[v]!) {
          if (seen[other]) continue;
          seen[other] = 1;
          part.rules.push(other);
        }
      }
    }
    parts.push({ variables: [...part.variables], rules: part.rules });
  });
  return parts;
}

/** Replace the prices of a part by the nearest ones (sum of squares over cells) that obey every rule. */
function nearest(
  { variable, weight, low, high, rules }: Reduced<Rule>,
  part: { variables: readonly number[]; rules: readonly number[] },
  prices: Float64Array,
  found: Equilibrium,
  { rowPrice }: Sharing,
  cells: number,
): void {
  const columnOf = new Map(part.variables.map((v, k) => [v, k]));
  const target = new Float64Array(part.variables.length);
  const own = new Float64Array(part.variables.length);
  variable.forEach((v, i) => {
    const k = columnOf.get(v);
    if (k === undefined) return;
    target[k] = i < cells ? prices[i]! : rowPrice[i - cells]!;
    own[k] = i < cells ? found.price[i]! : found.rowPrice[i - cells]!;
  });
  // Columns: the prices, then what each rule's sum comes to. Rows: sum of factor * price - that = 0. Rules are scaled to prices.
  const draft = new Draft();
  for (const v of part.variables) draft.column(0, low[v]!, high[v]!);
  const sums = part.rules.map((r, row) => {
    const { rule, at, factor } = rules[r]!;
    const scale = factor.reduce((most, f) => Math.max(most, Math.abs(f)), inSolver.leastDivisor);
    let least = 0;
    let most = 0;
    let sum = 0;
    at.forEach((v, k) => {
      const f = factor[k]! / scale;
      draft.entry(columnOf.get(v)!, row, f);
      least += f * (f > 0 ? low[v]! : high[v]!);
      most += f * (f > 0 ? high[v]! : low[v]!);
      sum += f * target[columnOf.get(v)!]!;
    });
    // Loosened to what its prices can reach at all.
    draft.column(0, Math.min(rule.low / scale, most), Math.max(rule.high / scale, least), [[row, -1]]);
    return sum;
  });
  const { cost: _, ...bounded } = draft.columns;
  const program = {
    ...bounded,
    weight: Float64Array.from([...part.variables.map((v) => weight[v]!), ...sums.map(() => 0)]),
    target: Float64Array.from([...target, ...sums]),
    rightSide: new Float64Array(sums.length),
  };
  const hasRows = part.variables.some((v) => weight[v] === 0);
  const x = nearestPrices(program, hasRows ? completed(program, own) : undefined);
  assert(x !== undefined, 'rules that give way always leave prices');
  variable.forEach((v, i) => {
    const k = columnOf.get(v);
    if (k !== undefined && i < cells) prices[i] = Math.min(high[v]!, Math.max(low[v]!, x[k]!));
  });
}

/** @param own  where rows have prices too, the linear program's and what rules come to at them: the point to count from */
function nearestPrices(program: NearestProgram, own: Float64Array | undefined): Float64Array | undefined {
  const from = (tolerance: number) => own && nearestFrom(own, inPrice.atTheMoney, program, tolerance, inSolver.product);
  // Rules that each could hold but not all together give way, by as little as can be.
  return (
    from(samePrice * inSolver.fromPoint) ??
    from(samePrice) ??
    nearestPoint(program, samePrice, inSolver.product) ??
    nearestPoint(givingWay(program), samePrice, inSolver.productGivingWay)
  );
}

/** How much dearer breaking a rule is than leaving the middle. */
const stiff = 1e5;

/** The program with a column in each row that lets it stay open, at a price. */
function givingWay(program: NearestProgram): NearestProgram {
  const rows = program.rightSide.length;
  const more = (values: Float64Array, rest: number) =>
    Float64Array.from([...values, ...new Float64Array(rows).fill(rest)]);
  const last = program.indices.length;
  return {
    weight: more(program.weight, stiff),
    target: more(program.target, 0),
    lower: more(program.lower, -Infinity),
    upper: more(program.upper, Infinity),
    rightSide: program.rightSide,
    starts: Int32Array.from([...program.starts, ...Array.from({ length: rows }, (_, r) => last + r + 1)]),
    indices: Int32Array.from([...program.indices, ...Array.from({ length: rows }, (_, r) => r)]),
    values: more(program.values, 1),
  };
}
