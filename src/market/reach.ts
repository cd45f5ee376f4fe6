/** Whether something that may change only so fast can stay within its bounds. */

/**
 * A value starts anywhere within the bounds of step 0 and changes from step to step by no more than `up` and `down`.
 *
 * @param steps how many there are
 * @param bounds  least and most at step `t`
 * @param ramp  most it may rise (`up`) and fall (`down`) on the way into step `t`, t >= 1; and into step 0 where `before` is given
 * @param before  the value before step 0
 * @returns the first step that cannot be reached whatever came before, or -1
 */
export function firstOutOfReach(
  steps: number,
  bounds: (t: number) => readonly [least: number, most: number],
  ramp: (t: number) => { readonly up: number; readonly down: number },
  before?: number,
): number {
  let [low, high] = before === undefined ? [-Infinity, Infinity] : [before, before];
  for (let t = 0; t < steps; t++) {
    const [least, most] = bounds(t);
    const { up, down } = t === 0 && before === undefined ? { up: Infinity, down: Infinity } : ramp(t);
    low = Math.max(least, low - down);
    high = Math.min(most, high + up);
    if (low > high + 1e-9) return t;
  }
  return -1;
}
