/** The network of a book: ramps and flow-based constraints. Lines as such are in `book.test.ts`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Book, parseBook } from '../market/book.ts';
import { networkFaults } from '../market/network-rules.ts';
import { bookHash } from './seal.ts';

const line = { id: 'L', from: 'A', to: 'B', capacity: 100, reverse: 100 };
const second = { ...line, id: 'M' };
const book = (changes: object): Book =>
  parseBook({
    merit: 'book/1',
    auction: 'a',
    currency: 'EUR',
    start: '2025-04-01T00:00:00Z',
    resolution: 'PT60M',
    periods: 3,
    priceLimits: { min: -500, max: 4000 },
    zones: ['A', 'B', 'C'],
    lines: [line, second],
    orders: [],
    ...changes,
  });
const faultsOf = (changes: object) => networkFaults(book(changes)).map(({ field, code }) => `${field}: ${code}`);

const set = { id: 'S', lines: ['L', 'M'], ramp: 30 };
const ofZone = { id: 'Z', zone: 'C', ramp: [30, 0, 30], before: -5 };
const constraint = { id: 'k', period: 1, ptdf: { A: 0.5 }, ram: 50 };

test('networkFaults() takes ramps, ramp sets, net position ramps and constraints', () => {
  const everything = {
    lines: [
      { ...line, ramp: [10, 0, 20], before: 5 },
      { ...second, ramp: 4, before: null },
    ],
    rampSets: [set],
    netPositionRamps: [ofZone],
    constraints: [constraint, { ...constraint, period: 2 }, { ...constraint, id: 'l' }],
    flowBased: 'intuitive',
  };
  assert.deepEqual(faultsOf(everything), []);
});

for (const [what, changes, ...faults] of [
  ['a ramp with a value too few', { lines: [{ ...line, ramp: [1, 2] }] }, 'lines.0.ramp: wrong-length'],
  [
    'a ramp that does not lead out of what came before',
    { lines: [{ ...line, ramp: 10, before: 111 }] },
    'lines.0.ramp: ramp-below-range',
  ],
  [
    'a ramp too slow for a forced flow',
    { lines: [{ ...line, ramp: 49, capacity: [100, 0, 100], reverse: [100, 100, -50] }] },
    'lines.0.ramp: ramp-below-range',
  ],
  ['a ramp set of an unknown line', { rampSets: [{ ...set, lines: ['L', 'X'] }] }, 'rampSets.0.lines.1: unknown-line'],
  ['a line twice in a ramp set', { rampSets: [{ ...set, lines: ['L', 'L'] }] }, 'rampSets.0.lines.1: duplicate'],
  ['a ramp set twice', { rampSets: [set, set] }, 'rampSets.1.id: duplicate'],
  ['a ramp set with values too many', { rampSets: [{ ...set, ramp: [1, 2, 3, 4] }] }, 'rampSets.0.ramp: wrong-length'],
  ['a ramp set out of reach', { rampSets: [{ ...set, before: 231 }] }, 'rampSets.0.ramp: ramp-below-range'],
  ['a ramp of no zone', { netPositionRamps: [{ ...ofZone, zone: 'X' }] }, 'netPositionRamps.0.zone: unknown-zone'],
  ['a net position ramp twice', { netPositionRamps: [ofZone, ofZone] }, 'netPositionRamps.1.id: duplicate'],
  [
    'a net position ramp with a value too few',
    { netPositionRamps: [{ ...ofZone, ramp: [1] }] },
    'netPositionRamps.0.ramp: wrong-length',
  ],
  [
    'a constraint that names no zone of the book',
    { constraints: [{ ...constraint, ptdf: { A: 1, X: 1 } }] },
    'constraints.0.ptdf.X: unknown-zone',
  ],
  ['a constraint without zones', { constraints: [{ ...constraint, ptdf: {} }] }, 'constraints.0.ptdf: no-zones'],
  ['a constraint twice', { constraints: [constraint, constraint] }, 'constraints.1.id: duplicate'],
  [
    'constraints that tie no zone in common',
    {
      zones: ['A', 'B', 'C', 'D'],
      lines: [line, { ...line, id: 'M', from: 'C', to: 'D' }],
      constraints: [constraint, { ...constraint, id: 'l', ptdf: { C: 1, D: 0 } }],
    },
    'constraints: several-regions',
  ],
  [
    'constraints of a zone that exchanges over lines alone',
    { zones: ['A', 'B'], lines: [line], constraints: [{ ...constraint, ptdf: { A: -1 } }] },
    'constraints: region-of-one-zone',
  ],
  [
    'lines that differ in case alone',
    { lines: [line, { ...second, id: 'l' }], rampSets: [] },
    'lines.1.id: look-alike',
  ],
  [
    'a constraint beyond the day',
    { constraints: [{ ...constraint, period: 4 }] },
    'constraints.0.period: unknown-period',
  ],
] as const) {
  test(`networkFaults() refuses ${what}`, () => assert.deepEqual(faultsOf(changes), faults));
}

for (const [what, changes, field] of [
  ['a negative ramp', { lines: [{ ...line, ramp: -1 }] }, /lines\.0\.ramp/],
  ['a negative ramp in a list', { rampSets: [{ ...set, ramp: [1, -1, 1] }] }, /rampSets\.0\.ramp/],
  ['a ramp set without lines', { rampSets: [{ ...set, lines: [] }] }, /rampSets\.0\.lines/],
  ['an unknown mode of flow-based exchange', { flowBased: 'nearly' }, /flowBased/],
] as const) {
  test(`parseBook() refuses ${what}`, () => {
    assert.throws(
      () => book(changes),
      (error: { problems?: { field?: string }[] }) => field.test(error.problems?.[0]?.field ?? ''),
    );
  });
}

test('parseBook() gives a book without ramps the hash that it had before there were any', () => {
  // Computed with the program of before; published results name it.
  assert.equal(bookHash(book({})), 'sha256:cf18ea993d284146142024d08c6762314205be850a7acb210be9e676057d6914');
});
