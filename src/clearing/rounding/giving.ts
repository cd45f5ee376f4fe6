/**
 * What gives way by whole lots: orders at the money of one zone and side, and the steps of a complex order in one of its periods
 * (market rules, section 5.5).
 */

import { executedShare, type Sharing } from '../indeterminacy/sharing.ts';
import { compareIds, type Problem } from '../model/problem.ts';
import { inRatio } from '../tolerances.ts';
import { fillStage, lotsOfStage, type Stage } from './stages.ts';
import { clean, type Traded } from './traded.ts';

export interface Giving {
  /** Where it trades, MTU by MTU. */
  readonly cells: readonly number[];
  readonly sign: 1 | -1;
  /** MW before rounding. */
  readonly ideal: number;
  /** Whole lots that it may have. */
  readonly least: number;
  readonly most: number;
  /** Whole lots that it has. */
  readonly lots: number;
  /** Have it trade so many lots: orders, net positions and steps follow. */
  tell(lots: number): void;
}

interface Part {
  readonly order: number;
  ideal: number;
  most: number;
  /** MW that it has been given. */
  given: number;
}

/** The orders of a node's side that are executed in part. They have nothing before they are told. */
export class Side implements Giving {
  readonly cells: readonly number[];
  readonly sign: 1 | -1;
  readonly least = 0;
  ideal = 0;
  most = 0;
  lots = 0;
  readonly #problem: Problem;
  readonly #traded: Traded;
  readonly #parts: Part[] = [];
  #power = 0;

  constructor(problem: Problem, traded: Traded, cells: readonly number[], sign: 1 | -1) {
    this.cells = cells;
    this.sign = sign;
    this.#problem = problem;
    this.#traded = traded;
  }

  /** @param ideal  MW of the order before rounding, of `most` */
  add(order: number, ideal: number, most: number): void {
    // What an order offers at one price is one offer, however many steps it is written in.
    const last = this.#parts.at(-1);
    if (last?.order === order && Math.abs(last.ideal / last.most - ideal / most) <= inRatio.exact) {
      last.ideal += ideal;
      last.most += most;
    } else this.#parts.push({ order, ideal, most, given: 0 });
    this.ideal += ideal;
    this.#power += most;
    this.most = Math.floor(this.#power / this.#problem.lot + inRatio.lots);
  }

  tell(lots: number): void {
    const { bought, sold, netPosition } = this.#traded;
    const executed = this.sign === 1 ? sold : bought;
    const before = total(this.#parts);
    for (const { order, given } of this.#parts) executed[order]! -= given;
    this.lots = lots;
    this.#distribute();
    for (const { order, given } of this.#parts) executed[order]! += given;
    const more = total(this.#parts) - before;
    for (const cell of this.cells) netPosition[cell]! += this.sign * more;
  }

  /** Pro rata where all are steps at the money; what is left by the largest remainder, then by id. */
  #distribute(): void {
    const { book, lot } = this.#problem;
    const common = this.ideal / this.#power;
    const isShared = this.#parts.every(({ ideal, most }) => Math.abs(ideal / most - common) <= inRatio.exact);
    const parts = this.#parts.map((part) => {
      const quota = isShared ? (this.lots * part.most) / this.#power : part.ideal / lot;
      const lots = Math.floor(quota + inRatio.lots);
      // Remainders that differ by the noise of sums are equal, and the id decides.
      return { part, lots, rest: Math.round((quota - lots) / inRatio.lots) };
    });
    let left = this.lots - parts.reduce((sum, { lots }) => sum + lots, 0);
    const sign = Math.sign(left);
    const byRemainder = [...parts].sort(
      (a, b) => sign * (b.rest - a.rest) || compareIds(book.orders[a.part.order]!, book.orders[b.part.order]!),
    );
    for (let k = 0; left !== 0; k = (k + 1) % byRemainder.length, left -= sign) byRemainder[k]!.lots += sign;
    for (const { part, lots } of parts) part.given = Math.min(part.most, clean(Math.max(0, lots) * lot));
  }
}

const total = (parts: readonly Part[]): number => parts.reduce((sum, { given }) => sum + given, 0);

/**
 * Execute what is executed in full of all limit and curve orders.
 *
 * @returns what is executed in part
 */
export function executeOrders(problem: Problem, sharing: Sharing, traded: Traded): Side[] {
  const { nodes, periods } = problem;
  return nodes.flatMap((node, index) => {
    const cells = Array.from({ length: node.span }, (_, k) => node.zone * periods + node.from + k);
    const giving: Partial<Record<'buy' | 'sell', Side>> = {};
    for (const segment of node.segments) {
      const { order, side, power } = segment;
      const sign = side === 'sell' ? 1 : -1;
      const share = executedShare(segment, sharing, index);
      if (share <= inRatio.share || share >= 1 - inRatio.share) {
        const mw = share > 0.5 ? power : 0;
        (side === 'sell' ? traded.sold : traded.bought)[order]! += mw;
        for (const cell of cells) traded.netPosition[cell]! += sign * mw;
      } else {
        giving[side] ??= new Side(problem, traded, cells, sign);
        giving[side].add(order, share * power, power);
      }
    }
    return [giving.sell ?? [], giving.buy ?? []].flat();
  });
}

/** A stage that is told already. */
export class GivingStage implements Giving {
  readonly cells: readonly number[];
  readonly sign: 1 | -1;
  readonly ideal: number;
  readonly least: number;
  readonly most: number;
  lots: number;
  readonly #stage: Stage;
  readonly #lot: number;
  readonly #traded: Traded;

  constructor(stage: Stage, lots: number, { lot }: Problem, traded: Traded) {
    this.cells = stage.cells.map(([cell]) => cell);
    this.sign = stage.cells[0]![1] > 0 ? 1 : -1;
    this.ideal = stage.exact;
    [this.least, this.most] = lotsOfStage(stage, lot);
    this.lots = lots;
    this.#stage = stage;
    this.#lot = lot;
    this.#traded = traded;
  }

  tell(lots: number): void {
    const { netPosition, value } = this.#traded;
    for (const cell of this.cells) netPosition[cell]! += this.sign * (lots - this.lots) * this.#lot;
    this.lots = lots;
    fillStage(this.#stage, lots * this.#lot, value);
  }
}
