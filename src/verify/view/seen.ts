/**
 * Book and result side by side, with the tolerances they are held to. What follows from them alone, before any rule: ranges of prices, shut
 * directions and what may give way stand on it (`view.ts`).
 */

import type { Book } from '../../market/book.ts';
import type { Constraint, Line } from '../../market/network.ts';
import type { Result } from '../../market/result.ts';
import type { Position } from './offers.ts';
import type { Unit } from './units.ts';

export interface Link {
  readonly line: Line;
  readonly from: number;
  readonly to: number;
  /** MW from -> to, and the range it must lie in, by MTU. */
  readonly flow: readonly number[];
  readonly least: readonly number[];
  readonly most: readonly number[];
  /** A ramp of its own, of a set or of a net position at its ends has a say in its prices: INV-19 instead of INV-18 and INV-22. */
  readonly tied: boolean;
}

/** Zones that exchange under the constraints of one MTU, if it has any. */
export interface Region {
  readonly zones: readonly number[];
  readonly constraints: readonly Constraint[];
}

export interface Seen {
  readonly book: Book;
  readonly result: Result;
  readonly periods: number;
  readonly hours: number;
  /** By zone and MTU. */
  readonly price: readonly (readonly number[])[];
  readonly netPosition: readonly (readonly number[])[];
  readonly positions: readonly Position[];
  readonly units: readonly Unit[];
  readonly links: readonly Link[];
  /** By MTU. */
  readonly regions: readonly Region[];
  /**
   * MW by zone and MTU that rounding may lose, and create, between a net position and the flows published beside it.
   */
  readonly lost: readonly (readonly number[])[];
  readonly created: readonly (readonly number[])[];
  /** MW that a zone exports by flow-based exchange, by zone and MTU: its net position less what its lines take out. */
  readonly pool: readonly (readonly number[])[];
  /** Market rules, section 11: how far a price (currency/MWh) and a volume (MW) may be off (`numbers/tolerances.ts`). */
  readonly ep: number;
  readonly eq: number;
}
