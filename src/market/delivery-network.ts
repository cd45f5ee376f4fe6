/**
 * The network of one auction: its market's, laid on the market time units that are delivered.
 *
 * A market whose auctions are days writes its lists by local time: the value of 02:00 is the third of 24. On a day on which clocks
 * change, the hour that is missing takes its values along, and those of the hour that comes twice count twice. Other markets
 * write their lists by market time unit.
 */

import { Temporal } from 'temporal-polyfill';
import type { Market } from './market.ts';
import type { Line, Network } from './network.ts';
import { type Delivery, periodStart, periodsOfDay, resolutionMinutes } from './time.ts';
import { toTheWatt } from './to-the-watt.ts';

type Places = Pick<Market, 'schedule' | 'timeZone' | 'resolution'>;

/** For each market time unit of a delivery its place (0-based) in the market's lists. */
function placesIn({ schedule, timeZone, resolution }: Places, delivery: Delivery): number[] {
  const periods = Array.from({ length: delivery.periods }, (_, t) => t);
  if (schedule.kind !== 'daily') return periods;
  return periods.map((t) => {
    const { hour, minute } = Temporal.Instant.from(periodStart(delivery, t + 1)).toZonedDateTimeISO(timeZone);
    return Math.floor((hour * 60 + minute) / resolutionMinutes[resolution]);
  });
}

/** Lists that do not have a value for each place keep their length: `network-rules.ts` says so of them. */
export function networkOn(market: Market, delivery: Delivery): Network {
  const places = placesIn(market, delivery);
  const whole = market.schedule.kind === 'daily' ? periodsOfDay(market.resolution) : delivery.periods;
  const laid = <V>(list: V): V =>
    (Array.isArray(list) && list.length === whole ? places.map((place) => list[place]) : list) as V;
  const { lines, rampSets, netPositionRamps, flowBased } = market;
  const byPlace = Map.groupBy(market.constraints, ({ period }) => period - 1);
  const constraints = places.flatMap((place, t) =>
    (byPlace.get(place) ?? []).map((each) => ({ ...each, period: t + 1 })),
  );
  const beyond = market.constraints.filter(({ period }) => period > whole);
  return toTheWatt({
    lines: lines.map(
      (line): Line => ({
        ...line,
        capacity: laid(line.capacity),
        reverse: laid(line.reverse),
        ramp: laid(line.ramp),
      }),
    ),
    constraints: [...constraints, ...beyond],
    ...(rampSets && { rampSets: rampSets.map((set) => ({ ...set, ramp: laid(set.ramp) })) }),
    ...(netPositionRamps && { netPositionRamps: netPositionRamps.map((ramp) => ({ ...ramp, ramp: laid(ramp.ramp) })) }),
    ...(flowBased && { flowBased }),
  });
}
