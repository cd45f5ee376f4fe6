/** Rational numbers of any size: what the oracle counts in, so that nothing it says depends on a tolerance. */

/** n / d in lowest terms, d > 0. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

export const zero: Rational = { n: 0n, d: 1n };
export const one: Rational = { n: 1n, d: 1n };

/** The decimal that a number is written as: 0.1 is 1/10, not the double nearest to it. */
export function rational(value: number): Rational {
  if (Number.isSafeInteger(value)) return { n: BigInt(value), d: 1n };
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) throw new Error(`${value} is no number`);
  const [, minus, whole, part = '', exponent = '0'] = match;
  const digits = BigInt(`${minus}${whole}${part}`);
  const shift = Number(exponent) - part.length;
  return shift >= 0 ? { n: digits * 10n ** BigInt(shift), d: 1n } : fraction(digits, 10n ** BigInt(-shift));
}

/** n / d in lowest terms. */
export function fraction(n: bigint, d: bigint): Rational {
  if (n === 0n) return zero;
  if (d === 1n) return { n, d };
  let [a, b] = [n < 0n ? -n : n, d < 0n ? -d : d];
  while (b !== 0n) [a, b] = [b, a % b];
  if (d < 0n) a = -a;
  return a === 1n ? { n, d } : { n: n / a, d: d / a };
}

export function plus(a: Rational, b: Rational): Rational {
  if (a.n === 0n) return b;
  if (b.n === 0n) return a;
  return a.d === b.d ? fraction(a.n + b.n, a.d) : fraction(a.n * b.d + b.n * a.d, a.d * b.d);
}

export const minus = (a: Rational, b: Rational): Rational => plus(a, negated(b));

export const negated = (a: Rational): Rational => (a.n === 0n ? a : { n: -a.n, d: a.d });

export function times(a: Rational, b: Rational): Rational {
  if (a.n === 0n || b.n === 0n) return zero;
  return fraction(a.n * b.n, a.d * b.d);
}

export function over(a: Rational, b: Rational): Rational {
  if (b.n === 0n) throw new Error('division by zero');
  return fraction(a.n * b.d, a.d * b.n);
}

/** -1, 0 or 1 as `a` is below, at or above zero. */
export const sign = ({ n }: Rational): number => (n > 0n ? 1 : n < 0n ? -1 : 0);

export const compare = (a: Rational, b: Rational): number => sign(minus(a, b));
export const least = (a: Rational, b: Rational): Rational => (compare(a, b) <= 0 ? a : b);
export const most = (a: Rational, b: Rational): Rational => (compare(a, b) >= 0 ? a : b);
export const sum = (all: Iterable<Rational>): Rational => {
  let total = zero;
  for (const each of all) total = plus(total, each);
  return total;
};

/** The nearest double, or one beside it. */
export function toNumber({ n, d }: Rational): number {
  const [high, low] = [Number(n), Number(d)];
  if (Number.isFinite(high) && Number.isFinite(low)) return high / low;
  const shift = BigInt(Math.max(n.toString(2).length, d.toString(2).length) - 1000);
  return Number(n >> shift) / Number(d >> shift);
}

/** `5`, `0.25` where a short decimal says it, `17/3` otherwise. */
export function text(a: Rational): string {
  const decimal = toNumber(a);
  const isDecimal = Math.abs(decimal) < 1e15 && compare(rational(decimal), a) === 0;
  return isDecimal ? String(decimal) : `${a.n}/${a.d}`;
}
