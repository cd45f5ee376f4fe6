/**
 * Lists of decisions that share what they have in common: a branch adds to its parent's list without copying it. So the branches
 * of a search take memory by what each decides, not by what all before it decided.
 */

/** `undefined` is the empty list. The last decision comes first. */
export type Made = Cell | undefined;

export interface Cell {
  readonly decision: number;
  readonly before: Made;
}

export const added = (before: Made, decision: number): Cell => ({ decision, before });

export const listOf = (decisions: Iterable<number>, before: Made = undefined): Made => {
  let list = before;
  for (const decision of decisions) list = added(list, decision);
  return list;
};

/** @param until  where to stop: a list that this one was made from */
export function* decisionsIn(list: Made, until: Made = undefined): Generator<number> {
  for (let at = list; at !== until && at !== undefined; at = at.before) yield at.decision;
}
