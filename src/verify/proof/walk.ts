/**
 * One tree of a proof. The walk keeps which decisions are on and off; at a leaf it adds up what everybody could gain at the leaf's prices.
 * A tree that is none throws a TypeError that says what was seen.
 */

import { dividedUp } from '../../market/exact.ts';
import type { ProofGroup, ProofNode } from '../../market/proof.ts';
import type { Column, Decision, Model } from './building.ts';
import { type Gains, gainOf, gainsAt, mostOver, type Part, type Prices, pricesOf } from './gains.ts';
import { type Scaling, worthOfScaled } from './scaled.ts';

/** A leaf whose orders are only said to have no prices. */
export interface ClaimedLeaf {
  readonly orders: readonly string[];
  /** Currency per hour that an answer with them on could be worth. */
  readonly bound: bigint;
  /** False: of these orders it could be shown. */
  readonly isNeeded: boolean;
}

/** Money per hour here is in the units of a sum of gains (`scale.ts`). */
export interface Walked {
  /** The largest bound of a leaf. */
  readonly bound: bigint;
  readonly leaves: number;
  /** What only the engine's word excludes, with the bound there. */
  readonly claims: readonly ClaimedLeaf[];
  /** Nodes that the walk did not come to. */
  readonly loose: number;
}

export class Walk {
  #bound: bigint | undefined;
  #leaves = 0;
  readonly #claims: ClaimedLeaf[] = [];
  #visited = 0;
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

  all(): Walked {
    this.#go(this.#group.root);
    if (this.#bound === undefined) throw new TypeError('nothing in it is said to be possible');
    const loose = this.#group.nodes.length - this.#visited;
    return { bound: this.#bound, leaves: this.#leaves, claims: this.#claims, loose };
  }

  #go(index: number): void {
    const node = this.#group.nodes[index];
    if (node === undefined) throw new TypeError(`there is no node ${index}`);
    if (this.#seen[index]) throw new TypeError(`node ${index} comes twice`);
    this.#seen[index] = 1;
    this.#visited++;
    switch (node.kind) {
      case 'bound':
        this.#leaf(this.#boundAt(node.at));
        return;
      case 'infeasible':
        this.#infeasible(node.at);
        return;
      case 'decide':
        this.#with(node.decision, true, () => this.#go(node.on));
        this.#with(node.decision, false, () => this.#go(node.off));
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

  /** @param bound  undefined: there is no answer here */
  #leaf(bound: bigint | undefined): void {
    this.#leaves++;
    if (bound !== undefined && (this.#bound === undefined || bound > this.#bound)) this.#bound = bound;
  }

  #pricesAt(at: number): Prices {
    const given = this.#group.prices[at];
    if (given === undefined) throw new TypeError(`there are no prices ${at}`);
    this.#prices[at] ??= pricesOf(this.#model, this.#part, given);
    return this.#prices[at];
  }

  /** Money per hour that no answer with what is made so far exceeds; undefined where there is none. */
  #boundAt(at: number): bigint | undefined {
    const prices = this.#pricesAt(at);
    this.#gains[at] ??= gainsAt(this.#model, this.#part, prices);
    return this.#sum(this.#gains[at]);
  }

  #sum({ all, of }: Gains): bigint | undefined {
    let sum = all;
    for (const [{ column, least }, isOn] of this.#made) {
      const gain = of.get(column)!;
      // Who asks for more than it can have is never on.
      if (isOn && least > column.most) return undefined;
      sum += mostOver(gain, isOn ? least : 0n, isOn ? column.most : 0n) - mostOver(gain, column.least, column.most);
    }
    for (const column of this.#closed) {
      const gain = of.get(column)!;
      sum += gain * column.least - mostOver(gain, column.least, column.most);
    }
    return sum;
  }

  #infeasible(at: number): void {
    const most = this.#sum(gainsAt(this.#model, this.#part, this.#pricesAt(at), false));
    if (most !== undefined && most >= 0n) throw new TypeError(`prices ${at} do not show that nothing balances`);
    this.#leaf(undefined);
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

  #direction(ways: readonly (readonly [string, number])[]): void {
    const columns = ways.map(([name]) => this.#columns.get(name));
    const [one, other] = columns;
    if (one === undefined || other === undefined || one.opposite !== other.name)
      throw new TypeError(
        `${ways.map(([name]) => name).join(' and ')} are not the two directions of a line with losses`,
      );
    ways.forEach(([, node], k) => {
      const column = columns[k]!;
      if (this.#closed.has(column)) throw new TypeError(`${column.name} is closed already`);
      this.#closed.add(column);
      this.#go(node);
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
      if (this.#made.has(decision)) throw new TypeError(`${decision.column.name} is fixed twice`);
      this.#made.set(decision, k < on.length);
    });
    this.#go(rest);
    for (const decision of made) this.#made.delete(decision);
  }

  #without(node: Extract<ProofNode, { kind: 'unsupported' | 'claimed' }>): void {
    const core = node.core.map((name) => this.#decision(name));
    const made: Decision[] = [];
    /** In turn each of these is the first of its kind. */
    const inTurn = (ways: readonly (readonly [string, number])[], isOn: boolean) => {
      for (const [name, way] of ways) {
        this.#with(name, isOn, () => this.#go(way));
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
      if (decision.income !== undefined && !core.includes(decision) && this.#made.get(decision) !== false)
        throw new TypeError(`nothing says what is with ${name}`);
    }
    if (node.kind === 'unsupported') this.#unsupported(node, core);
    else {
      // Scaling says all there is to say of the others.
      const needsClaim = core.some((each) => each.income !== undefined || each.scalable < this.#model.scale.one);
      this.#claim(node.core, this.#boundAt(node.at), needsClaim);
    }
    for (const decision of made) this.#made.delete(decision);
  }

  #claim(orders: readonly string[], bound: bigint | undefined, isNeeded = true): void {
    this.#leaf(undefined);
    if (bound !== undefined) this.#claims.push({ orders, bound, isNeeded });
  }

  #unsupported(node: Extract<ProofNode, { kind: 'unsupported' }>, core: readonly Decision[]): void {
    const scaling = worthOfScaled(
      this.#model,
      this.#part,
      core,
      node.scaled,
      (decision) => this.#made.get(decision) === false,
      (column) => this.#closed.has(column),
    );
    const bound = this.#boundAt(node.at);
    const supported = this.#boundWithSupport(node, scaling, bound);
    if (scaling.opensClosed && supported !== bound) this.#claim(node.core, bound);
    else this.#leaf(supported);
  }

  /**
   * The bound of answers that prices support, which are worth no less than the scaled volumes and what orders of a minimum income gain
   * beside them: `weight` of the welfare is taken for as much. All of it, where no weight is given: then nothing may be left to gain.
   */
  #boundWithSupport(
    { at, weight }: Extract<ProofNode, { kind: 'unsupported' }>,
    { worth, ratios }: Scaling,
    bound: bigint | undefined,
  ): bigint | undefined {
    if (bound === undefined) return undefined;
    const { one, volume } = this.#model.scale;
    const share = weight === undefined ? one : volume(weight);
    const prices = this.#pricesAt(at);
    let most = bound * one * one;
    for (const [{ income = [] }, ratio] of ratios) {
      const less = share * (one - ratio);
      for (const [column, perUnit] of income) {
        const gain = gainOf(column, prices);
        const { least, most: top } = this.#rangeOf(column);
        const [before, after] = [gain * one * one, gain * one * one - less * perUnit];
        most += mostOver(after, least, top) - mostOver(before, least, top);
      }
    }
    const left = most - share * one * worth;
    const rest = (one - share) * one;
    const shown = rest === 0n ? (left < 0n ? undefined : bound) : dividedUp(left, rest);
    return shown !== undefined && shown < bound ? shown : shown === undefined ? undefined : bound;
  }

  #rangeOf(column: Column): { least: bigint; most: bigint } {
    const decision = this.#decisions.get(column.name);
    return decision !== undefined && this.#made.get(decision) === true
      ? { least: decision.least, most: column.most }
      : column;
  }
}
