/**
 * The checker of a proof: does it show that no answer is worth more than it says?
 *
 * It walks each tree once. On the way it keeps which decisions are on and off; at a leaf it adds up what everybody could gain at
 * the leaf's prices. No solver, no search: time grows with the book times the leaves.
 */

import type { Book } from '../../market/book.ts';
import type { Proof, ProofGroup, ProofNode } from '../../market/proof.ts';
import type { Result } from '../../market/result.ts';
import { hoursOf } from '../../market/time.ts';
import type { Check } from '../check.ts';
import { Findings } from '../check.ts';
import { withoutExcluded } from '../checks/excluded.ts';
import { apart, halfCent, inProof, leastShare } from '../numbers/tolerances.ts';
import { type Gains, gainsAt, mostOver, type Part, type Prices, partOf, pricesOf } from './gains.ts';
import { type Column, type Decision, type Model, modelOf } from './model.ts';
import { scalable, worthOfScaled } from './scaled.ts';

export interface ProofVerification {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** Money that no answer exceeds: what the proof shows. */
  readonly bound: number;
  readonly leaves: number;
  /** Leaves that have nothing but the engine's word that no prices support them. */
  readonly claimed: number;
}

/** @param hash  `sha256:...` of the book's canonical form */
export function checkProof(whole: Book, hash: string, published: Result, proof: Proof): ProofVerification {
  const { book, result } = withoutExcluded(whole, published);
  const about = new Findings('PROOF-BOOK', 'the proof is of this book and this result');
  about.expect(proof.book === hash, 'book', () => `${proof.book} is not ${hash}`);
  about.expect(result.book === hash, 'result', () => `${result.book} is not ${hash}`);
  about.expect(proof.auction === book.auction, 'auction', () => `${proof.auction} is not ${book.auction}`);
  let next = 1;
  for (const { first, last } of proof.groups) {
    about.expect(first === next && last >= first, `MTU ${first}`, () => `groups go on at ${next}, not ${first}`);
    next = last + 1;
  }
  about.expect(next === book.periods + 1, `MTU ${next}`, () => `groups end at ${next - 1} of ${book.periods}`);

  const tree = new Findings('PROOF-TREE', 'its leaves leave no answer out');
  const model = modelOf(book);
  let bound = 0;
  let leaves = 0;
  let claimed = 0;
  for (const group of proof.groups) {
    const where = `MTU ${group.first} to ${group.last}`;
    try {
      const walk = new Walk(model, partOf(model, book.zones.length, group), group);
      walk.go(group.root);
      tree.expect(
        walk.visited === group.nodes.length,
        where,
        () => `${group.nodes.length - walk.visited} nodes hang loose`,
      );
      bound += walk.bound * hoursOf(book.resolution);
      leaves += walk.leaves;
      // A claim that is within the bound anyway claims nothing.
      claimed += walk.claims.filter((claim) => claim > walk.bound + apart(walk.bound)).length;
    } catch (error) {
      // A tree deeper than the stack is no tree of a search, which makes each decision once on a way down.
      if (!(error instanceof TypeError || error instanceof RangeError)) throw error;
      tree.expect(false, where, () => error.message);
      bound = Infinity;
    }
  }
  const bounds = new Findings('PROOF-BOUND', 'it shows the bound that is published');
  const slack = 2 * halfCent + leastShare * Math.abs(result.welfare);
  bounds.expect(bound <= result.bound + slack, 'bound', () => `${bound} is shown, ${result.bound} is published`);
  // Whole lots may be worth a little more than what was cleared.
  const lots = (book.lot ?? 0) * book.orders.length * (book.priceLimits.max - book.priceLimits.min);
  bounds.expect(
    bound >= result.welfare - slack - lots,
    'welfare',
    () => `${bound} is shown, and ${result.welfare} is there`,
  );
  const checks = [about.check, tree.check, bounds.check];
  const ok = checks.every(({ violations }) => violations.length === 0);
  return { ok, checks, bound, leaves, claimed };
}

/** One tree. A tree that is none throws a TypeError that says what was seen. */
class Walk {
  /** Currency per hour: the largest bound of a leaf. */
  bound = -Infinity;
  leaves = 0;
  /** Bounds of what only the engine's word excludes. */
  readonly claims: number[] = [];
  visited = 0;
  readonly #model: Model;
  readonly #part: Part;
  readonly #group: ProofGroup;
  readonly #decisions: ReadonlyMap<string, Decision>;
  readonly #columns: ReadonlyMap<string, Column>;
  readonly #seen: Uint8Array;
  readonly #prices: (Prices | undefined)[];
  readonly #gains: (Gains | undefined)[];
  /** What is made on the way to the node that is looked at. */
  readonly #made = new Map<Decision, boolean>();
  readonly #closed = new Set<Column>();

  constructor(model: Model, part: Part, group: ProofGroup) {
    this.#model = model;
    this.#part = part;
    this.#group = group;
    this.#columns = new Map(part.columns.map((column) => [column.name, column]));
    this.#decisions = new Map([...model.decisions].filter(([name]) => this.#columns.has(name)));
    this.#seen = new Uint8Array(group.nodes.length);
    this.#prices = group.prices.map(() => undefined);
    this.#gains = group.prices.map(() => undefined);
  }

  go(index: number): void {
    const node = this.#group.nodes[index];
    if (node === undefined) throw new TypeError(`there is no node ${index}`);
    if (this.#seen[index]) throw new TypeError(`node ${index} comes twice`);
    this.#seen[index] = 1;
    this.visited++;
    switch (node.kind) {
      case 'bound':
        this.#leaf(this.#boundAt(node.at));
        return;
      case 'infeasible':
        this.#infeasible(node.at);
        return;
      case 'decide':
        this.#with(node.decision, true, () => this.go(node.on));
        this.#with(node.decision, false, () => this.go(node.off));
        return;
      case 'direction':
        this.#direction(node.closed);
        return;
      case 'fixed':
        this.#fixed(node);
        return;
      case 'unsupported':
      case 'claimed':
        this.#without(node);
    }
  }

  #leaf(bound: number): void {
    this.leaves++;
    this.bound = Math.max(this.bound, bound);
  }

  #pricesAt(at: number): Prices {
    const given = this.#group.prices[at];
    if (given === undefined) throw new TypeError(`there are no prices ${at}`);
    this.#prices[at] ??= pricesOf(this.#model, this.#part, given);
    return this.#prices[at];
  }

  /** Currency per hour that no answer with what is made so far exceeds. */
  #boundAt(at: number): number {
    this.#gains[at] ??= gainsAt(this.#model, this.#part, this.#pricesAt(at));
    return this.#sum(this.#gains[at]);
  }

  #sum({ all, of }: Gains): number {
    let sum = all;
    for (const [{ column, least }, isOn] of this.#made) {
      const gain = of.get(column)!;
      // Who asks for more than it can have is never on.
      if (isOn && least > column.most) return -Infinity;
      sum += mostOver(gain, isOn ? least : 0, isOn ? column.most : 0) - mostOver(gain, column.least, column.most);
    }
    for (const column of this.#closed) {
      const gain = of.get(column)!;
      sum += mostOver(gain, column.least, column.least) - mostOver(gain, column.least, column.most);
    }
    return sum;
  }

  #infeasible(at: number): void {
    const prices = this.#pricesAt(at);
    const most = this.#sum(gainsAt(this.#model, this.#part, prices, false));
    // Per unit of the largest price, so that no prices are so large that a rounding error looks like a loss.
    const largest = [...prices.cell, ...prices.row.values()].reduce((max, price) => Math.max(max, Math.abs(price)), 1);
    if (!(most < -inProof.shortage * largest))
      throw new TypeError(`prices ${at} do not show that nothing balances: ${most}`);
    this.leaves++;
  }

  #decision(name: string): Decision {
    const decision = this.#decisions.get(name);
    if (decision === undefined) throw new TypeError(`there is no decision ${name}`);
    return decision;
  }

  #with(name: string, isOn: boolean, look: () => void): void {
    const decision = this.#decision(name);
    if (this.#made.has(decision)) throw new TypeError(`${name} is made already`);
    this.#made.set(decision, isOn);
    look();
    this.#made.delete(decision);
  }

  #direction([one, other]: readonly (readonly [string, number])[]): void {
    const names = [one![0], other![0]];
    const isPair = names[0] === `${names[1]} back` || names[1] === `${names[0]} back`;
    const columns = names.map((name) => this.#columns.get(name));
    if (!isPair || columns.some((column) => column === undefined || !column.name.startsWith('flow ')))
      throw new TypeError(`${names.join(' and ')} are not the two directions of a line`);
    [one!, other!].forEach(([, node], k) => {
      const column = columns[k]!;
      if (this.#closed.has(column)) throw new TypeError(`${column.name} is closed already`);
      this.#closed.add(column);
      this.go(node);
      this.#closed.delete(column);
    });
  }

  #fixed({ at, on, off, rest }: Extract<ProofNode, { kind: 'fixed' }>): void {
    const made: Decision[] = [];
    const fix = (name: string, isOn: boolean) => {
      this.#with(name, !isOn, () => this.#leaf(this.#boundAt(at)));
      made.push(this.#decision(name));
    };
    for (const name of on) fix(name, true);
    for (const name of off) fix(name, false);
    made.forEach((decision, k) => {
      this.#made.set(decision, k < on.length);
    });
    this.go(rest);
    for (const decision of made) this.#made.delete(decision);
  }

  #without(node: Extract<ProofNode, { kind: 'unsupported' | 'claimed' }>): void {
    const core = node.core.map((name) => this.#decision(name));
    const made: Decision[] = [];
    /** In turn each of these is the first of its kind. */
    const inTurn = (ways: readonly (readonly [string, number])[], isOn: boolean) => {
      for (const [name, way] of ways) {
        this.#with(name, isOn, () => this.go(way));
        const decision = this.#decision(name);
        this.#made.set(decision, !isOn);
        made.push(decision);
      }
    };
    inTurn(node.off, false);
    for (const [k, decision] of core.entries())
      if (this.#made.get(decision) !== true) throw new TypeError(`nothing says what is without ${node.core[k]}`);
    inTurn(node.on, true);
    // All of the core is on now; others with a minimum income must be off, since they may lose by the welfare's measure.
    for (const [name, decision] of this.#decisions) {
      if (decision.isIncome && !core.includes(decision) && this.#made.get(decision) !== false)
        throw new TypeError(`nothing says what is with ${name}`);
    }
    const bound = this.#boundAt(node.at);
    if (node.kind === 'claimed') {
      // Scaling says all there is to say of the others.
      if (!core.some((each) => each.isIncome || scalable(each) < 1))
        throw new TypeError(`that prices do not support ${node.core.join(', ')} together can be shown, and is not`);
      this.leaves++;
      this.claims.push(bound);
    } else this.#unsupported(node, core, bound);
    for (const decision of made) this.#made.delete(decision);
  }

  #unsupported(
    { scaled }: Extract<ProofNode, { kind: 'unsupported' }>,
    core: readonly Decision[],
    bound: number,
  ): void {
    const prices = this.#pricesAt(scaled.at);
    const found = worthOfScaled(this.#model, this.#part, core, scaled, prices, (column) => this.#closed.has(column));
    if (typeof found === 'string') throw new TypeError(`scaled volumes: ${found}`);
    // Where they are not clearly worth more, there may be such an answer: then it is worth no more than the bound.
    if (!(found.worth > bound + apart(bound))) this.#leaf(bound);
    else {
      this.leaves++;
      if (found.opensClosed) this.claims.push(bound);
    }
  }
}
