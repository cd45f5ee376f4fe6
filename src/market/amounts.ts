/**
 * Exact sums and products of decimals, and money in whole cents. Prices, powers and hours are taken as the decimals that they are
 * written as (`exact.ts`), so that an amount is `price * MW * hours` to its last digit before it is rounded, once.
 */

import assert from 'node:assert/strict';
import { decimalsOf, numberOf, scaledTo, tenTo } from './exact.ts';
import { type Resolution, resolutionMinutes } from './time.ts';

/** `digits / 10^decimals`. */
export interface Exact {
  readonly digits: bigint;
  readonly decimals: number;
}

export const nothing: Exact = { digits: 0n, decimals: 0 };

/** @throws RangeError for a number that is not finite */
export function exact(value: number): Exact {
  const decimals = decimalsOf(value);
  return { digits: scaledTo(value, decimals), decimals };
}

/** Length of a market time unit in hours. */
export const exactHours = (resolution: Resolution): Exact => exact(resolutionMinutes[resolution] / 60);

export const times = (...factors: readonly Exact[]): Exact =>
  factors.reduce((a, b) => ({ digits: a.digits * b.digits, decimals: a.decimals + b.decimals }));

export function plus(a: Exact, b: Exact): Exact {
  const decimals = Math.max(a.decimals, b.decimals);
  return { digits: a.digits * tenTo(decimals - a.decimals) + b.digits * tenTo(decimals - b.decimals), decimals };
}

export const minus = (a: Exact): Exact => ({ digits: -a.digits, decimals: a.decimals });

/** The decimal without an exponent: `0.0000001`, `-12.5`. */
export function decimalText({ digits, decimals }: Exact): string {
  const text = String(digits < 0n ? -digits : digits).padStart(decimals + 1, '0');
  const whole = text.slice(0, text.length - decimals);
  const fraction = text.slice(text.length - decimals).replace(/0+$/, '');
  return `${digits < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** The double that the decimal is read as. */
export const toNumber = ({ digits, decimals }: Exact): number => numberOf(digits, decimals);

/**
 * Money in whole cents, half a cent away from zero: the one rule by which amounts are rounded (market rules, section 8).
 *
 * @param amount  in the currency
 */
export function toCents({ digits, decimals }: Exact): number {
  if (decimals <= 2) return wholeCents(digits * tenTo(2 - decimals));
  const divisor = tenTo(decimals - 2);
  const size = digits < 0n ? -digits : digits;
  const cents = (size + divisor / 2n) / divisor;
  return wholeCents(digits < 0n ? -cents : cents);
}

function wholeCents(cents: bigint): number {
  const value = Number(cents);
  assert(Number.isSafeInteger(value), `${cents} cents are more than can be counted`);
  return value;
}

/** Cents as a decimal in the currency: `-1234.50`. */
export function centsText(cents: number): string {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${cents < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/**
 * Divide whole cents by weights, so that the parts add up to them: each the share rounded toward zero, what is left a cent each by
 * largest remainder, then by place.
 *
 * @param weights  not negative, one of them positive
 */
export function divideCents(cents: number, weights: readonly Exact[]): number[] {
  const decimals = Math.max(...weights.map((weight) => weight.decimals));
  const scaled = weights.map((weight) => weight.digits * tenTo(decimals - weight.decimals));
  const total = scaled.reduce((sum, weight) => sum + weight, 0n);
  assert(total > 0n, 'nothing to divide by');
  const size = BigInt(Math.abs(cents));
  const parts = scaled.map((weight, at) => ({ at, part: (size * weight) / total, left: (size * weight) % total }));
  const missing = Number(size - parts.reduce((sum, { part }) => sum + part, 0n));
  const byRemainder = parts.toSorted((a, b) => (a.left === b.left ? a.at - b.at : a.left > b.left ? -1 : 1));
  const extra = new Set(byRemainder.slice(0, missing).map(({ at }) => at));
  const sign = cents < 0 ? -1 : 1;
  return parts.map(({ at, part }) => sign * (Number(part) + (extra.has(at) ? 1 : 0)) + 0);
}
