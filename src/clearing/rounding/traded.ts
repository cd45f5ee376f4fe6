/** What is executed, in MW, while it is rounded to lots: changed in place. */

export interface Traded {
  /** MW executed, by order of the book. */
  readonly bought: Float64Array;
  readonly sold: Float64Array;
  /** MW, export positive, by zone * periods + MTU. */
  readonly netPosition: Float64Array;
  /** By column: MW sent, ratios, MW of steps. */
  readonly value: Float64Array;
}

/** Numbers as people would write them: a millionth of a watt is an error of floating point. */
export const clean = (mw: number): number => Math.round(mw * 1e6) / 1e6 + 0;

/** The power of a block in one MTU, in whole lots: a fraction of what it asked for, rounded once for everybody. */
export const toLots = (mw: number, lot: number): number => clean(Math.sign(mw) * Math.round(Math.abs(mw) / lot) * lot);
