/**
 * Instants and market time units (MTU).
 *
 * An MTU is known by the UTC instant at which it starts, never by a wall clock: a clock-change day simply has 92 or 100
 * quarters (market rules, section 1.1). What knows local time is in `calendar.ts`.
 */

import * as z from 'zod';

/** The resolutions a market time unit may have, with their length in minutes. */
export const resolutionMinutes = { PT15M: 15, PT30M: 30, PT60M: 60 } as const;
export type Resolution = keyof typeof resolutionMinutes;
export const resolution = z.enum(['PT15M', 'PT30M', 'PT60M']).meta({
  id: 'Resolution',
  description: 'Length of a market time unit',
});

/** Length of one MTU in hours: 0.25, 0.5 or 1. */
export const hoursOf = (r: Resolution): number => resolutionMinutes[r] / 60;

/** MTUs of a day on which no clock changes: 24, 48 or 96. */
export const periodsOfDay = (r: Resolution): number => (24 * 60) / resolutionMinutes[r];

/** As RFC 3339 has it, or without seconds, or with a blank for the T: there is one reading of each. */
const lenientInstant = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2}(?:\.\d+)?)?(Z|z|[+-]\d{2}:\d{2})$/;

const asRfc3339 = (text: string): string =>
  text.replace(
    lenientInstant,
    (_, date, time, seconds = ':00', offset) => `${date}T${time}${seconds}${offset.toUpperCase()}`,
  );

function whyNoInstant(text: unknown): string {
  const seen = JSON.stringify(text);
  if (typeof text === 'string' && /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(text))
    return `${seen} has no offset, so it is no instant: write Z for UTC, or such as +02:00, behind it`;
  return `${seen} is no instant, such as 2025-04-01T00:00:00+02:00 or 2025-03-31T22:00:00Z`;
}

const rfc3339 = z.iso.datetime({ offset: true });
const isInstant = (text: string): boolean => rfc3339.safeParse(text).success;

/** RFC 3339 instant with an offset; what is written a little otherwise is normalised to that. */
export const instant = z
  .string()
  .overwrite(asRfc3339)
  .refine(isInstant, { error: (issue) => whyNoInstant(issue.input) })
  .meta({
    description: 'RFC 3339 instant with an offset',
    format: 'date-time',
    examples: ['2025-04-01T00:00:00+02:00'],
  });

/** A calendar day, `YYYY-MM-DD`. */
export const day = z.iso.date();

/** The same instant in UTC with milliseconds only where there are some: `2025-03-31T22:00:00Z`. */
export const utc = (at: string | number | Date): string => {
  const text = (typeof at === 'string' ? new Date(Date.parse(at)) : new Date(at)).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}Z` : text;
};

/** The MTUs that are delivered one after another from `start`. */
export interface Delivery {
  readonly start: string;
  readonly resolution: Resolution;
  readonly periods: number;
}

/** The UTC instant at which MTU `period` (1-based) starts. */
export const periodStart = (delivery: Delivery, period: number): string =>
  utc(Date.parse(delivery.start) + (period - 1) * resolutionMinutes[delivery.resolution] * 60_000);

export const deliveryEnd = (delivery: Delivery): string => periodStart(delivery, delivery.periods + 1);
