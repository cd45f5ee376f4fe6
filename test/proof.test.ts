/**
 * Proofs: what the search writes down is accepted, says the bound that is published, and whoever bends it is refused.
 *
 * A forger wants a smaller bound than the truth, or an answer to be the best that is not: each forgery below makes one thing otherwise
 * in a proof that holds.
 */

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { randomBlocks } from '../bench/random-blocks.ts';
import { bookHash } from '../src/book/seal.ts';
import { type ClearingBudget, clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import { type Book, parseBook } from '../src/market/book.ts';
import { AuctionError } from '../src/market/errors.ts';
import { type Proof, type ProofNode, parseProof } from '../src/market/proof.ts';
import type { Result } from '../src/market/result.ts';
import { checkProof } from '../src/verify/proof/check-proof.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { exampleBook } from './support/example-book.ts';
import { scaled } from './support/families/scaled.ts';
import { randomOrders } from './support/random-orders.ts';
import { block, smallBook } from './support/small-book.ts';

const solver = await loadSolver();

interface Proven {
  readonly book: Book;
  readonly result: Result;
  readonly proof: Proof;
}

function proven(book: Book, budget: ClearingBudget = {}): Proven {
  const { result, proof } = clearWith(solver, book, bookHash(book), { ...budget, proves: true });
  assert(proof !== undefined);
  // As it comes from a file.
  return { book, result, proof: parseProof(JSON.parse(JSON.stringify(proof))) };
}

const check = ({ book, result, proof }: Proven) => checkProof(book, bookHash(book), result, proof);

const faultsOf = (all: Proven): string[] =>
  check(all).checks.flatMap(({ invariant, violations }) =>
    violations.map(({ where, message }) => `${invariant} ${where}: ${message}`),
  );

const blocks = (seed: number) => randomBlocks({ seed, blocks: 40, zones: 2, periods: 8, steps: 4 });

test('checkProof() accepts the proofs of random books of all kinds, and shows the bound that is published', () => {
  const kinds = new Set<string>();
  let books = 0;
  let claimed = 0;
  let leaves = 0;
  for (let seed = 0; seed < 400; seed++) {
    let all: Proven;
    try {
      all = proven(randomOrders(seed, 6));
    } catch (error) {
      // What the network forces may leave no answer.
      if (error instanceof AuctionError) continue;
      throw error;
    }
    books++;
    assert.deepEqual(faultsOf(all), [], `seed ${seed}`);
    const found = check(all);
    claimed += found.claimed;
    leaves += found.leaves;
    for (const { nodes } of all.proof.groups) for (const { kind } of nodes) kinds.add(kind);
    if (found.claimed > 0) continue;
    // Whole cents, and lots, are all that may lie between.
    const slack = 0.011 + 1e-9 * Math.abs(all.result.welfare);
    assert(
      found.bound >= all.result.welfare - slack,
      `seed ${seed}: shows ${found.bound}, it is ${all.result.welfare}`,
    );
  }
  assert(books > 380, `${books} books`);
  assert(claimed < 0.1 * leaves, `${claimed} of ${leaves} leaves are only claimed`);
  assert.deepEqual([...kinds].sort(), ['bound', 'claimed', 'decide', 'fixed', 'infeasible', 'unsupported']);
});

test('checkProof() accepts the proofs of books of kilowatts and of small prices, which say megawatts and money', () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < 150; seed++) {
    let all: Proven;
    try {
      all = proven(scaled(randomOrders(seed, 6), -3, seed % 2 === 0 ? 0 : -2));
    } catch (error) {
      if (error instanceof AuctionError) continue;
      throw error;
    }
    assert.deepEqual(faultsOf(all), [], `seed ${seed}`);
    for (const { nodes } of all.proof.groups) for (const { kind } of nodes) kinds.add(kind);
  }
  assert(kinds.has('unsupported') && kinds.has('infeasible') && kinds.has('decide'));
});

test('checkProof() accepts blocks that no prices support, without any claim', () => {
  for (let seed = 1; seed <= 8; seed++) {
    const all = proven(blocks(seed));
    assert.deepEqual(faultsOf(all), [], `seed ${seed}`);
    const { bound, claimed } = check(all);
    assert.equal(claimed, 0);
    assert(Math.abs(bound - all.result.welfare) < 0.02, `seed ${seed}: ${bound}, ${all.result.welfare}`);
  }
});

for (const [what, sell] of [
  ['where a zone has nothing to export', ''],
  ['whose zones burden a constraint alike', 'D sell 1@190#2,'],
])
  test(`checkProof() accepts a block in a region ${what}: its volumes are put on their digits`, () => {
    const orders = `${sell}A buy 80@90#2, A buy 100@130#2, A sell 40@40#3, C sell 80@70#2, D buy 100@70#3`;
    const plain = smallBook(orders, {
      periods: 3,
      priceLimits: { min: 0, max: 200 },
      zones: ['A', 'B', 'C', 'D'],
      constraints: [{ id: 'c', period: 2, ptdf: { A: -0.1, B: -0.1, C: 0.8, D: 0.8 }, ram: 70 }],
    });
    const more = block('b', { zone: 'B', price: 80, from: 2, to: 3, power: 80 });
    const all = proven(parseBook({ ...plain, orders: [...plain.orders, more] }));
    assert.deepEqual(faultsOf(all), []);
    assert(all.proof.groups.some(({ nodes }) => nodes.some(({ kind }) => kind === 'unsupported')));
    assert.equal(check(all).claimed, 0);
  });

test('checkProof() accepts an exclusive group that is scaled as a whole: no member is rounded below its least share', () => {
  const plain = smallBook('buy 70@130#4', { resolution: 'PT15M', periods: 4, priceLimits: { min: 0, max: 200 } });
  const more = [
    {
      record_id: 'u',
      zone: 'A',
      kind: 'complex',
      side: 'sell',
      steps: [{ period: 1, price: 20, power: 50 }],
      fixedTerm: 2500,
      variableTerm: 0,
      condition: 'minimum-income',
    },
    block('b1', { side: 'buy', price: 120, power: 110, minAcceptance: 0.25, exclusiveGroup: 'g' }),
    block('b2', { price: 90, from: 4, to: 4, power: 110, minAcceptance: 0.5, exclusiveGroup: 'g' }),
  ];
  assert.deepEqual(faultsOf(proven(parseBook({ ...plain, orders: [...plain.orders, ...more] }))), []);
});

test('a search that stops early proves just the bound that it publishes', () => {
  for (const branches of [1, 2, 5, 20]) {
    const all = proven(blocks(2), { branches });
    assert.deepEqual(faultsOf(all), []);
    assert(Math.abs(check(all).bound - all.result.bound) < 0.02, `${branches} branches`);
  }
  assert.equal(proven(blocks(2), { branches: 2 }).result.status, 'feasible');
});

test('clear() gives the same result with a proof and without, and the same proof twice', () => {
  for (let seed = 0; seed < 40; seed++) {
    const book = blocks(seed);
    const one = clearWith(solver, book, bookHash(book), { proves: true });
    assert.deepEqual(clearWith(solver, book, bookHash(book)).result, one.result);
    assert.deepEqual(clearWith(solver, book, bookHash(book), { proves: true }).proof, one.proof);
  }
});

test('E6: the block that would lose is shown to have no prices, by scaling it down', () => {
  const all = proven(
    exampleBook('sell 50@10, sell 50@100, buy 50@3000', [
      { record_id: 'block', kind: 'block', zone: 'A', side: 'sell', price: 60, from: 1, to: 1, power: 80 },
    ]),
  );
  assert.deepEqual(faultsOf(all), []);
});

const rich = proven(blocks(2));
const nodes = rich.proof.groups[0]!.nodes;

type Kind<K extends ProofNode['kind']> = Extract<ProofNode, { kind: K }>;
type Draft = { -readonly [K in keyof Proven]: Proven[K] };

/** The first node of a kind, to be changed. */
function first<K extends ProofNode['kind']>({ proof }: Draft, kind: K, where = (_: Kind<K>) => true): Kind<K> {
  const found = proof.groups[0]!.nodes.find((node): node is Kind<K> => node.kind === kind && where(node as Kind<K>));
  assert(found !== undefined, `no node ${kind}`);
  return found;
}
/** Prices that a leaf is closed at. */
const usedPrices = (draft: Draft) => draft.proof.groups[0]!.prices[first(draft, 'bound').at]!;
const change = (node: object, fields: object) => void Object.assign(node, fields);

const forgeries: readonly [what: string, forge: (draft: Draft) => void][] = [
  ['it is of another book', ({ proof }) => void Object.assign(proof, { book: `sha256:${'0'.repeat(64)}` })],
  ['it is of another auction', ({ proof }) => void Object.assign(proof, { auction: 'another' })],
  ['the result is of another book', ({ result }) => void Object.assign(result, { book: `sha256:${'0'.repeat(64)}` })],
  ['the result claims a smaller bound', ({ result }) => void Object.assign(result, { bound: result.bound - 1 })],
  ['MTUs are left out', ({ proof }) => void Object.assign(proof, { groups: [] })],
  ['a group ends early', ({ proof }) => void Object.assign(proof.groups[0]!, { last: 7 })],
  ['a group comes twice', ({ proof }) => void (proof.groups as unknown[]).push(structuredClone(proof.groups[0]))],
  [
    'prices are better for everybody',
    ({ proof }) => {
      proof.groups[0]!.prices[first({ ...rich, proof }, 'bound').at]!.cells[3]! += 20;
    },
  ],
  ['prices are missing', (draft) => void usedPrices(draft).cells.pop()],
  ['a leaf names no prices', (draft) => change(first(draft, 'bound'), { at: 1e6 })],
  ['a row has a price that is not in the book', (draft) => void usedPrices(draft).rows.push(['link x', 1])],
  [
    'the other side of a decision is not looked at',
    (draft) => {
      const node = first(draft, 'decide');
      change(node, { off: node.on });
    },
  ],
  ['a node is not there', (draft) => change(first(draft, 'decide'), { on: 1e6 })],
  ['a node leads back to the root', (draft) => change(first(draft, 'decide'), { on: 0 })],
  ['a decision is not in the book', (draft) => change(first(draft, 'decide'), { decision: 'order /nobody' })],
  [
    'a decision is made twice',
    (draft) => {
      const { on, decision } = first(draft, 'decide');
      const below = draft.proof.groups[0]!.nodes[on]!;
      draft.proof.groups[0]!.nodes.push(below, { kind: 'bound', at: 0 });
      const last = draft.proof.groups[0]!.nodes.length - 1;
      draft.proof.groups[0]!.nodes[on] = { kind: 'decide', decision, on: last - 1, off: last };
    },
  ],
  [
    'a decision is fixed that prices leave open',
    (draft) => {
      const node = first(draft, 'fixed');
      const open = Object.keys(decisionsOf(draft)).find((name) => !node.on.includes(name) && !node.off.includes(name))!;
      change(node, { on: [...node.on, open] });
    },
  ],
  [
    'what is fixed on is fixed off',
    (draft) => {
      const { on, off, ...node } = first(draft, 'fixed', (each) => each.on.length > 0);
      change(
        first(draft, 'fixed', (each) => each.rest === node.rest),
        { on: off, off: on },
      );
    },
  ],
  [
    'more of them are said to be too many',
    (draft) => {
      const node = first(draft, 'unsupported');
      const other = Object.keys(decisionsOf(draft)).find((name) => !node.core.includes(name))!;
      change(node, { core: [...node.core, other] });
    },
  ],
  [
    'one of them is never the first to go',
    (draft) => {
      const node = first(draft, 'unsupported', ({ off }) => off.length > 0);
      change(node, { off: node.off.slice(1) });
    },
  ],
  [
    'fewer of them are said to be too many',
    (draft) => {
      const node = first(draft, 'unsupported', ({ scaled }) =>
        scaled.values.some(([name, x]) => name.startsWith('order /B') && x > 0.5),
      );
      const used = node.scaled.values.find(([name, x]) => name.startsWith('order /B') && x > 0.5)!;
      change(node, { core: node.core.filter((name) => name !== used[0]) });
    },
  ],
  [
    'a scaled block is more than itself',
    (draft) => {
      const { scaled } = first(draft, 'unsupported');
      scaled.values.find(([name]) => name.startsWith('order /B'))![1] = 1.5;
    },
  ],
  [
    'a scaled flow is more than its line',
    (draft) => {
      const { scaled } = first(draft, 'unsupported', (node) =>
        node.scaled.values.some(([name]) => name.startsWith('flow ')),
      );
      scaled.values.find(([name]) => name.startsWith('flow '))![1] = 1e5;
    },
  ],
  [
    'scaled volumes do not balance',
    (draft) => {
      const { scaled } = first(draft, 'unsupported');
      scaled.values.find(([name]) => name.startsWith('order /B'))![1] *= 0.9;
    },
  ],
  [
    'scaled volumes have power from nowhere',
    (draft) => void first(draft, 'unsupported').scaled.nets.push(['net Z1/1/1', 50]),
  ],
  ['scaled volumes are worth nothing', (draft) => change(first(draft, 'unsupported').scaled, { values: [], nets: [] })],
  [
    'that prices do not support blocks is only claimed',
    (draft) => {
      const { at, core, off, on } = first(draft, 'unsupported');
      const list = draft.proof.groups[0]!.nodes;
      list[list.findIndex(({ kind }) => kind === 'unsupported')] = { kind: 'claimed', at, core, off, on };
    },
  ],
  [
    'everything is claimed',
    (draft) => {
      change(draft.proof.groups[0]!, { nodes: [{ kind: 'claimed', at: 0, core: [], off: [], on: [] }] });
    },
  ],
  [
    'a leaf is said not to balance',
    (draft) => {
      const list = draft.proof.groups[0]!.nodes;
      const index = list.findIndex(({ kind }) => kind === 'bound');
      list[index] = { kind: 'infeasible', at: (list[index] as Kind<'bound'>).at };
    },
  ],
  [
    'two flows are said to be directions of one line',
    (draft) => {
      const list = draft.proof.groups[0]!.nodes;
      const root = list[0]!;
      list.push(root, { kind: 'bound', at: 0 });
      list[0] = {
        kind: 'direction',
        closed: [
          ['flow Z1-Z2/1', list.length - 2],
          ['flow Z1-Z2/2', list.length - 1],
        ],
      };
    },
  ],
  ['a node hangs loose', (draft) => void draft.proof.groups[0]!.nodes.push({ kind: 'bound', at: 0 })],
];

/** Decisions that the proof names. */
function decisionsOf({ book }: Draft): Record<string, true> {
  return Object.fromEntries(
    book.orders.flatMap(({ kind, record_id }) => (kind === 'block' ? [[`order /${record_id}`, true]] : [])),
  );
}

for (const [what, forge] of forgeries) {
  test(`checkProof() refuses a proof where ${what}`, () => {
    const draft: Draft = structuredClone(rich);
    forge(draft);
    assert.notDeepEqual(draft, rich);
    assert.equal(check(draft).ok, false);
  });
}

test('the forgeries are of a proof that has all they bend', () => {
  const kinds = new Set(nodes.map(({ kind }) => kind));
  for (const kind of ['bound', 'decide', 'fixed', 'unsupported'] as const) assert(kinds.has(kind), kind);
  assert.deepEqual(faultsOf(rich), []);
});

/** The proof with another first price. */
function withPrice(price: number): unknown {
  const draft = structuredClone(rich.proof);
  draft.groups[0]!.prices[0]!.cells[0] = price;
  return draft;
}

test('parseProof() names what is no proof', () => {
  for (const [broken, field] of [
    [{ ...rich.proof, merit: 'proof/3' }, 'merit'],
    [{ ...rich.proof, merit: 'proof/1' }, 'merit'],
    [{ ...rich.proof, tolerance: 1 }, 'tolerance'],
    [{ ...rich.proof, groups: [{ ...rich.proof.groups[0], hint: 1 }] }, 'groups.0.hint'],
    [withPrice(1e24), 'groups.0.prices.0.cells.0'],
    [withPrice(0.1 + 0.2), 'groups.0.prices.0.cells.0'],
    [withPrice(1e-20), 'groups.0.prices.0.cells.0'],
    [{ ...rich.proof, groups: [{ ...rich.proof.groups[0], nodes: [{ kind: 'trust me' }] }] }, 'groups.0.nodes.0.kind'],
    [[], undefined],
  ] as const) {
    assert.throws(
      () => parseProof(broken),
      (error) =>
        error instanceof AuctionError &&
        error.code === 'invalid-proof' &&
        (field === undefined || error.problems.some((problem) => problem.field === field)),
    );
  }
});

test('merit clear --proof and merit verify --proof', async (t) => {
  const folder = await temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  await writeFile(at('book.json'), JSON.stringify(blocks(3)));
  const cleared = await run([
    'clear',
    at('book.json'),
    '-o',
    at('result.json'),
    '--proof',
    at('proof.json'),
    '--verify',
  ]);
  assert.equal(cleared.code, 0, cleared.err);
  const verify = (proof: string, ...more: string[]) =>
    run(['verify', at('book.json'), at('result.json'), '--proof', at(proof), ...more]);
  const told = await verify('proof.json');
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /^PROOF-BOUND .* ok *$/m);
  assert.match(
    told.out,
    /^decisions: proven by [\d,]+ lea(f|ves): no answer is worth more than [\d,.]+, 0\.0\d above this one \(gap \S+\)$/m,
  );
  assert.equal(JSON.parse((await verify('proof.json', '--json')).out).proof.claimed, 0);

  const proof: Proof = JSON.parse(await readFile(at('proof.json'), 'utf8'));
  proof.groups[0]!.prices[0]!.cells[0]! += 100;
  await writeFile(at('forged.json'), JSON.stringify(proof));
  const refused = await verify('forged.json');
  assert.equal(refused.code, 1);
  assert.match(refused.out, /^ {2}PROOF-\w+ .*\n/m);
  await writeFile(at('broken.json'), JSON.stringify(proof).slice(0, 300));
  const broken = await verify('broken.json');
  assert.equal(broken.code, 2);
  assert.match(broken.err, /broken\.json/);
});
