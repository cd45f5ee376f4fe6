/**
 * Numbers of JSON as the decimals that they are written as, in whole numbers: a double stands for the shortest decimal that is
 * read as it. Sums and products of them are exact, so nothing here has a tolerance.
 */

/** A double written as `digits / 10^decimals`. */
interface Decimal {
  readonly digits: string;
  readonly decimals: number;
}

const form = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;

function decimalOf(value: number): Decimal {
  const [, sign, whole, fraction = '', exponent = '0'] = form.exec(String(value)) ?? [];
  if (whole === undefined) throw new RangeError(`${value} is no decimal`);
  const decimals = fraction.length - Number(exponent);
  const digits = `${sign}${whole}${fraction}`;
  return decimals >= 0 ? { digits, decimals } : { digits: `${digits}${'0'.repeat(-decimals)}`, decimals: 0 };
}

/** How many digits behind the point the number has. @throws RangeError for one that is not finite */
export const decimalsOf = (value: number): number => (Number.isInteger(value) ? 0 : decimalOf(value).decimals);

/** How many digits the number has from the first that is not 0 to the last, and so many zeros as stand before its point. */
export function significantOf(value: number): number {
  const { digits } = decimalOf(value);
  return digits.replace(/^-?0*/, '').length;
}

/** `value * 10^decimals`. @throws RangeError where that is not whole */
export function scaledTo(value: number, decimals: number): bigint {
  if (Number.isSafeInteger(value)) return BigInt(value) * tenTo(decimals);
  const { digits, decimals: own } = decimalOf(value);
  if (own > decimals) throw new RangeError(`${value} has more than ${decimals} digits behind its point`);
  return BigInt(digits) * tenTo(decimals - own);
}

const powers: bigint[] = [1n];

export function tenTo(exponent: number): bigint {
  for (let k = powers.length; k <= exponent; k++) powers.push(powers[k - 1]! * 10n);
  return powers[exponent]!;
}

/** `digits / 10^decimals` as the nearest double, or one beside it. */
export const numberOf = (digits: bigint, decimals: number): number => Number(`${digits}e-${decimals}`);

/** The least whole number that is not below `a / b`, b > 0. */
export function dividedUp(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return quotient * b < a ? quotient + 1n : quotient;
}
