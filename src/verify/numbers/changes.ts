/**
 * What flows could earn more together at the published prices: changes of the published flows, within the room that their limits leave.
 *
 * Duals that explain the prices exist exactly if there is no such change (market rules, 3.2 and 3.3).
 */

import { mostOf } from './simplex.ts';

export type Entries = [variable: number, factor: number][];

/** Changes that may go both ways: two variables each. */
export class Changes {
  readonly gain: number[] = [];
  readonly rows: { entries: Entries; room: number }[] = [];
  #moves = 0;

  /** @param rounding  what a unit more or less may seem to gain because prices are rounded */
  add(gain: number, rounding: number): number {
    this.gain.push(gain - rounding, -gain - rounding);
    return this.#moves++;
  }

  /** The sum of factors times changes is at most `room`. */
  atMost(terms: readonly (readonly [change: number, factor: number])[], room: number): void {
    const entries = terms.flatMap(
      ([c, factor]): Entries => [
        [2 * c, factor],
        [2 * c + 1, -factor],
      ],
    );
    this.rows.push({ entries, room });
  }

  get most(): number {
    return mostOf(this.gain, this.rows);
  }
}
