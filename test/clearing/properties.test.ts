/**
 * Properties of clearing on random books. `npm test` takes the same hundred of each kind every time; `npm run fuzz` takes many
 * by a new seed. Both print it, and `SEED` and `RUNS` repeat a run.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import type { Book } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';
import { mirrored } from '../support/mirror.ts';
import { plainWelfare } from '../support/plain-welfare.ts';
import { type Flavour, randomBook } from '../support/random-book.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const cleared = (book: Book) => clearWith(solver, book, hash).result;
const numRuns = Number(process.env.RUNS ?? 100);
const seed = Number(process.env.SEED ?? 20250401);
console.log(`# random books: SEED=${seed} RUNS=${numRuns}`);

const flavours: Record<string, Flavour> = {
  steps: {},
  'steps below zero': { negative: true },
  'straight lines': { straight: true },
  'several resolutions': { resolutions: true },
  'losses and tariffs': { costs: true },
  everything: { costs: true, resolutions: true, straight: true },
};

for (const [name, flavour] of Object.entries(flavours)) {
  test(`clear() on random books with ${name} passes the verifier`, () => {
    fc.assert(
      fc.property(randomBook(flavour), (book) => {
        const verification = verify(book, hash, cleared(book));
        const broken = verification.checks.filter((check) => check.violations.length > 0);
        assert.deepEqual(broken, []);
      }),
      { numRuns, seed },
    );
  });

  test(`clear() on random books with ${name} reaches the welfare of the plain program`, () => {
    fc.assert(
      fc.property(randomBook(flavour), (book) => {
        const result = cleared(book);
        const { welfare, error, burns } = plainWelfare(book, solver);
        const lots = 2 * (book.lot ?? 0) * book.zones.length * book.periods * 300;
        if (result.status === 'optimal') {
          if (!burns) assert(result.welfare >= welfare - 0.02 - lots, `${result.welfare} is less than ${welfare}`);
        } else {
          // Only where prices at the limits support no answer, or power could be burned, is the best out of reach.
          assert(burns || flavour.resolutions, `${result.status} without a reason`);
          if (!burns) assert(result.bound >= welfare - 0.02 - lots, `the bound ${result.bound} is below ${welfare}`);
        }
        assert(result.welfare <= welfare + error + 0.02 + lots, `${result.welfare} is more than ${welfare}`);
      }),
      { numRuns, seed },
    );
  });
}

/** Volumes by id, prices and flows: what a change of the book must leave alone or change in a known way. */
const essence = (book: Book) => {
  const { prices, flows, netPositions, orders, welfare } = cleared(book);
  const powers = new Map(orders.map((outcome) => [outcome.record_id, outcome.power]));
  return { prices, flows, netPositions, powers, welfare };
};
const near = (a: number, b: number, tolerance: number) =>
  assert(Math.abs(a - b) <= tolerance, `${a} is not within ${tolerance} of ${b}`);
const eachPair = (a: object, b: object, check: (x: number, y: number) => void) => {
  const [one, other] = [a, b].map((value) => Object.values(value).flat() as number[]);
  assert.equal(one!.length, other!.length);
  one!.forEach((x, i) => {
    check(x, other![i]!);
  });
};
const plain: Flavour = { resolutions: true, straight: true };

test('clear() gives the same bytes for the same book', () => {
  fc.assert(
    fc.property(randomBook(plain), (book) => {
      assert.equal(JSON.stringify(cleared(book)), JSON.stringify(cleared(structuredClone(book))));
    }),
    { numRuns: Math.ceil(numRuns / 3), seed },
  );
});

test('clear() does not care in which order the orders came', () => {
  fc.assert(
    fc.property(randomBook(plain), fc.infiniteStream(fc.nat()), (book, stream) => {
      const orders = book.orders.map((order) => ({ order, rank: stream.next().value ?? 0 }));
      orders.sort((a, b) => a.rank - b.rank);
      const shuffled = { ...book, orders: orders.map(({ order }) => order) };
      assert.deepEqual(essence(shuffled), essence(book));
    }),
    { numRuns, seed },
  );
});

test('clear() gives renamed orders the same volumes but for the lots that the id decides', () => {
  fc.assert(
    fc.property(randomBook(plain), (book) => {
      const renamed = book.orders.map((order, i) => ({ ...order, record_id: `z${(i * 7919) % 10007}` }));
      const before = cleared(book);
      const after = cleared({ ...book, orders: renamed });
      assert.deepEqual(after.prices, before.prices);
      assert.deepEqual(after.netPositions, before.netPositions);
      const lot = book.lot ?? 1e-6;
      eachPair(
        before.orders.map((o) => o.power),
        after.orders.map((o) => o.power),
        (x, y) => near(x, y, lot * 1.001),
      );
    }),
    { numRuns, seed },
  );
});

test('clear() moves all prices with the book by the same amount', () => {
  fc.assert(
    fc.property(randomBook(plain), fc.integer({ min: -50, max: 50 }), (book, shift) => {
      const moved = structuredClone(book);
      moved.priceLimits.min += shift;
      moved.priceLimits.max += shift;
      for (const order of moved.orders) {
        if (order.kind === 'limit') order.price += shift;
        if (order.kind === 'curve') for (const point of order.points) point.price += shift;
      }
      const before = essence(book);
      const after = essence(moved);
      eachPair(after.prices, before.prices, (x, y) => near(x, y + shift, (book.priceLimits.tick ?? 0) + 2e-6));
      eachPair(after.netPositions, before.netPositions, (x, y) => near(x, y, (book.lot ?? 0) * 2 + 1e-3));
    }),
    { numRuns, seed },
  );
});

test('clear() scales volumes with the book and keeps its prices', () => {
  fc.assert(
    fc.property(randomBook(plain), fc.constantFrom(2, 10, 1000), (book, k) => {
      const scaled = structuredClone(book);
      if (scaled.lot !== undefined) scaled.lot *= k;
      const times = (mw: number | number[]) => (typeof mw === 'number' ? mw * k : mw.map((each) => each * k));
      for (const line of scaled.lines) [line.capacity, line.reverse] = [times(line.capacity), times(line.reverse)];
      for (const order of scaled.orders) {
        if (order.kind === 'limit') order.power *= k;
        if (order.kind === 'curve') for (const point of order.points) point.power *= k;
      }
      const before = essence(book);
      const after = essence(scaled);
      eachPair(after.prices, before.prices, (x, y) => near(x, y, (book.priceLimits.tick ?? 0) + 2e-6));
      eachPair(after.netPositions, before.netPositions, (x, y) => near(x, y * k, k * ((book.lot ?? 0) * 2 + 1e-3)));
    }),
    { numRuns, seed },
  );
});

test('clear() gives the mirror image of a book the mirror image of its result', () => {
  fc.assert(
    fc.property(randomBook({ straight: true }), (book) => {
      const before = essence(book);
      const after = essence(mirrored(book));
      eachPair(after.prices, before.prices, (x, y) => near(x, -y, (book.priceLimits.tick ?? 0) + 2e-6));
      const moved = (book.lot ?? 0) * 2 + 1e-3;
      eachPair(after.netPositions, before.netPositions, (x, y) => near(x, -y, moved));
      eachPair(after.flows, before.flows, (x, y) => near(x, -y, moved * book.zones.length));
      near(after.welfare, before.welfare, 0.02 + (book.lot ?? 0) * book.periods * book.zones.length * 300);
    }),
    { numRuns, seed },
  );
});

test('clear() is not moved by an order that is nowhere near the money', () => {
  fc.assert(
    fc.property(randomBook({ straight: true }), (book) => {
      const before = essence(book);
      const zone = book.zones[0]!;
      const price = Math.max(...before.prices[zone]!);
      // A sell above every interval a price could lie in: at the limit, where a price may be, it would move the middle.
      if (price >= book.priceLimits.max - 1) return;
      const top = Math.max(price, ...book.orders.map((o) => ('price' in o && o.price < 200 ? o.price : 0)));
      const far = { kind: 'limit', record_id: 'far', zone, side: 'sell', period: 1, price: 199, power: 5 } as const;
      const after = essence({ ...book, orders: [...book.orders, far] });
      if (top < 199) assert.equal(after.powers.get('far'), 0);
      near(after.welfare, before.welfare, 0.02);
    }),
    { numRuns: Math.ceil(numRuns / 3), seed },
  );
});
