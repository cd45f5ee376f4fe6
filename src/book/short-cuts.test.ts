/** The short cuts of the intake against the plain way: what they answer is the same, and most orders do take them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type LimitOrder, type Order, orderSubmission, plainLimitOrder } from '../market/order.ts';
import { canonical, canonicalOrder } from './canonical.ts';
import { type Entry, entryDigest, sha256 } from './intake.ts';

const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));
const runs = { seed, numRuns: 3000 };

const text = (alphabet: string, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength });
const isName = (each: string) => !['.', '..', '__proto__'].includes(each);
const ids = text('abzAZ059._:-', 64).filter(isName);
const zones = text('abzAZ059_-', 32).filter(isName);
const sides = fc.constantFrom('buy', 'sell');
const periods = fc.integer({ min: 1, max: 10_000 });
const powers = fc.double({ min: 0, max: 1e6, minExcluded: true, noNaN: true });
const prices = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer({ min: -50_000, max: 400_000 }).map((cents) => cents / 100),
);
const limit = { record_id: ids, zone: zones, side: sides, period: periods, price: prices, power: powers };
const requiredKeys = ['record_id', 'zone', 'side', 'period', 'price', 'power'] as const;
const limitOrders = fc.record({ ...limit, kind: fc.constant('limit' as const) }, { requiredKeys: [...requiredKeys] });

/** Values that are wrong in most fields, and right or just about right in some. */
const oddities = fc.constantFrom<unknown[]>(
  ...[
    undefined,
    null,
    true,
    '',
    'a b',
    'x'.repeat(33),
    'x'.repeat(65),
    'limit',
    'curve',
    'Buy',
    'PT15M',
    'é',
    'a\n',
    '..',
    '__proto__',
  ],
  ...[0, -0, -1, 1, 1.5, 10_000, 10_001, 1e6, 1_000_000.1, 2 ** 53, 1e308, Number.NaN, Number.POSITIVE_INFINITY, '5'],
  ...[[], {}, ['a'], new Date(0)],
);
const fields = fc.constantFrom(...requiredKeys, 'kind', 'resolution', 'colour', '__proto__', 'constructor');
/** A good order with up to two fields put to something odd, or dropped. */
const submissions = fc
  .tuple(limitOrders, fc.array(fc.tuple(fields, fc.option(oddities, { nil: 'dropped' })), { maxLength: 2 }))
  .map(([order, changes]) => {
    const changed: Record<string, unknown> = { ...order };
    for (const [field, value] of changes) {
      delete changed[field];
      if (value !== 'dropped') Object.defineProperty(changed, field, { value, enumerable: true, configurable: true });
    }
    return changed;
  });

test(`plainLimitOrder() answers what the schema does, or leaves it to the schema, by seed ${seed}`, () => {
  fc.assert(
    fc.property(submissions, (submission) => {
      const plain = plainLimitOrder(submission);
      if (plain !== undefined) assert.deepEqual(plain, orderSubmission.parse(submission));
    }),
    runs,
  );
});

test(`plainLimitOrder() takes every good order that has its zone and period, by seed ${seed}`, () => {
  fc.assert(
    fc.property(limitOrders, (order) => assert.deepEqual(plainLimitOrder(order), { kind: 'limit', ...order })),
    runs,
  );
});

const orders: fc.Arbitrary<Order> = fc.oneof(
  fc
    .tuple(limitOrders, fc.constantFrom(undefined, 'PT15M', 'PT60M'), fc.option(ids, { nil: undefined }))
    .map(
      ([order, resolution, portfolio]) =>
        ({ ...order, kind: 'limit', ...(resolution && { resolution }), ...(portfolio && { portfolio }) }) as LimitOrder,
    ),
  fc.record({
    record_id: ids,
    zone: zones,
    kind: fc.constant('curve'),
    period: periods,
    shape: fc.constantFrom('step', 'linear'),
    points: fc.array(fc.record({ power: prices, price: prices }), { minLength: 1, maxLength: 3 }),
  }),
);

test(`canonicalOrder() is the canonical form, by seed ${seed}`, () => {
  fc.assert(
    fc.property(orders, (order) => assert.equal(canonicalOrder(order), canonical(order))),
    runs,
  );
});

test(`entryDigest() is the SHA-256 of a canonical form by either rule, by seed ${seed}`, () => {
  const stamps = {
    sequence: fc.integer({ min: 1 }),
    received_at: fc.date({ noInvalidDate: true }),
    participant: fc.string({ unit: 'grapheme' }),
  };
  const entries: fc.Arbitrary<Entry> = fc
    .tuple(
      fc.record(stamps),
      fc.oneof(fc.record({ order: orders }), fc.record({ cancels: ids })),
      fc.oneof(fc.constant({}), fc.record({ version: fc.integer({ min: 2 }) })),
    )
    .map(([{ received_at, ...stamp }, what, which]) => ({
      ...what,
      ...stamp,
      ...which,
      received_at: received_at.toISOString(),
    }));
  fc.assert(
    fc.property(entries, (entry) => {
      assert.equal(entryDigest(1, entry), sha256(canonical(entry)));
      const { order, cancels, participant, ...stamp } = entry;
      const of = sha256(`${participant}/${order?.record_id ?? cancels}`);
      const kind = order === undefined ? 'cancellation' : stamp.version === undefined ? 'order' : 'replacement';
      const link = { ...stamp, of, kind, ...(order && { content: sha256(canonical(order)) }) };
      assert.equal(entryDigest(2, entry), sha256(canonical(link)));
    }),
    runs,
  );
});
