/** Chance by a seed: the same seed gives the same weather on every machine. */

export interface Chance {
  /** Evenly within [low, high). */
  between(low: number, high: number): number;
}

/** Mulberry32: a counter and a mixing function; plenty for weather. */
export function chance(seed: number): Chance {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return { between: (low, high) => low + (high - low) * next() };
}
