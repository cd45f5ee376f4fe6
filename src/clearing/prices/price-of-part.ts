/** The price that an order says which is executed in part: of a rule over prices that is read off volumes the sharpest. */

import type { Node } from '../model/problem.ts';
import { inPower } from '../tolerances.ts';

/**
 * The price of a node that is executed up to the middle of a step: its cell's, whichever volumes of equal welfare the program had chosen.
 * Undefined at the end of a step, and along a line.
 *
 * @param net  MW
 */
export function priceOfPart({ curve }: Node, net: number): number | undefined {
  const i = curve.power.findIndex(
    (mw, k) => net > curve.start[k]! + inPower.whole && net < curve.start[k]! + mw - inPower.whole,
  );
  return i >= 0 && curve.low[i] === curve.high[i] ? curve.low[i] : undefined;
}
