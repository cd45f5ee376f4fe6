/** The numbers and names beside a reason (market rules, section 12): how far it was, what it misses, who decided it. */

import type { Reason } from '../../market/result.ts';
import { isSameDistance, isSameMoney } from '../numbers/tolerances.ts';

/** What is due beside a reason. */
export interface Numbers {
  /** currency/MWh; several where rounding leaves open which step is the nearest. */
  readonly distance: readonly number[];
  /** currency/MWh that the distance may be off, because it is known by money that is published to the cent. */
  readonly off?: number;
  /** Money. */
  readonly missed: number;
  /** Ids that have to be named, and that may be. */
  readonly named: readonly string[];
  readonly maybe?: readonly string[];
}

export const noNumbers: Numbers = { distance: [0], missed: 0, named: [] };

/** What of a reason's numbers and names is wrong; undefined when nothing is. */
export function wrongNumbers({ distance, missedSurplus, binding }: Reason, due: Numbers): string | undefined {
  if (!due.distance.some((each) => isSameDistance(distance, Math.max(0, each), due.off)))
    return `distance ${distance} instead of ${due.distance[0]}`;
  if (!isSameMoney(missedSurplus, Math.max(0, due.missed)))
    return `missed surplus ${missedSurplus} instead of ${Math.max(0, due.missed)}`;
  const named = new Set(binding);
  if (named.size < binding.length) return `names ${binding.join(', ')}: one of them twice`;
  const missing = due.named.find((id) => !named.has(id));
  if (missing !== undefined) return `does not name ${missing}`;
  const stranger = binding.find((id) => !due.named.includes(id) && due.maybe?.includes(id) !== true);
  return stranger === undefined ? undefined : `names ${stranger}, which decided nothing about it`;
}
