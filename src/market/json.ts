/**
 * JSON that every reader reads alike.
 *
 * JSON leaves open what a repeated key means and how many digits a number has, and in JavaScript some keys are no mere keys. Two programs
 * may then read one file as two different books, both within their rights. Whatever is open in that way is refused here, with its place:
 * keys that an object has twice, `reservedKeys`, and numbers that are not the very decimal that was written (RFC 7493, I-JSON).
 *
 * Numbers are doubles. Of the decimals that one double stands for the shortest is meant, as RFC 8785 writes it, so up to 15 digits may
 * always be written and 17 sometimes; `1.0` and `1e0` are the same decimal as `1`.
 */

import type { Problem } from './errors.ts';

/** Keys that JavaScript gives a meaning of its own; no zone, line or order is called so either. */
export const reservedKeys: readonly string[] = ['__proto__', 'constructor', 'prototype'];

export interface StrictJson {
  readonly value: unknown;
  /** What is open in it, by place: `orders.3.price`. Nothing when all readers agree. */
  readonly problems: readonly Problem[];
}

/** @throws SyntaxError when it is not JSON */
export function readStrictJson(text: string): StrictJson {
  const value: unknown = JSON.parse(text);
  return { value, problems: isPlain(text, value) ? [] : [...ambiguities(text)] };
}

/**
 * Whether there can be nothing open in it, found out in a fraction of the time that `ambiguities` takes: as many keys as members, none of
 * them reserved, and no number so long or with an exponent.
 */
function isPlain(text: string, value: unknown): boolean {
  let members = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === colon) members++;
    else if (code === minus || isDigit(code)) {
      const end = endOfNumber(text, at);
      if (!isShort(text, at, end)) return false;
      at = end - 1;
    }
  }
  return members === keysIn(value);
}

/** How many keys all its objects have; none that is reserved is counted, so that their number is not that of the members then. */
function keysIn(value: unknown): number {
  const waiting = [value];
  let count = 0;
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (Array.isArray(each)) for (const item of each) waiting.push(item);
    else if (typeof each === 'object' && each !== null)
      for (const key of Object.keys(each)) {
        if (!reservedKeys.includes(key)) count++;
        waiting.push((each as Record<string, unknown>)[key]);
      }
  }
  return count;
}

const quote = 34;
const comma = 44;
const minus = 45;
const colon = 58;
const openList = 91;
const backslash = 92;
const closeList = 93;
const openObject = 123;
const closeObject = 125;
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isExponent = (code: number): boolean => (code | 32) === 101;

/** An object or a list that is not closed yet. */
interface Open {
  /** Of an object, as they come; undefined in a list. */
  readonly keys: Set<string> | undefined;
  /** Where we are in it: a key, or a position from 0. */
  at: string | number;
}

/** @param text  JSON, which it is known to be: only what the grammar allows is told apart here */
function* ambiguities(text: string): Generator<Problem> {
  const open: Open[] = [];
  const fieldOf = (): string => open.map(({ at }) => at).join('.');
  let isKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === openObject || code === openList) {
      isKey = code === openObject;
      open.push(isKey ? { keys: new Set(), at: '' } : { keys: undefined, at: 0 });
    } else if (code === closeObject || code === closeList) {
      open.pop();
      isKey = false;
    } else if (code === comma) {
      const inner = open.at(-1)!;
      isKey = inner.keys !== undefined;
      if (!isKey) (inner.at as number)++;
    } else if (code === quote) {
      const end = endOfString(text, at);
      if (isKey) {
        const inner = open.at(-1)!;
        const key = stringIn(text, at, end);
        inner.at = key;
        const problem = keyProblem(key, inner.keys!);
        if (problem !== undefined) yield { field: fieldOf(), ...problem };
        inner.keys!.add(key);
        isKey = false;
      }
      at = end;
    } else if (code === minus || isDigit(code)) {
      const end = endOfNumber(text, at);
      const problem = isShort(text, at, end) ? undefined : numberProblem(text.slice(at, end));
      if (problem !== undefined) yield { field: fieldOf(), ...problem };
      at = end - 1;
    }
  }
}

function keyProblem(key: string, keys: ReadonlySet<string>): Omit<Problem, 'field'> | undefined {
  if (keys.has(key)) return { code: 'repeated-key', message: `the key ${JSON.stringify(key)} is there twice` };
  if (reservedKeys.includes(key)) return { code: 'reserved-key', message: `no key may be called ${key}` };
  return undefined;
}

function numberProblem(text: string): Omit<Problem, 'field'> | undefined {
  const read = Number(text);
  if (!Number.isFinite(read)) return { code: 'too-large', message: `${text} is beyond the largest number there is` };
  if (decimalOf(text) === decimalOf(String(read))) return undefined;
  return { code: 'too-many-digits', message: `${text} has more digits than a number can have; the nearest is ${read}` };
}

/** The same text for each way to write a decimal: its digits, and the power of ten of the last one that is not nought. */
function decimalOf(text: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text)!;
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${sign}${significant}e${Number(exponent) - fraction.length + digits.length - significant.length}`;
}

/** Where the string that begins at this quote has its last one. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
  return slashes % 2 === 1;
}

function stringIn(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
}

/** After its last character: digits, a point, signs and the exponent's letter. */
function endOfNumber(text: string, start: number): number {
  for (let end = start + 1; ; end++) {
    const code = text.charCodeAt(end);
    const isPart = isDigit(code) || code === 46 || code === 43 || code === minus || isExponent(code);
    if (!isPart) return end;
  }
}

/** Up to 15 digits without an exponent are read as what they are. */
function isShort(text: string, start: number, end: number): boolean {
  if (end - start > 15) return false;
  for (let at = start + 1; at < end; at++) if (isExponent(text.charCodeAt(at))) return false;
  return true;
}
