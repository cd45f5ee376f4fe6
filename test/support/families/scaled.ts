/** Books in other units: the same market where powers and prices are a thousand times as small, or as large. */

import type { Book } from '../../../src/market/book.ts';

/** Fields that are MW, currency/MWh, or money, wherever they stand in a book. */
const powers = new Set(['lot', 'capacity', 'reverse', 'ramp', 'before', 'ram', 'power', 'up', 'down']);
const prices = new Set(['min', 'max', 'tick', 'tariff', 'price', 'variableTerm']);

/** @param power, price  digits by which the decimal point of each moves to the right */
export function scaled(book: Book, power: number, price: number): Book {
  const walk = (value: unknown, digits: number): unknown => {
    if (typeof value === 'number') return digits === 0 ? value : moved(value, digits);
    if (Array.isArray(value)) return value.map((each) => walk(each, digits));
    if (typeof value !== 'object' || value === null) return value;
    const fields = Object.entries(value).map(([key, of]): [string, unknown] => {
      if (key === 'fixedTerm') return [key, walk(of, power + price)];
      return [key, walk(of, powers.has(key) ? power : prices.has(key) ? price : 0)];
    });
    return Object.fromEntries(fields);
  };
  return walk(book, 0) as Book;
}

function moved(value: number, digits: number): number {
  const [mantissa, exponent = '0'] = String(value).split('e');
  return Number(`${mantissa}e${Number(exponent) + digits}`);
}
