/** Numbers of a network as decimals: what is finer than a watt is a crumb of somebody's arithmetic, no capacity. */

import { leastPower } from './bounds.ts';
import { gridOf, nearestOn } from './decimal.ts';
import type { Network } from './network.ts';

const watts = gridOf(leastPower);
const factors = gridOf(1e-9);

/** Flows to the watt, and factors of constraints to nine decimals: what is finer is a crumb of somebody's arithmetic. */
export function toTheWatt<N extends Network>(network: N): N {
  const watt = <V>(value: V): V => {
    if (typeof value === 'number') return nearestOn(watts, value) as V;
    return (Array.isArray(value) ? value.map((each) => nearestOn(watts, each)) : value) as V;
  };
  const ramped = <R extends { readonly ramp: unknown; readonly before?: unknown }>(each: R): R => ({
    ...each,
    ramp: watt(each.ramp),
    ...(each.before !== undefined && { before: watt(each.before) }),
  });
  const { lines, constraints, rampSets, netPositionRamps } = network;
  return {
    ...network,
    lines: lines.map((line) => ({ ...ramped(line), capacity: watt(line.capacity), reverse: watt(line.reverse) })),
    constraints: constraints.map((each) => ({
      ...each,
      ptdf: Object.fromEntries(Object.entries(each.ptdf).map(([zone, factor]) => [zone, nearestOn(factors, factor)])),
      ram: watt(each.ram),
    })),
    ...(rampSets && { rampSets: rampSets.map(ramped) }),
    ...(netPositionRamps && { netPositionRamps: netPositionRamps.map(ramped) }),
  };
}
