/**
 * Local days and durations: where a delivery day begins and ends, and which instant a gate's time of day is.
 *
 * Apart from `time.ts`, so that whoever only takes orders does without a library for calendars.
 */

import assert from 'node:assert/strict';
import { Temporal } from 'temporal-polyfill';
import * as z from 'zod';
import { type Delivery, type Resolution, resolutionMinutes, utc } from './time.ts';

/** An ISO 8601 duration of at most 366 days, made of days, hours, minutes and seconds, such as `PT2H`. */
export const duration = z.string().refine(
  (text) => {
    try {
      const d = Temporal.Duration.from(text);
      return d.sign >= 0 && d.years === 0 && d.months === 0 && d.weeks === 0 && d.total('hours') <= 366 * 24;
    } catch {
      return false;
    }
  },
  {
    error: (issue) =>
      `${JSON.stringify(issue.input)} is not a duration of at most 366 days, in days, hours, minutes and seconds, such as PT2H`,
  },
);

/** An IANA time zone that this machine knows. */
export const timeZone = z.string().refine(
  (name) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone.length > 0;
    } catch {
      return false;
    }
  },
  { error: (issue) => `${JSON.stringify(issue.input)} is not an IANA time zone, such as Europe/Paris` },
);

export const msOf = (iso: string): number => Temporal.Duration.from(iso).total('milliseconds');

/**
 * The local day `date` as MTUs: stepping in UTC from local midnight to the next local midnight.
 *
 * Europe/Paris has 92 quarters on 2026-03-29 and 100 on 2026-10-25.
 */
export function deliveryDay(date: string, zone: string, r: Resolution): Delivery {
  const midnight = Temporal.PlainDate.from(date).toZonedDateTime({ timeZone: zone });
  const next = Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime({ timeZone: zone });
  const minutes = (next.epochMilliseconds - midnight.epochMilliseconds) / 60_000;
  const periods = minutes / resolutionMinutes[r];
  assert(Number.isInteger(periods), `${date} in ${zone} has ${minutes} minutes, not a whole number of ${r}`);
  return { start: utc(midnight.epochMilliseconds), resolution: r, periods };
}

/** The instant at which clocks in `zone` show `time` (`HH:MM`), `daysBefore` days before `date`. */
export function localInstant(date: string, daysBefore: number, time: string, zone: string): string {
  const at = Temporal.PlainDate.from(date)
    .subtract({ days: daysBefore })
    .toZonedDateTime({ timeZone: zone, plainTime: time });
  return utc(at.epochMilliseconds);
}

/** The calendar day that clocks in `zone` show at an instant. */
export const localDay = (at: string | number | Date, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(new Date(at).getTime()).toZonedDateTimeISO(zone).toPlainDate().toString();

export const addDays = (date: string, days: number): string => Temporal.PlainDate.from(date).add({ days }).toString();
