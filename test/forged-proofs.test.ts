/**
 * Forgeries that look for a hole in the reasoning, not in the form: each is a whole proof of a bound that is too small, and together
 * with a result of that bound it would pass if the checker left out one condition. And proofs bent at random, which may show too
 * much or nothing, but never too little.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { mulberry32, randomBlocks } from '../bench/random-blocks.ts';
import { clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import { AuctionError } from '../src/market/errors.ts';
import { columnName, type Proof, type ProofGroup, type ProofNode, parseProof } from '../src/market/proof.ts';
import { checkProof } from '../src/verify/proof/check-proof.ts';
import { modelOf } from '../src/verify/proof/model.ts';
import { scaleOf } from '../src/verify/proof/scale.ts';
import { bend } from './support/bent-proofs.ts';
import { exampleBook } from './support/example-book.ts';
import { holes as forgedBounds } from './support/proof-holes.ts';
import { randomOrders } from './support/random-orders.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;

interface Hole {
  readonly name: string;
  readonly book: Book;
  readonly welfare: number;
  /** The bound that the forger wants. */
  readonly wanted: number;
  /** What the forger puts in place of the first group of the true proof. */
  readonly forge: (group: ProofGroup) => Pick<ProofGroup, 'nodes' | 'prices'>;
  /** Found to be a claim, not to be wrong. */
  readonly claimed?: number;
}

/** As a proof may have it. */
const digits = (value: number): number => Number(value.toPrecision(15));
const at = (...cells: number[]) => ({ cells: cells.map(digits), rows: [] as [string, number][] });
const bound = (prices: number): ProofNode => ({ kind: 'bound', at: prices });
const decide = (decision: string, on: number, off: number): ProofNode => ({ kind: 'decide', decision, on, off });
/** @param prices  of the branch */
const tooMany = (
  core: string[],
  prices: number,
  values: [string, number][],
  more: { off?: [string, number][]; nets?: [string, number][] } = {},
): ProofNode => ({
  kind: 'unsupported',
  at: prices,
  core,
  off: more.off ?? [],
  on: [],
  scaled: { values: values.map(([name, value]) => [name, digits(value)]), nets: more.nets ?? [] },
});

const block = { kind: 'block', record_id: 'block', side: 'sell', from: 1, to: 1 };
const twoHours = 'sell 40@10 #1, buy 100@50 #1, sell 40@10 #2, buy 60@50 #2';
/** Power that goes there and back on a line with a loss of 5 %, so that 3 MW are lost. */
const around = 3 / (1 - 0.95 * 0.95);

const holes: readonly Hole[] = [
  {
    name: 'a price of a row of other MTUs, whose limit is below zero',
    book: exampleBook(
      'A sell 100@20 #1, A buy 100@60 #1, B sell 100@20 #1, B buy 50@50 #1, A sell 100@20 #2, A buy 50@60 #2, B sell 100@20 #2, B buy 50@50 #2',
      [],
      { periods: 2, zones: ['A', 'B'], constraints: [{ id: 'c', period: 2, ptdf: { A: -1, B: -0.5 }, ram: -10 }] },
    ),
    welfare: 9000,
    wanted: 8000,
    forge: ({ nodes, prices }) => ({ nodes, prices: [{ ...prices[0]!, rows: [['constraint c/2', 100]] }] }),
  },
  {
    // 0.7 + 0.1 is less than 0.8 in floating point.
    name: 'a shortage that is a rounding error at huge prices',
    book: exampleBook('sell 0.7@10, sell 0.1@12, buy 0.4@5', [{ ...block, side: 'buy', price: 30, power: 0.8 }]),
    welfare: 15.8,
    wanted: 0,
    forge: () => ({
      nodes: [decide('order /block', 1, 2), { kind: 'infeasible', at: 0 }, bound(1)],
      prices: [at(237_000_123_456_789), at(8)],
    }),
  },
  {
    name: 'power sold in MTUs of another group, where the lowest price is above zero',
    book: exampleBook(twoHours, [{ ...block, price: 30, power: 60 }], {
      periods: 2,
      priceLimits: { min: 5, max: 4000 },
    }),
    welfare: 4400,
    wanted: 3200,
    forge: ({ prices }) => ({
      nodes: [
        decide('order /block', 1, 2),
        tooMany(['order /block'], 0, [['order /block', 1]], { nets: [['net A/2/2', 1e6]] }),
        bound(1),
      ],
      prices: [prices[0]!, at(50)],
    }),
  },
  {
    // A millionth of an order of 40,000 MW gains 0.04 MW times 40.
    name: 'a crumb of an order that is not of the core',
    book: exampleBook('sell 40@10, buy 100@50', [
      { ...block, price: 30, power: 60 },
      { ...block, record_id: 'other', price: 10, power: 40_000 },
    ]),
    welfare: 2800,
    wanted: 1600,
    forge: () => ({
      nodes: [
        decide('order /block', 1, 2),
        decide('order /other', 3, 4),
        decide('order /other', 5, 6),
        { kind: 'infeasible', at: 0 },
        tooMany(['order /block'], 1, [
          ['order /block', 1 - 0.04 / 60],
          ['order /other', 1e-6],
        ]),
        { kind: 'infeasible', at: 0 },
        bound(2),
      ],
      prices: [at(-1), at(30), at(50)],
    }),
  },
  {
    // Orders within 1e-5 of the price stand at it, and are worth their own limit.
    name: 'limits taken for the price that they are near to',
    book: exampleBook('sell 140000@10, buy 130000@50', [{ ...block, price: 9.9, power: 10_000 }]),
    welfare: 5_201_000,
    wanted: 5_200_000,
    forge: () => ({
      nodes: [decide('order /block', 1, 2), tooMany(['order /block'], 1, [['order /block', 0.99999]]), bound(1)],
      prices: [at(10 - 9e-6), at(10)],
    }),
  },
  {
    // No answer may burn power on a line with losses; one that does not has a negative price, at which the block gains.
    name: 'power burnt on a line with losses at a negative price',
    book: exampleBook('A sell 23@-100, A buy 20@60', [{ ...block, side: 'buy', price: -60, power: 2 }], {
      zones: ['A', 'B'],
      lines: [{ id: 'A-B', from: 'A', to: 'B', capacity: 40, reverse: 40, loss: 0.05 }],
    }),
    welfare: 3280,
    wanted: 3200,
    forge: () => ({
      nodes: [
        decide('order /block', 1, 2),
        tooMany(['order /block'], 0, [
          ['flow A-B/1', around],
          ['back A-B/1', 0.95 * around],
        ]),
        {
          kind: 'direction',
          closed: [
            ['back A-B/1', 3],
            ['flow A-B/1', 4],
          ],
        },
        bound(1),
        bound(2),
      ],
      prices: [at(0, 0), at(-100, -100 / 0.95), at(-100, -95)],
    }),
    claimed: 1,
  },
  {
    // Parent and children at half of themselves: the parent's loss halves, the children have no less than they had.
    name: 'a family whose children share a group, scaled down with its parent',
    book: exampleBook(
      'buy 50@60 #1, buy 50@60 #2, sell 1000@30 #3, buy 1000@31 #3',
      [
        { ...block, record_id: 'p', from: 3, to: 3, price: 50, power: 50 },
        { ...block, record_id: 'c', price: 40, power: 100, minAcceptance: 0.5, linkedTo: 'p', exclusiveGroup: 'g' },
        {
          ...block,
          record_id: 's',
          from: 2,
          to: 2,
          price: 40,
          power: 100,
          minAcceptance: 0.5,
          linkedTo: 'p',
          exclusiveGroup: 'g',
        },
      ],
      { periods: 3 },
    ),
    welfare: 2000,
    wanted: 1000,
    forge: () => ({
      nodes: [
        tooMany(
          ['order /p', 'order /c', 'order /s'],
          0,
          [
            ['order /p', 0.5],
            ['order /c', 0.5],
            ['order /s', 0.5],
          ],
          {
            off: [
              ['order /p', 1],
              ['order /c', 2],
              ['order /s', 3],
            ],
          },
        ),
        bound(2),
        bound(3),
        bound(4),
      ],
      prices: [
        at(40, 40, 30),
        at(50, 50, 30),
        {
          cells: [60, 60, 30],
          rows: [
            ['link /c', 2000],
            ['link /s', 2000],
          ],
        },
        at(60, 40, 30),
        at(40, 60, 30),
      ],
    }),
  },
];

for (const { name, book, welfare, wanted, forge, claimed = 0 } of holes) {
  test(`checkProof() does not fall for ${name}`, () => {
    const { result, proof } = clearWith(solver, book, hash, { proves: true });
    assert(proof !== undefined);
    assert(Math.abs(result.welfare - welfare) < 0.005, `${result.welfare}`);
    assert.equal(checkProof(book, hash, result, proof).ok, true);
    const [group, ...others] = proof.groups;
    const forged = parseProof({ ...proof, groups: [{ ...group!, root: 0, ...forge(group!) }, ...others] });
    const shown = checkProof(book, hash, { ...result, welfare: wanted, bound: wanted }, forged);
    if (claimed > 0) assert.equal(shown.claimed, claimed);
    else assert.equal(shown.ok, false, `${shown.bound} is shown`);
  });
}

/** The largest price that a proof may have, and one that doubles take for all there is. */
const hugePrices = [9e14, 1e24];

for (const { name, book, welfare, wanted, out, forge } of forgedBounds) {
  test(`checkProof() refuses ${name}`, () => {
    const { result: honest, proof } = clearWith(solver, book, hash, { proves: true });
    const rest = { ...book, orders: book.orders.filter(({ record_id }) => !out.includes(record_id)) };
    const { result: forged } = clearWith(solver, rest, hash);
    assert(Math.abs(honest.welfare - welfare) < 0.005 && Math.abs(forged.welfare - wanted) < 0.005);
    assert.equal(checkProof(book, hash, honest, proof!).ok, true);
    for (const huge of hugePrices) {
      const group = { first: 1, last: book.periods, root: 0, ...forge(forged, honest, huge) };
      const { ok, bound: shown, claimed, checks } = checkProof(book, hash, forged, { ...proof!, groups: [group] });
      assert.equal(ok, false, `${shown} is shown`);
      // What it names is there: it is refused for what it says.
      const said = checks.flatMap(({ violations }) => violations.map(({ message }) => message)).join();
      assert.doesNotMatch(said, /there is no|has no |nothing says|prices of/);
      assert.equal(claimed, 0);
    }
  });
}

test('H8: two things of one name are refused, whatever ids the book has', () => {
  const unit = { kind: 'complex', record_id: 'mic', side: 'sell', condition: 'minimum-profit', fixedTerm: 1 };
  const book = exampleBook('sell 40@10, sell 30@60, buy 100@80', [
    { ...block, record_id: 'mic', price: 30, power: 60, participant: 'acme' },
    { ...unit, participant: 'acme2', steps: [{ period: 1, price: 3000, power: 1 }] },
  ]);
  const { result, proof } = clearWith(solver, book, hash, { proves: true });
  assert.equal(checkProof(book, hash, result, proof!).ok, true);
  // No door takes such ids.
  const named = (participant: string, record_id: string): Book => ({
    ...book,
    orders: book.orders.map((order) => (order.kind === 'block' ? { ...order, participant, record_id } : order)),
  });
  const told = (other: Book) => checkProof(other, hash, result, proof!).checks.flatMap(({ violations }) => violations);
  assert.match(told(named('acme2', 'mic'))[0]!.message, /two columns order acme2\/mic/);
  for (const name of ['step acme2/mic', 'order acme2']) {
    const columns = new Set(modelOf(named(name, '1'), scaleOf(book, proof!)).columns.keys());
    assert.equal(columns.size, 3, `${[...columns].join(', ')}`);
  }
});

/** The bound that holds without the claims, and who is claimed. */
function claimsOf(
  book: Book,
  out: readonly string[],
  nodes: readonly ProofNode[],
  rows: (price: number) => [string, number][] = () => [],
) {
  const { result: honest, proof } = clearWith(solver, book, hash, { proves: true });
  assert.deepEqual(checkProof(book, hash, honest, proof!).claims, []);
  const rest = { ...book, orders: book.orders.filter(({ record_id }) => !out.includes(record_id)) };
  const { result: forged } = clearWith(solver, rest, hash);
  const prices = [forged, honest].map(({ prices: { A } }) => ({ cells: [...A!], rows: rows(A![0]!) }));
  const group = { first: 1, last: book.periods, root: 0, nodes: [...nodes], prices };
  return { honest, forged, shown: checkProof(book, hash, forged, { ...proof!, groups: [group] }) };
}

const claimed = (core: string[], prices: number): ProofNode => ({ kind: 'claimed', at: prices, core, off: [], on: [] });

test('a wash pair that claims an order away is named, with what it hides', () => {
  const wash = { kind: 'complex', record_id: 'wash', side: 'sell', condition: 'minimum-income' };
  const book = exampleBook('sell 40@10, sell 30@60, buy 100@80, buy 10@4000', [
    { ...wash, fixedTerm: 0, steps: [{ period: 1, price: -500, power: 10 }] },
    { ...block, price: 30, power: 60, minAcceptance: 1 },
  ]);
  const { honest, forged, shown } = claimsOf(
    book,
    ['block'],
    [
      decide('order /wash', 1, 2),
      decide('order /block', 3, 4),
      bound(1),
      claimed(['order /wash', 'order /block'], 1),
      bound(0),
    ],
    // Its step is paid for by the row that holds it to the order.
    (price) => [['step /wash/1', price + 500]],
  );
  assert(honest.welfare > forged.welfare + 1000, `${honest.welfare}, ${forged.welfare}`);
  assert.equal(shown.claimed, 1);
  assert.deepEqual(shown.claims[0]!.orders, ['order /wash', 'order /block']);
  assert(shown.boundWithoutClaims >= honest.welfare - 0.01, `${shown.boundWithoutClaims} of ${honest.welfare}`);
  assert(shown.claims[0]!.hides >= honest.welfare - shown.bound - 0.01);
});

test('a proof of a smaller book, in which what was left out is claimed away, is refused or named', () => {
  const wrapped = (least: number, group?: string) => {
    const fields = { price: 30, power: 60, minAcceptance: least, ...(group && { exclusiveGroup: group }) };
    const others = group ? [{ ...block, ...fields, record_id: 'other', price: 3000 }] : [];
    const book = exampleBook('sell 40@10, sell 30@60, buy 100@80', [{ ...block, ...fields }, ...others]);
    return claimsOf(book, ['block', 'other'], [decide('order /block', 1, 2), claimed(['order /block'], 1), bound(0)]);
  };
  // A block that is all or none, or alone, can be shown to have no prices: it is never claimed.
  for (const { shown } of [wrapped(1), wrapped(0.5), wrapped(1, 'g')]) assert.equal(shown.ok, false);
  const { honest, shown } = wrapped(0.5, 'g');
  assert.deepEqual(shown.claims[0]!.orders, ['order /block']);
  assert(shown.boundWithoutClaims >= honest.welfare - 0.01, `${shown.boundWithoutClaims} of ${honest.welfare}`);
});

test('minimum incomes and members of groups that are cut are shown to have no prices, without a claim', () => {
  let [leaves, weighed, left] = [0, 0, 0];
  for (let k = 0; k < 150; k++) {
    const book = randomOrders(3000 + k, 6);
    try {
      const { result, proof } = clearWith(solver, book, hash, { proves: true });
      const shown = checkProof(book, hash, result, proof!);
      assert.equal(shown.ok, true, `seed ${3000 + k}`);
      leaves += shown.leaves;
      left += shown.claimed;
      const incomes = book.orders.filter((order) => order.kind === 'complex' && order.condition === 'minimum-income');
      const names = new Set(incomes.map(columnName.ratio));
      for (const node of proof!.groups.flatMap(({ nodes }) => nodes))
        if (node.kind === 'unsupported' && node.core.some((name) => names.has(name))) weighed++;
    } catch (error) {
      if (!(error instanceof AuctionError)) throw error;
    }
  }
  assert(weighed > 5, `only ${weighed} leaves have a minimum income on`);
  assert(left <= leaves / 200, `${left} of ${leaves} leaves are claims`);
});

test('checkProof() refuses a tree deeper than its stack, and a bound below the welfare that is there', () => {
  const { book } = holes[0]!;
  const { result, proof } = clearWith(solver, book, hash, { proves: true });
  const [group, ...others] = proof!.groups;
  const nodes = Array.from(
    { length: 200_000 },
    (_, k): ProofNode => ({ kind: 'fixed', at: 0, on: [], off: [], rest: k + 1 }),
  );
  const deep = { ...proof!, groups: [{ ...group!, nodes: [...nodes, bound(0)] }, ...others] };
  assert.equal(checkProof(book, hash, result, deep).ok, false);
  const more = { ...result, welfare: result.welfare + 1, bound: result.bound + 1 };
  assert.equal(checkProof(book, hash, result, proof!).ok, true);
  assert.equal(checkProof(book, hash, more, proof!).ok, false);
});

const seed = Number(process.env.SEED ?? 20250401);
const runs = Number(process.env.RUNS ?? 120);
console.log(`# proofs bent at random: SEED=${seed} RUNS=${runs}`);

test('checkProof() never shows less than the best answer is worth, whatever is bent', (t) => {
  const dice = mulberry32(seed);
  let [bent, whole] = [0, 0];
  const attack = (book: Book, where: string) => {
    let cleared: ReturnType<typeof clearWith>;
    try {
      cleared = clearWith(solver, book, hash, { proves: true });
    } catch (error) {
      if (error instanceof AuctionError) return;
      throw error;
    }
    const { result, proof } = cleared;
    if (result.status !== 'optimal') return;
    const least = result.welfare - 0.02 - 1e-8 * Math.abs(result.welfare);
    for (let k = 0; k < 30; k++) {
      const forged: Proof = structuredClone(proof!);
      const times = 1 + Math.floor(dice() * 3);
      for (let n = 0; n < times; n++) bend(forged, dice);
      const { checks, bound: shown, claimed } = checkProof(book, hash, result, forged);
      bent++;
      const isTree = checks.every(
        ({ invariant, violations }) => invariant === 'PROOF-BOUND' || violations.length === 0,
      );
      if (!isTree || claimed > 0) continue;
      whole++;
      assert(shown >= least, `${where}: ${shown} is shown, ${result.welfare} is possible\n${JSON.stringify(forged)}`);
    }
  };
  for (let k = 0; k < runs; k++) attack(randomOrders(seed + k, 8), `SEED=${seed} book ${k}`);
  for (let k = 0; k < Math.ceil(runs / 12); k++)
    attack(randomBlocks({ seed: seed + k, blocks: 20, zones: 2, periods: 4, steps: 4 }), `SEED=${seed} blocks ${k}`);
  t.diagnostic(`${bent} proofs bent, ${whole} of them still whole trees`);
  assert(whole > bent / 10, `${whole} of ${bent}`);
});
