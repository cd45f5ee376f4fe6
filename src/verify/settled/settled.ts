/** The rules over prices of cells that more than offers of one MTU and plain lines tie together. */

import type { Ranged } from '../view/shut.ts';
import { addNetwork, addOffers, Draft } from './program.ts';
import { type PriceRules, priceRules } from './rules.ts';
import { addUnits } from './units.ts';
import { bestVolumes, partsOf } from './volumes.ts';

export const stats = { parts: 0, none: 0 };

export function settledPrices(view: Ranged, isHere: (cell: number) => boolean): PriceRules[] {
  const cells = Array.from({ length: view.book.zones.length * view.periods }, (_, cell) => cell).filter(isHere);
  if (cells.length === 0) return [];
  const draft = new Draft(view);
  addOffers(view, draft, isHere);
  addNetwork(view, draft, isHere);
  addUnits(view, draft, isHere);
  return partsOf(draft, cells).flatMap((part) => {
    const volumes = bestVolumes(view, draft, part);
    stats.parts++;
    if (volumes === undefined) stats.none++;
    return volumes === undefined ? [] : [priceRules(view, draft, part, volumes)];
  });
}
