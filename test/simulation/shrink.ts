/** A failing run made small: without the faults it does not need, and with as few actions as still fail. */

import { type FaultKind, faultKinds } from './faults.ts';
import { type SimulationOptions, simulate } from './simulate.ts';

export const failureOf = (options: SimulationOptions): Promise<unknown> =>
  simulate(options).then(
    () => undefined,
    (error: unknown) => error,
  );

const mostActions = 256;

/** @param options  of a run that fails. @returns of a smaller one that does, perhaps in another way */
export async function shrink(options: SimulationOptions): Promise<SimulationOptions> {
  let without: readonly FaultKind[] = options.without ?? [];
  for (const kind of faultKinds) {
    if (without.includes(kind)) continue;
    const fewer = [...without, kind];
    if ((await failureOf({ ...options, without: fewer })) !== undefined) without = fewer;
  }
  let [least, most] = [0, options.actions ?? mostActions];
  while (least < most) {
    const middle = (least + most) >> 1;
    if ((await failureOf({ ...options, without, actions: middle })) === undefined) least = middle + 1;
    else most = middle;
  }
  return { ...options, without, actions: most };
}

/** How to run it again. */
export const commandOf = ({ seed, on, without = [], actions }: SimulationOptions): string =>
  [
    `npm run simulate -- --seed ${seed}`,
    ...(on === 'cloud' ? ['--cloud'] : []),
    ...(without.length > 0 ? [`--without ${without.join(',')}`] : []),
    ...(actions === undefined ? [] : [`--actions ${actions}`]),
  ].join(' ');
