/** The door and the seal. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseBook } from '../market/book.ts';
import { deliveryDay } from '../market/calendar.ts';
import { parseMarket } from '../market/market.ts';
import { admit } from './admission.ts';
import { canonical } from './canonical.ts';
import { checkBook } from './check-book.ts';
import { checkIntake } from './check-intake.ts';
import { chain, chainStart, type Entry, entryDigest, sequenceOf, sha256, shardOf } from './intake.ts';
import { bookHash, sealBook } from './seal.ts';
import { termsOf } from './terms.ts';

const market = parseMarket(
  {
    market: 'test',
    description: 'two zones, quarter hours',
    currency: 'EUR',
    timeZone: 'Europe/Paris',
    resolution: 'PT15M',
    zones: ['A', 'B'],
    lines: [{ id: 'A-B', from: 'A', to: 'B', capacity: 100, reverse: 100 }],
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    powerLimits: { lot: 0.1, max: 1000 },
    orderKinds: ['limit', 'curve'],
    orderResolutions: ['PT60M'],
    schedule: { kind: 'manual' },
    patience: { firstSeconds: 1, mostSeconds: 1, attempts: 1 },
  },
  'test',
);
/** The day on which clocks go forward: 92 quarters, 23 hours. */
const terms = termsOf(market, deliveryDay('2026-03-29', 'Europe/Paris', 'PT15M'));
const good = { record_id: 'o1', zone: 'A', side: 'buy', period: 1, price: 50, power: 10 };

const problemsWith = (order: unknown) => {
  const admission = admit([order], terms);
  return 'problems' in admission ? admission.problems.map(({ field, code }) => `${field}: ${code}`) : [];
};

test('admit() takes an order that keeps the terms, as a limit order when it names no kind', () => {
  assert.deepEqual(admit([good], terms), { orders: [{ ...good, kind: 'limit' }] });
});

test('admit() takes what arithmetic left beside a tick or a lot for that tick or lot', () => {
  const [order] = (admit([{ ...good, price: 20 + 2.24, power: 0.1 + 0.2 }], terms) as { orders: object[] }).orders;
  assert.deepEqual(order, { ...good, kind: 'limit', price: 22.24, power: 0.3 });
});

test('admit() fills in zone and period where there is only one', () => {
  const single = termsOf({ ...market, zones: ['A'] }, { ...terms.delivery, periods: 1 });
  const { zone, period, ...rest } = good;
  assert.deepEqual(admit([rest], single), { orders: [{ ...rest, kind: 'limit', zone, period }] });
  assert.deepEqual(problemsWith(rest), ['zone: missing', 'period: missing']);
});

for (const [what, order, ...problems] of [
  ['a price that is no number', { ...good, price: '50' }, 'price: invalid-type'],
  ['NaN', { ...good, price: Number.NaN }, 'price: invalid-type'],
  ['infinity', { ...good, power: Number.POSITIVE_INFINITY }, 'power: invalid-type'],
  ['a field nobody knows', { ...good, colour: 'red' }, 'colour: unknown-field'],
  ['no id', { ...good, record_id: undefined }, 'record_id: invalid-type'],
  ['an id with a blank', { ...good, record_id: 'a b' }, 'record_id: invalid-format'],
  ['an unknown zone', { ...good, zone: 'C' }, 'zone: unknown-zone'],
  ['an unknown kind', { ...good, kind: 'swing' }, 'kind: unknown-kind'],
  ['a kind the market does not take', { ...good, kind: 'block' }, 'kind: kind-not-taken'],
  ['period 0', { ...good, period: 0 }, 'period: too-small'],
  ['half a period', { ...good, period: 1.5 }, 'period: invalid-type'],
  ['a quarter of the hour that is missing', { ...good, period: 93 }, 'period: unknown-period'],
  ['an hour that is missing', { ...good, resolution: 'PT60M', period: 24 }, 'period: unknown-period'],
  ['a resolution the market does not take', { ...good, resolution: 'PT30M' }, 'resolution: resolution-not-taken'],
  ['a price over the limit', { ...good, price: 4000.01 }, 'price: price-off-limits'],
  ['a price off the tick', { ...good, price: 50.005 }, 'price: price-off-tick'],
  ['no power', { ...good, power: 0 }, 'power: too-small'],
  ['negative power', { ...good, power: -5 }, 'power: too-small'],
  ['absurd power', { ...good, power: 1e9 }, 'power: too-big'],
  ['power over the market’s limit', { ...good, power: 1000.1 }, 'power: power-over-limit'],
  ['power off the lot', { ...good, power: 10.05 }, 'power: power-off-lot'],
  ['a lot in single precision', { ...good, power: 0.10000000149011612 }, 'power: power-off-lot'],
  ['a crumb of power', { ...good, power: 1e-9 }, 'power: power-off-lot'],
  ['a power next to nothing', { ...good, power: 1e-300 }, 'power: power-off-lot'],
  ['a price a little off the tick', { ...good, price: 50.0000000001 }, 'price: price-off-tick'],
  ['a tick in single precision', { ...good, price: -3.00999999046326 }, 'price: price-off-tick'],
  ['an absurd price', { ...good, price: 1e300 }, 'price: too-big'],
  ['an id that is a step in a path', { ...good, record_id: '..' }, 'record_id: invalid-format'],
  ['an id that JSON alone can name', { ...good, record_id: '__proto__' }, 'record_id: invalid-format'],
  ['half a character in an id', { ...good, record_id: 'a\ud800' }, 'record_id: invalid-format'],
  ['an id that looks like another', { ...good, record_id: 'о1' }, 'record_id: invalid-format'],
  ['something that is no order', 'buy', ': invalid-type'],
  ['a list in a list', [good], ': invalid-type'],
] as const) {
  test(`admit() refuses ${what}`, () => assert.deepEqual(problemsWith(order), problems));
}

const curve = (shape: 'step' | 'linear', ...points: [price: number, power: number][]) => ({
  record_id: 'c1',
  zone: 'A',
  kind: 'curve',
  period: 1,
  shape,
  points: points.map(([price, power]) => ({ price, power })),
});

test('admit() takes curves that fall, and no others', () => {
  assert.deepEqual(problemsWith(curve('linear', [0, 10], [0, 5], [10, -5])), []);
  assert.deepEqual(problemsWith(curve('step', [0, 10], [10, 20])), ['points.1.power: curve-not-monotone']);
  assert.deepEqual(problemsWith(curve('step', [10, 10], [0, 5])), ['points.1.price: curve-not-monotone']);
  assert.deepEqual(problemsWith(curve('step', [0, 10], [0, 5])), ['points.1.price: curve-not-monotone']);
  assert.deepEqual(problemsWith(curve('linear', [0, 10], [5000, 5])), ['points.1.price: price-off-limits']);
  assert.deepEqual(problemsWith(curve('step', [0, 0.1 + 0.2], [10, 0.3])), ['points.0.power: power-off-lot']);
  assert.deepEqual(problemsWith(curve('linear', [0, 8e-17], [10, -5])), ['points.0.power: power-off-lot']);
  assert.deepEqual(problemsWith(curve('step', [0, -0], [10, -5])), []);
});

test('admit() names index, id and what was seen for every problem of every order', () => {
  const admission = admit([good, { ...good, record_id: 'o2', price: 9999, zone: 'X' }, { ...good, power: 20 }], terms);
  assert('problems' in admission);
  assert.deepEqual(
    admission.problems.map(({ index, record_id, code }) => [index, record_id, code]),
    [
      [1, 'o2', 'unknown-zone'],
      [1, 'o2', 'price-off-limits'],
      [2, 'o1', 'duplicate'],
    ],
  );
  assert.match(admission.problems[1]!.message, /9999 is not within the price limits -500 to 4000/);
});

test('admit() says which valid value is nearest', () => {
  const messageOf = (order: unknown) => {
    const admission = admit([order], terms);
    assert('problems' in admission);
    return admission.problems[0]!.message;
  };
  assert.equal(
    messageOf(curve('step', [0, 0.30000000000000004], [10, 0.3])),
    '0.30000000000000004 is not a multiple of the lot of 0.1; the nearest is 0.3',
  );
  assert.match(messageOf({ ...good, price: 49.996 }), /the tick 0.01; the nearest is 50$/);
  assert.match(messageOf({ ...good, power: 1e-9 }), /^1e-9 is less than the lot of 0.1 MW/);
  assert.match(messageOf({ ...good, price: null }), /expected number, received null/);
  assert.match(messageOf({ ...good, price: 1e300 }), /<=1000000 \(found 1e\+300\)$/);
});

const entriesOf = (): Entry[] => {
  const stamp = { received_at: '2025-04-01T10:00:00.000Z', participant: 'p' };
  const order = (record_id: string, price: number) =>
    ({ ...good, record_id, price, kind: 'limit', side: 'buy' }) as const;
  return [
    { ...stamp, sequence: 1, order: order('o1', 50) },
    { ...stamp, sequence: 2, order: order('o2', 60) },
    { ...stamp, sequence: 3, cancels: 'o1' },
    { ...stamp, sequence: 4, order: order('o3', 70) },
  ];
};
const auction = {
  id: 'a1',
  delivery: terms.delivery,
  gateOpening: '2025-04-01T09:00:00Z',
  gateClosure: '2025-04-01T11:00:00Z',
};

test('sealBook() leaves cancelled orders out, and the running hash can be recomputed from what is left', () => {
  const entries = entriesOf();
  const book = sealBook(market, auction, entries);
  assert.deepEqual(
    book.orders.map(({ record_id, sequence }) => [record_id, sequence]),
    [
      ['o2', 2],
      ['o3', 4],
    ],
  );
  const hash = entries.reduce((before, entry) => chain(before, entryDigest(1, entry)), chainStart('a1'));
  assert.equal(book.intake?.hash, hash);
  assert.deepEqual(checkIntake(book), []);
  assert.deepEqual(checkIntake(parseBook(JSON.parse(canonical(book)))), []);
  checkBook(book);
});

test('checkIntake() sees an order that was changed, dropped, added or moved', () => {
  const forged = (change: (book: ReturnType<typeof sealBook>) => void) => {
    const book = structuredClone(sealBook(market, auction, entriesOf()));
    change(book);
    return checkIntake(book).map(({ code }) => code);
  };
  const bump = (order: object) => Object.assign(order, { price: 61 });
  assert.deepEqual(
    forged((book) => bump(book.orders[0]!)),
    ['hash-mismatch'],
  );
  assert.deepEqual(
    forged((book) => book.orders.pop()),
    ['hash-mismatch'],
  );
  assert.deepEqual(
    forged((book) => book.orders.shift()),
    ['gap-in-sequence'],
  );
  assert.deepEqual(
    forged((book) => book.orders.push({ ...book.orders[0]!, record_id: 'o9', sequence: 5 })),
    ['hash-mismatch'],
  );
  assert.deepEqual(
    forged((book) => {
      book.orders[0]!.received_at = '2025-04-01T09:00:00.000Z';
    }),
    ['hash-mismatch'],
  );
});

/** Entries 1 and 2 of shard 0 of two, 1 to 3 of shard 1. */
const shardedEntries = (): Entry[] => {
  const [, ...entries] = [...entriesOf(), ...entriesOf()].map((entry, i) => ({
    ...entry,
    sequence: [0, 1, 2, 3, 4, 6][i]!,
  }));
  return entries
    .slice(0, 5)
    .map((entry, i) => (entry.order ? { ...entry, order: { ...entry.order, record_id: `o${i}` } } : entry));
};

test('sequenceOf() and shardOf() go round the shards', () => {
  const sequences = [1, 2, 3].flatMap((number) => [0, 1, 2].map((shard) => sequenceOf(shard, number, 3)));
  assert.deepEqual(sequences, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(
    sequences.map((sequence) => shardOf(sequence, 3)),
    [0, 1, 2, 0, 1, 2, 0, 1, 2],
  );
});

test('sealBook() of an intake in shards has a chain for each, and shards may differ in length', () => {
  const entries = shardedEntries();
  const book = sealBook(market, auction, entries, 2);
  const heads = [0, 1].map((shard) =>
    entries
      .filter(({ sequence }) => shardOf(sequence, 2) === shard)
      .reduce((before, entry) => chain(before, entryDigest(1, entry)), chainStart('a1', shard, 2)),
  );
  assert.deepEqual(book.intake?.heads, heads);
  assert.equal(book.intake?.hash, sha256(heads.join('\n')));
  assert.deepEqual(checkIntake(parseBook(JSON.parse(canonical(book)))), []);
  assert.equal('heads' in sealBook(market, auction, entriesOf(), 1).intake!, false);
});

test('checkIntake() sees in which shard something was changed, dropped or moved', () => {
  const forged = (change: (book: ReturnType<typeof sealBook>) => void) => {
    const book = structuredClone(sealBook(market, auction, shardedEntries(), 2));
    change(book);
    return checkIntake(book).map(({ field, code }) => `${field}: ${code}`);
  };
  const at = (book: ReturnType<typeof sealBook>, sequence: number) =>
    book.orders.findIndex((o) => o.sequence === sequence);
  assert.deepEqual(
    forged((book) => Object.assign(book.orders[at(book, 6)]!, { price: 1 })),
    ['intake.heads.1: hash-mismatch'],
  );
  assert.deepEqual(
    forged((book) => Object.assign(book.orders[at(book, 3)]!, { price: 1 })),
    ['intake.heads.0: hash-mismatch'],
  );
  assert.deepEqual(
    forged((book) => book.orders.splice(at(book, 1), 1)),
    ['intake: gap-in-sequence'],
  );
  assert.deepEqual(
    forged((book) => book.orders.splice(at(book, 6), 1)),
    ['intake.heads.1: hash-mismatch'],
  );
  assert.deepEqual(
    forged((book) => Object.assign(book.orders[at(book, 6)]!, { sequence: 8 })),
    ['intake: gap-in-sequence'],
  );
  assert.deepEqual(
    forged((book) => {
      book.intake!.hash = chainStart('a1');
    }),
    ['intake.hash: hash-mismatch'],
  );
});

test('bookHash() does not depend on the order of fields, and on every value', () => {
  const book = sealBook(market, auction, entriesOf());
  const turned = Object.fromEntries(Object.entries(book).reverse()) as typeof book;
  assert.equal(bookHash(turned), bookHash(book));
  assert.notEqual(bookHash({ ...book, periods: 91 }), bookHash(book));
});

const block = { record_id: 'b1', zone: 'A', kind: 'block', side: 'sell', price: 50, from: 1, to: 2, power: 10 };
const stamped = (participant: string, changes: object) => ({ ...block, participant, ...changes });

test('checkBook() takes a group name of two participants as two groups', () => {
  const orders = [stamped('p', { exclusiveGroup: 'g' }), stamped('q', { exclusiveGroup: 'g', zone: 'B' })];
  checkBook(bookWith({ orders }));
});

const bookWith = (changes: object) =>
  parseBook({ ...sealBook(market, auction, entriesOf()), intake: undefined, ...changes });

const ramped = {
  rampSets: [{ id: 'S', lines: ['A-B'], ramp: 30, before: -10 }],
  netPositionRamps: [{ id: 'Z', zone: 'B', ramp: 40 }],
  constraints: [{ id: 'k', period: 1, ptdf: { A: 0.5, B: -0.5 }, ram: 50 }],
  flowBased: 'intuitive',
} as const;

test('sealBook() takes ramps, constraints and the mode of flow-based exchange from the market', () => {
  const sealed = sealBook(parseMarket({ ...market, ...ramped }, 'test'), auction, entriesOf());
  const { rampSets, netPositionRamps, constraints, flowBased } = sealed;
  assert.deepEqual({ rampSets, netPositionRamps, constraints, flowBased }, ramped);
  checkBook(parseBook(sealed));
  assert(!('rampSets' in sealBook(market, auction, entriesOf())));
});

test('parseMarket() refuses ramps and constraints of lines and zones that are not there', () => {
  const wrong = {
    rampSets: [{ ...ramped.rampSets[0], lines: ['A-B', 'X'] }],
    netPositionRamps: [{ ...ramped.netPositionRamps[0], zone: 'X' }],
    constraints: [{ ...ramped.constraints[0], ptdf: { X: 1 } }],
  };
  const message =
    /rampSets\.0\.lines\.1: .*no line X.*netPositionRamps\.0\.zone: .*no zone X.*constraints\.0\.ptdf\.X: .*no zone X/;
  assert.throws(() => parseMarket({ ...market, ...wrong }, 'test'), { code: 'invalid-market', message });
});

for (const [what, changes, message] of [
  ['a zone twice', { zones: ['A', 'B', 'A'] }, /zones\.2: zone A is there twice/],
  [
    'a line to nowhere',
    { lines: [{ id: 'L', from: 'A', to: 'X', capacity: 1, reverse: 1 }] },
    /lines.0.to: line L: no zone X/,
  ],
  [
    'capacities too few',
    { lines: [{ id: 'L', from: 'A', to: 'B', capacity: [1], reverse: 1 }] },
    /has 1 values for 92 periods/,
  ],
  ['a range without a flow', { lines: [{ id: 'L', from: 'A', to: 'B', capacity: -5, reverse: 1 }] }, /no flow is both/],
  ['the same order twice', { orders: [{ ...good }, { ...good }] }, /order o1: record_id/],
  ['an order of no zone', { orders: [{ ...good, zone: 'X' }] }, /order o1: zone/],
  ['an order beyond the day', { orders: [{ ...good, period: 99 }] }, /order o1: period/],
  ['a child of nobody', { orders: [{ ...block, linkedTo: 'x' }] }, /order b1: linkedTo: there is no order x/],
  [
    'a parent of another participant',
    { orders: [stamped('p', { linkedTo: 'b2' }), stamped('q', { record_id: 'b2' })] },
    /b1: linkedTo/,
  ],
  ['a block without periods', { orders: [{ ...block, to: undefined }] }, /order b1: to: a block without profile/],
  ['a ramp set of no line', { rampSets: [{ id: 'S', lines: ['X'], ramp: 1 }] }, /ramp set S: no line X/],
] as const) {
  test(`checkBook() refuses ${what}`, () => {
    assert.throws(() => checkBook(bookWith(changes)), { code: 'invalid-book', message });
  });
}
