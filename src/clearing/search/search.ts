/**
 * Which decisions are on: branch and bound over one group of MTUs (market rules, section 4).
 *
 * A branch is a set of decisions made; its program leaves the others anything between off and on, and bounds what any answer below
 * is worth. Best bound first, but each branch is followed down before another is taken up, because the solver goes on where
 * it was.
 *
 * An answer that decides everything counts only if prices support it. If none do, no answer that has all of its accepted orders,
 * and more, is both better and supported: what such an answer's prices leave to the added orders, the smaller one would gain
 * too, so it would be worth as much and be supported itself (Madani and Van Vyve, theorems 6 and 7, for plain blocks; the same
 * argument holds for families, whose added members gain by whole subtrees, for groups, loops and terms in the welfare).
 * So one accepted order has to go, and the branch divides by which is the first.
 */

import { canTradeMore } from '../indeterminacy/most-traded.ts';
import type { Problem } from '../model/problem.ts';
import { givingWay, supportedLevel } from '../prices/giving-way.ts';
import { withIncomes } from '../prices/incomes.ts';
import { freeRules, noLossRules, settled, yieldingOrder } from '../prices/rules.ts';
import { type Support, supportOf, supportsItself } from '../prices/support.ts';
import { type Answer, type Bounds, gainsAt, Master, partOf, samePrice } from '../relaxation/master.ts';
import type { Solver } from '../solver/highs.ts';
import { inMoney } from '../tolerances.ts';
import { boundsOf, emptyAnswer, welfareOf } from './answers.ts';
import {
  bothDirections,
  decidedOn,
  fitsBeside,
  mostFractional,
  takesPart,
  undecidedDirection,
  withoutFamily,
} from './branching.ts';
import { type Core, coreOf, scalableOf } from './core.ts';
import { added, decisionsIn, listOf } from './made.ts';
import { Recorder, type Way } from './recorder.ts';
import type { Branch, Budget, Found, Outcome, Standing } from './standing.ts';

/** What is not worth looking for: a share of the welfare, and currency per hour. */
const shareApart = inMoney.betterShare;
const apart = inMoney.better;
/** Currency per hour: who gains or loses no more is at the money. */
const nearlyNothing = inMoney.nearly;

/** More than any level. */
const unsupported = yieldingOrder.length + 1;

export function searchGroup(
  problem: Problem,
  solver: Solver,
  guess: Float64Array,
  group: readonly [number, number],
  budget: Budget,
  from?: Standing,
  proves = false,
): Outcome {
  if (from?.best !== undefined && from.open.length === 0) {
    return { ...from, part: partOf(problem, group), bound: from.best.welfare, programs: 0 };
  }
  const search = new Search(problem, solver, guess, group, budget, proves, from);
  try {
    return search.run();
  } finally {
    search.dispose();
  }
}

class Search {
  readonly #problem: Problem;
  readonly #solver: Solver;
  readonly #budget: Budget;
  readonly #master: Master;
  /** Decisions of this group, and which columns theirs are. */
  readonly #decisions: readonly number[];
  /** Those that are on in any case. */
  readonly #forced: readonly number[];
  /** By decision; see `scalableOf`. */
  readonly #scalable: readonly number[];
  readonly #open: Branch[];
  #best: Found | undefined;
  /** Answers so far that decided everything, but that no prices support. */
  #unsupported: number;
  readonly #recorder: Recorder | undefined;

  constructor(
    problem: Problem,
    solver: Solver,
    guess: Float64Array,
    group: readonly [number, number],
    budget: Budget,
    proves: boolean,
    from?: Standing,
  ) {
    this.#problem = problem;
    this.#solver = solver;
    this.#budget = budget;
    this.#master = new Master(problem, solver, guess, group, boundsOf(problem, [], [], []));
    const own = new Set(this.#master.columns);
    this.#decisions = problem.decisions.flatMap(({ column, test }, d) =>
      own.has(column) && test !== 'free' ? [d] : [],
    );
    this.#forced = this.#decisions.filter((d) => problem.decisions[d]!.test === 'none');
    this.#scalable = scalableOf(problem, this.#master.rows);
    this.#open = [
      ...(from?.open ?? [{ on: listOf(this.#forced), off: undefined, closed: undefined, bound: Infinity, node: 0 }]),
    ];
    this.#best = from?.best;
    this.#recorder = proves ? new Recorder(problem, this.#master, group) : undefined;
    this.#recorder?.reserve();
    this.#unsupported = from?.unsupported ?? 0;
  }

  dispose(): void {
    this.#master.dispose();
  }

  run(): Outcome {
    let branch = this.#open.pop();
    while (branch !== undefined) {
      if (this.#isSpent) {
        this.#open.push(branch);
        break;
      }
      this.#budget.branches--;
      const children = this.#look(branch);
      // The first child is followed at once; the others wait for their turn.
      for (let k = children.length - 1; k > 0; k--) this.#open.push(children[k]!);
      branch = children[0] ?? this.#next();
    }
    this.#takeIn();
    const { nodes, columns, rows } = this.#master;
    // Branches that the best answer has overtaken are done.
    const open = this.#open.filter((left) => left.bound > this.#enough);
    for (const left of this.#open) this.#recorder?.bound(left.node!, left.at!);
    return {
      part: { nodes, columns, rows },
      best: this.#best,
      bound: open.reduce((bound, left) => Math.max(bound, left.bound), this.#best?.welfare ?? -Infinity),
      open,
      unsupported: this.#unsupported,
      programs: this.#master.programs,
      ...(this.#recorder !== undefined && {
        proof: this.#recorder.finish(this.#solver, this.#isWanting ? undefined : this.#enough),
      }),
    };
  }

  get #isSpent(): boolean {
    return this.#best !== undefined && (this.#budget.branches <= 0 || this.#budget.until?.() === true);
  }

  /** Welfare that a branch has to promise more than to be looked at. */
  get #enough(): number {
    if (this.#isWanting && this.#unsupported < mostUnsupported) return -Infinity;
    const best = this.#best?.welfare;
    return best === undefined ? -Infinity : best + apart + shareApart * Math.abs(best);
  }

  /** Is there no answer yet in which every rule holds? */
  get #isWanting(): boolean {
    return this.#best === undefined || this.#best.level > supportedLevel;
  }

  /** The open branch with the best bound, if it is worth looking at. */
  #next(): Branch | undefined {
    let best = -1;
    for (let k = 0; k < this.#open.length; k++) {
      if (best < 0 || this.#open[k]!.bound > this.#open[best]!.bound) best = k;
    }
    if (best < 0) return undefined;
    const [branch] = this.#open.splice(best, 1);
    if (branch!.bound > this.#enough) return branch;
    for (const left of [branch!, ...this.#open]) this.#recorder?.bound(left.node!, left.at!);
    this.#open.length = 0;
    return undefined;
  }

  /** Solve a branch; what it divides into, the likeliest first. */
  #look(branch: Branch): Branch[] {
    const closed = [...decisionsIn(branch.closed)];
    const bounds = boundsOf(this.#problem, decisionsIn(branch.on), decisionsIn(branch.off), closed);
    const answer = emptyAnswer(this.#problem);
    const worth = this.#master.solve(bounds, answer, this.#enough);
    const recorder = this.#recorder;
    if (worth === undefined) {
      recorder?.infeasible(branch.node!, this.#solver, bounds);
      return [];
    }
    const at = recorder?.prices(answer);
    if (worth.bound <= this.#enough) {
      recorder?.bound(branch.node!, at!);
      return [];
    }
    const { made, ...fixed } = this.#byGains(branch, bounds, answer, worth.bound);
    const node = recorder?.fixed(
      branch.node!,
      at!,
      [...decisionsIn(fixed.on, branch.on)].reverse(),
      [...decisionsIn(fixed.off, branch.off)].reverse(),
    );
    const below = { ...branch, ...fixed, bound: worth.bound };
    const child = (change: Partial<Branch>): Branch => ({
      ...below,
      ...change,
      ...(recorder !== undefined && { node: recorder.reserve(), at: at! }),
    });
    const open = this.#decisions.filter((d) => !made.has(d));
    const split = mostFractional(this.#problem, open, answer);
    if (split !== undefined) {
      const on = child({ on: added(below.on, split) });
      const off = child({ off: added(below.off, split) });
      recorder?.decide(node!, split, on.node!, off.node!);
      const { column, least } = this.#problem.decisions[split]!;
      if (this.#best === undefined) this.#repair(answer);
      return answer.value[column]! >= least / 2 ? [on, off] : [off, on];
    }
    const both = bothDirections(this.#problem, this.#master, answer);
    if (both !== undefined) {
      const ways = both.map((column) => child({ closed: added(below.closed, column) }));
      recorder?.direction(
        node!,
        ways.map((way, k) => [both[k]!, way.node!]),
      );
      return ways;
    }

    const on = decidedOn(this.#problem, this.#decisions, answer);
    const isSupported = supportsItself(this.#problem, this.#master, on, answer);
    const core = isSupported ? undefined : this.#core(on, below);
    const isTested = core === undefined || this.#isWanting;
    if (isTested && this.#test(on, closed, answer) === undefined) {
      recorder?.bound(node!, at!);
      return [];
    }
    const either = undecidedDirection(this.#problem, this.#master, closed, answer);
    if (either !== undefined) {
      this.#unsupported++;
      const ways = either.map((column) => child({ closed: added(below.closed, column) }));
      recorder?.direction(
        node!,
        ways.map((way, k) => [either[k]!, way.node!]),
      );
      return ways;
    }
    // Where limits leave no prices for the orders that no decision is about, it is not the decisions' doing.
    if (on.length === 0) {
      recorder?.unsupported(node!, at!, { on }, [], [], { branch: below, answer });
      return [];
    }
    if (this.#best === undefined || ++this.#unsupported % oftenRepaired === 1) this.#repair(answer);
    const tooMany = core ?? this.#core(on, below, true) ?? { on };
    const { without, besides } = this.#withoutOneOf(tooMany, below, answer, child);
    const off = without.map((each): Way => [each.off!.decision, each.node!]);
    const beside = besides.map((each): Way => [each.on!.decision, each.node!]);
    recorder?.unsupported(node!, at!, tooMany, off, beside, { branch: below, answer });
    const worthwhile = without.filter((each) => each.bound > this.#enough);
    for (const each of without) if (each.bound <= this.#enough) recorder?.bound(each.node!, at!);
    return [...worthwhile, ...besides];
  }

  /** @param withSpare  see `coreOf` */
  #core(on: readonly number[], branch: Branch, withSpare = false): Core | undefined {
    const enough = branch.bound + apart + shareApart * Math.abs(branch.bound);
    return coreOf(this.#problem, this.#master, this.#decisions, this.#scalable, branch, on, enough, withSpare);
  }

  /** Reduced-cost fixing: decisions that no answer better than the incumbent has the other way. */
  #byGains(branch: Branch, bounds: Bounds, answer: Answer, bound: number) {
    let { on, off } = branch;
    const made = new Set([...decisionsIn(on), ...decisionsIn(off)]);
    if (this.#best !== undefined) {
      const gain = gainsAt(this.#problem, this.#master, answer);
      for (const d of this.#decisions) {
        if (made.has(d)) continue;
        const { column, least } = this.#problem.decisions[d]!;
        const g = gain[column]!;
        if (bounds.upper[column] === 0 || (g < 0 && bound + g * least <= this.#enough)) off = added(off, d);
        else if (g > 0 && bound - g <= this.#enough) on = added(on, d);
        else continue;
        made.add(d);
      }
    }
    return { on, off, made };
  }

  /**
   * Do prices support this answer, in which these decisions are on? If so it may be the best so far.
   *
   * @returns undefined when they do; else who would lose
   */
  #test(on: readonly number[], closed: readonly number[], answer: Answer): Support['losers'] | undefined {
    const isOn = new Set(on);
    const off = this.#decisions.filter((d) => !isOn.has(d));
    const bounds = boundsOf(this.#problem, on, off, closed);
    const support = supportOf(this.#problem, this.#solver, this.#master, bounds, on, answer);
    const other = support.exists
      ? undefined
      : withIncomes(this.#problem, this.#solver, this.#master, bounds, on, answer);
    const exists = support.exists || other !== undefined;
    if (exists || this.#isWanting) {
      const found = other ?? answer;
      const level = exists ? 0 : this.#levelOf(on, closed, bounds, found);
      if (level < unsupported || on.length === 0) this.#consider({ ...found, on, closed, bounds, level });
    }
    return exists ? undefined : support.losers;
  }

  /** Which kinds of rules have to give way for this answer. */
  #levelOf(on: readonly number[], closed: readonly number[], bounds: Bounds, answer: Answer): number {
    const problem = this.#problem;
    const free = freeRules(problem, this.#master, settled(problem, this.#master, bounds), answer, new Set(closed));
    const rules = [...free.rules, ...noLossRules(problem, on, answer)];
    return givingWay(this.#solver, { ...free, rules }, answer.price.length)?.level ?? unsupported;
  }

  /** Fewer kinds of rules that give way come first, then welfare. */
  #consider(answer: Omit<Found, 'welfare'>): void {
    const found = { ...answer, welfare: welfareOf(this.#problem, this.#master, answer) };
    const rank = ({ level }: { level: number }) => Math.max(level, supportedLevel);
    const best = this.#best;
    const isBetter =
      best === undefined || rank(found) < rank(best) || (rank(found) === rank(best) && found.welfare > best.welfare);
    if (isBetter) this.#best = found;
  }

  /** Put back, one by one, what is rejected and would gain most; what loses by it may go for it (market rules, section 4). */
  #reinsert(): void {
    const tried = new Set<number>();
    for (let round = 0; round < mostReinsertions && this.#budget.until?.() !== true; round++) {
      const best = this.#best!;
      const gain = gainsAt(this.#problem, this.#master, best);
      const on = new Set(best.on);
      const next = this.#decisions
        .filter((d) => !on.has(d) && !tried.has(d) && fitsBeside(this.#problem, this.#master, d, on))
        .map((d) => ({ d, missed: gain[this.#problem.decisions[d]!.column]! }))
        .filter(({ missed }) => missed > apart)
        .sort((a, b) => b.missed - a.missed || a.d - b.d)[0];
      if (next === undefined) return;
      tried.add(next.d);
      this.#repairFrom(new Set([...best.on, next.d]), next.d, 3);
    }
  }

  /**
   * Of answers of equal welfare the most volume: what is at the money or better comes in where more is traded then (market rules, sections
   * 4 and 5.3), alone or with a counterpart.
   */
  #takeIn(): void {
    const { decisions, columns } = this.#problem;
    if (this.#best === undefined) return;
    const gain = gainsAt(this.#problem, this.#master, this.#best);
    const wasOn = new Set(this.#best.on);
    const missed = (d: number) => {
      const { column } = decisions[d]!;
      const size = columns[column]!.cells.reduce((sum, [, mw]) => sum + Math.abs(mw), 0);
      return gain[column]! / Math.max(size, 1);
    };
    const off = this.#decisions.filter((d) => !wasOn.has(d));
    // Of many decisions those at the money alone, for speed: others come in at equal welfare by chance only.
    const isWide = this.#decisions.length <= mostTriedInPairs;
    const most = isWide ? Infinity : samePrice * 10;
    const candidates = off
      .filter((d) => missed(d) >= -samePrice * 10 && missed(d) <= most)
      .sort((a, b) => Math.abs(missed(a)) - Math.abs(missed(b)) || a - b)
      .slice(0, mostTakenIn);
    for (const d of candidates) {
      if (this.#takesIn([d]) || !isWide) continue;
      const gainOf = (other: number) => gain[decisions[d]!.column]! + gain[decisions[other]!.column]!;
      const partners = off
        .filter((other) => other !== d && gainOf(other) >= -samePrice)
        .sort((a, b) => Math.abs(gainOf(a)) - Math.abs(gainOf(b)) || a - b)
        .slice(0, mostTakenIn);
      partners.some((other) => this.#takesIn([d, other]));
    }
  }

  /** Put these into the best answer where it is worth as much with them, and more is traded. */
  #takesIn(more: readonly number[]): boolean {
    const best = this.#best!;
    const on = new Set(best.on);
    for (const d of more) {
      if (on.has(d) || !fitsBeside(this.#problem, this.#master, d, on)) return false;
      on.add(d);
    }
    const list = [...on].sort((a, b) => a - b);
    const off = this.#decisions.filter((d) => !on.has(d));
    const bounds = boundsOf(this.#problem, list, off, best.closed);
    const answer = emptyAnswer(this.#problem);
    const equal = best.welfare - apart - shareApart * Math.abs(best.welfare);
    const worth = this.#master.solve(bounds, answer, equal);
    if (
      worth === undefined ||
      worth.bound <= equal ||
      bothDirections(this.#problem, this.#master, answer) !== undefined
    )
      return false;
    const welfare = welfareOf(this.#problem, this.#master, answer);
    if (
      welfare < equal ||
      !canTradeMore(this.#problem, this.#solver, this.#master, [answer, bounds], [best, best.bounds])
    )
      return false;
    const { exists } = supportOf(this.#problem, this.#solver, this.#master, bounds, list, answer);
    const level = exists ? 0 : this.#levelOf(list, best.closed, bounds, answer);
    // Where no prices do at all, it might lose.
    if (level >= unsupported || Math.max(level, supportedLevel) > Math.max(best.level, supportedLevel)) return false;
    // Equal within what is not worth looking for: the bound of the search stays that of the answer it proved.
    this.#best = { ...answer, on: list, closed: best.closed, bounds, level, welfare: Math.max(welfare, best.welfare) };
    return true;
  }

  /** The branch divides by which of its accepted orders is the first to go. */
  #withoutOneOf(
    { on, scaled }: Pick<Core, 'on'> & Partial<Core>,
    branch: Branch,
    answer: Answer,
    child: (change: Partial<Branch>) => Branch,
  ): { without: Branch[]; besides: Branch[] } {
    const { decisions } = this.#problem;
    const gain = gainsAt(this.#problem, this.#master, answer);
    const gainOf = (d: number) => Math.max(0, gain[decisions[d]!.column]!);
    const kept = new Set(decisionsIn(branch.on));
    const free = on.filter((d) => !kept.has(d)).sort((a, b) => gainOf(a) - gainOf(b) || a - b);
    let keptOn = branch.on;
    const without = free.map((d) => {
      const each = child({ on: keptOn, off: added(branch.off, d), bound: branch.bound - gainOf(d) });
      kept.add(d);
      keptOn = added(keptOn, d);
      return each;
    });
    // Terms outside the welfare break the argument above only where answers are worth the same; those are looked at too: others with
    // such terms, and who gains nothing, but moves what an income is paid for. So is who may take a part of an exclusive group's
    // unit: beside them these have less of it than they would choose.
    const hasIncome = scaled === undefined && [...kept].some((d) => decisions[d]!.test === 'income');
    const gainsNothing = (d: number) => hasIncome && Math.abs(gain[decisions[d]!.column]!) <= nearlyNothing;
    const isOff = new Set(decisionsIn(branch.off));
    let { off } = branch;
    const besides: Branch[] = [];
    for (const d of this.#decisions) {
      if (kept.has(d) || isOff.has(d)) continue;
      if (decisions[d]!.test !== 'income' && !gainsNothing(d) && !takesPart(this.#problem, this.#master, d, kept))
        continue;
      besides.push(child({ on: added(keptOn, d), off }));
      off = added(off, d);
    }
    return { without, besides };
  }

  /** An answer from a program's: what it wants most, less those that would lose, until nobody does. */
  #repair(from: Answer): void {
    const { decisions } = this.#problem;
    const on = new Set(this.#forced);
    const wanted = this.#decisions
      .filter((d) => from.value[decisions[d]!.column]! >= 0.5 * decisions[d]!.least)
      .sort((a, b) => from.value[decisions[b]!.column]! - from.value[decisions[a]!.column]! || a - b);
    for (const d of wanted) if (!on.has(d) && fitsBeside(this.#problem, this.#master, d, on)) on.add(d);
    const before = this.#best;
    this.#repairFrom(on, -1, mostRepairs);
    if (this.#best !== before) this.#reinsert();
  }

  /** @param kept  does not go for the others */
  #repairFrom(wanted: ReadonlySet<number>, kept: number, rounds: number): void {
    let on = new Set(wanted);
    for (let round = 0; round < rounds; round++) {
      const list = [...on].sort((a, b) => a - b);
      const off = this.#decisions.filter((d) => !on.has(d));
      const answer = emptyAnswer(this.#problem);
      const worth = this.#master.solve(boundsOf(this.#problem, list, off, []), answer, this.#enough);
      if (worth === undefined) {
        // Too much for the orders there are: the last one wanted goes.
        const last = [...on].findLast((d) => d !== kept && !this.#forced.includes(d));
        if (last === undefined) return;
        on = withoutFamily(this.#problem, on, last);
        continue;
      }
      if (worth.bound <= this.#enough || bothDirections(this.#problem, this.#master, answer) !== undefined) return;
      const lost = this.#test(list, [], answer)?.filter(({ decision }) => decision !== kept);
      if (lost === undefined || lost.length === 0) return;
      for (const { decision } of lost.slice(0, 1 + Math.floor(lost.length / 3)))
        on = withoutFamily(this.#problem, on, decision);
    }
  }
}

const mostRepairs = 200;
const mostReinsertions = 30;
/** So many orders, those nearest to the money, are tried for more volume. */
const mostTakenIn = 8;
/** And in pairs where there are no more decisions than this. */
const mostTriedInPairs = 16;
/** So many answers that no prices support are divided in search of one that is supported; then what gives way least is enough. */
const mostUnsupported = 256;
/** Every so many answers that no prices support, one is repaired. */
const oftenRepaired = 16;
