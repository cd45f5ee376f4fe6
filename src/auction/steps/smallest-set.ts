/**
 * The fewest things without which something passes, when it fails with all of them.
 *
 * A conflict is a set of which all members together fail and any fewer pass; bisection finds one in few trials (QuickXplain, Junker
 * 2004). Whoever passes leaves out one of each conflict. So the smallest set that hits all conflicts known is tried; what fails without
 * it has another conflict, until one passes (implicit hitting sets, as in Karp 2010): no smaller set does, as far as more things never
 * make fewer failures.
 */

export interface Search<T> {
  /** Whether all is well with these alone. */
  readonly passes: (kept: readonly T[]) => Promise<boolean>;
  /** Whether to stop looking. */
  readonly isSpent: () => boolean;
}

/** `found`: without these it passes. `nothing`: it fails even with none of them. `spent`: the search was stopped. */
export type Found<T> =
  | { readonly kind: 'found'; readonly without: readonly T[]; readonly conflicts: readonly (readonly T[])[] }
  | { readonly kind: 'nothing' | 'spent' };

export async function smallestWithout<T>(all: readonly T[], search: Search<T>): Promise<Found<T>> {
  if (!(await search.passes([]))) return { kind: 'nothing' };
  const conflicts: T[][] = [];
  let without = new Set<T>();
  try {
    for (;;) {
      const kept = all.filter((each) => !without.has(each));
      if (await passesNow(kept, search)) return { kind: 'found', without: [...without], conflicts };
      conflicts.push(await conflictIn([], false, kept, search));
      // More conflicts that share nothing with those known: each is worth a trial less.
      const used = new Set(conflicts.flat());
      const others = kept.filter((each) => !used.has(each));
      if (others.length > 0 && !(await passesNow(others, search)))
        conflicts.push(await conflictIn([], false, others, search));
      without = new Set(smallestHitting(conflicts));
    }
  } catch (error) {
    if (error instanceof Spent) return { kind: 'spent' };
    throw error;
  }
}

class Spent extends Error {}

async function passesNow<T>(kept: readonly T[], { passes, isSpent }: Search<T>): Promise<boolean> {
  if (isSpent()) throw new Spent();
  return passes(kept);
}

/**
 * The members of `candidates` that a conflict has beside `background`.
 *
 * @param isNew  whether the background has grown since it was known to pass
 */
async function conflictIn<T>(
  background: readonly T[],
  isNew: boolean,
  candidates: readonly T[],
  search: Search<T>,
): Promise<T[]> {
  if (isNew && !(await passesNow(background, search))) return [];
  if (candidates.length === 1) return [...candidates];
  const half = Math.ceil(candidates.length / 2);
  const [first, second] = [candidates.slice(0, half), candidates.slice(half)];
  const inSecond = await conflictIn([...background, ...first], true, second, search);
  const inFirst = await conflictIn([...background, ...inSecond], inSecond.length > 0, first, search);
  return [...inFirst, ...inSecond];
}

/** Conflicts up to which the smallest set is looked for; beyond, a small one has to do. */
const mostConflicts = 24;

/**
 * Members of which every conflict has one, as few as can be; of several such sets the one whose members are in most conflicts.
 */
export function smallestHitting<T>(conflicts: readonly (readonly T[])[]): T[] {
  if (conflicts.length > mostConflicts) return greedyHitting(conflicts);
  const counts = new Map<T, number>();
  for (const member of conflicts.flat()) counts.set(member, (counts.get(member) ?? 0) + 1);
  const often = (members: readonly T[]) => members.toSorted((a, b) => counts.get(b)! - counts.get(a)!);
  // No two of these share a member: each costs one.
  const hit = (taken: readonly T[], most: number): T[] | undefined => {
    const open = conflicts.filter((conflict) => !conflict.some((member) => taken.includes(member)));
    if (open.length === 0) return [...taken];
    if (taken.length + apart(open) > most) return undefined;
    const narrowest = open.reduce((a, b) => (b.length < a.length ? b : a));
    for (const member of often(narrowest)) {
      const found = hit([...taken, member], most);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (let most = apart(conflicts); ; most++) {
    const found = hit([], most);
    if (found !== undefined) return found;
  }
}

/** Whoever is in most of the conflicts that are left, until none is. */
function greedyHitting<T>(conflicts: readonly (readonly T[])[]): T[] {
  const taken: T[] = [];
  for (let open = [...conflicts]; open.length > 0; ) {
    const counts = new Map<T, number>();
    for (const member of open.flat()) counts.set(member, (counts.get(member) ?? 0) + 1);
    const [most] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
    taken.push(most);
    open = open.filter((conflict) => !conflict.includes(most));
  }
  return taken;
}

/** How many of these share no member with each other, taken as they come: no fewer members hit them all. */
function apart<T>(conflicts: readonly (readonly T[])[]): number {
  const seen = new Set<T>();
  let count = 0;
  for (const conflict of conflicts) {
    if (conflict.some((member) => seen.has(member))) continue;
    for (const member of conflict) seen.add(member);
    count++;
  }
  return count;
}
