/**
 * Proofs of results: what the search writes down, the checker accepts, on examples of each kind and on the oracle's random books; and a
 * proof changes nothing of the result. What it must refuse is in `forged-proofs.test.ts`.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import { randomBlocks } from '../bench/random-blocks.ts';
import { canonical } from '../src/book/canonical.ts';
import { type Clearing, type ClearingBudget, clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import { AuctionError } from '../src/market/errors.ts';
import { type Proof, type ProofNode, parseProof } from '../src/market/proof.ts';
import { checkProof, type ProofVerification } from '../src/verify/proof/check-proof.ts';
import { exampleBook } from './support/example-book.ts';
import { randomOrders } from './support/random-orders.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const seed = Number(process.env.SEED ?? 20250401);
const runs = Number(process.env.RUNS ?? 500);

interface Proven extends Clearing {
  readonly proof: Proof;
  readonly shown: ProofVerification;
}

/** Clear with a proof, which goes through its file form, and check it. */
function prove(book: Book, budget: ClearingBudget = {}): Proven {
  const clearing = clearWith(solver, book, hash, { ...budget, proves: true });
  const proof = parseProof(JSON.parse(canonical(clearing.proof)));
  return { ...clearing, proof, shown: checkProof(book, hash, clearing.result, proof) };
}

const kindsOf = ({ groups }: Proof): ProofNode['kind'][] =>
  groups.flatMap(({ nodes }) => nodes.map(({ kind }) => kind));

const block = { kind: 'block', record_id: 'block', side: 'sell', from: 1, to: 1 };
const unit = {
  kind: 'complex',
  record_id: 'unit',
  side: 'sell',
  steps: [1, 2].map((period) => ({ period, price: 10, power: 100 })),
  fixedTerm: 5000,
};

/** What each is worth is worked out in the rule book or beside it; `kinds`: nodes that its proof has to have. */
const examples: { name: string; book: Book; welfare: number; kinds: ProofNode['kind'][]; claimed?: number }[] = [
  {
    // Sixty of its seventy MW at its limit would make 2,800 with the rest: more than the 2,600 of any answer that has it whole.
    name: 'a paradoxically rejected block (E6)',
    book: exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 70 }]),
    welfare: 1600,
    kinds: ['decide', 'unsupported', 'bound'],
  },
  {
    name: 'a curtailed block (E6)',
    book: exampleBook('sell 40@10, buy 100@50', [{ ...block, price: 30, power: 70, minAcceptance: 0.8 }]),
    welfare: 2800,
    kinds: ['bound'],
  },
  {
    name: 'a child that its parent keeps out',
    book: exampleBook('sell 40@10, buy 100@50', [
      { ...block, price: 30, power: 70 },
      { ...block, record_id: 'child', linkedTo: 'block', price: 5, power: 10 },
    ]),
    welfare: 1600,
    kinds: ['unsupported'],
  },
  {
    name: 'an exclusive group',
    book: exampleBook('sell 200@30, buy 150@100', [
      { ...block, record_id: 'one', price: 10, power: 50, exclusiveGroup: 'unit' },
      { ...block, record_id: 'other', price: 20, power: 50, exclusiveGroup: 'unit' },
    ]),
    welfare: 11_500,
    kinds: ['bound'],
  },
  {
    name: 'a block larger than what there is to buy',
    book: exampleBook('sell 40@10, buy 60@50', [
      { ...block, price: 20, power: 50 },
      { ...block, record_id: 'big', price: 5, power: 90 },
    ]),
    welfare: 1600,
    kinds: ['infeasible', 'unsupported'],
  },
  {
    name: 'a line with losses that would burn power',
    book: exampleBook('A sell 100@-100, A buy 20@60, B sell 50@-100, B buy 30@40', [], {
      zones: ['A', 'B'],
      lines: [{ id: 'A-B', from: 'A', to: 'B', capacity: 40, reverse: 40, loss: 0.05 }],
    }),
    welfare: 7557.89,
    kinds: ['direction'],
  },
  {
    name: 'a minimum profit that is just met (E21)',
    book: exampleBook('buy 100@40 #1, buy 100@30 #2', [{ ...unit, condition: 'minimum-profit', variableTerm: 0 }], {
      periods: 2,
    }),
    welfare: 0,
    kinds: ['bound'],
  },
  {
    // A minimum income is no matter of welfare: that no prices give it is the engine's word.
    name: 'a minimum income that is not met (E11)',
    book: exampleBook('buy 100@40 #1, buy 100@30 #2', [{ ...unit, condition: 'minimum-income', variableTerm: 20 }], {
      periods: 2,
    }),
    welfare: 0,
    kinds: ['claimed'],
    claimed: 1,
  },
  {
    name: 'a ramp (E15)',
    book: exampleBook(
      'A sell 500@20 #1, A sell 500@20 #2, B sell 500@50 #1, B sell 500@50 #2, B buy 50@10 #1, B buy 100@200 #2',
      [],
      {
        periods: 2,
        zones: ['A', 'B'],
        lines: [{ id: 'A-B', from: 'A', to: 'B', capacity: 100, reverse: 100, ramp: 30, before: 0 }],
      },
    ),
    welfare: 30 * 10 + 100 * 200 - 90 * 20 - 40 * 50,
    kinds: ['bound'],
  },
  {
    name: 'a flow-based constraint (E16)',
    book: exampleBook('A sell 500@20, B sell 500@45, C sell 500@60, C buy 200@100', [], {
      zones: ['A', 'B', 'C'],
      constraints: [{ id: 'k', period: 1, ptdf: { A: 0.6, B: 0.2, C: 0 }, ram: 50 }],
    }),
    welfare: 200 * 100 - 25 * 20 - 175 * 45,
    kinds: ['bound'],
  },
];

for (const { name, book, welfare, kinds, claimed = 0 } of examples) {
  test(`checkProof() accepts the proof of ${name}`, () => {
    const { result, proof, shown } = prove(book);
    assert.deepEqual(
      shown.checks.flatMap(({ violations }) => violations),
      [],
    );
    assert(Math.abs(result.welfare - welfare) < 0.005, `${result.welfare}, not ${welfare}`);
    assert(Math.abs(shown.bound - welfare) < 0.005, `${shown.bound} is shown, not ${welfare}`);
    assert.equal(shown.claimed, claimed);
    const seen = kindsOf(proof);
    for (const kind of kinds) assert(seen.includes(kind), `no ${kind} among ${seen.join(' ')}`);
  });
}

console.log(`# proofs of random books of all kinds: SEED=${seed} RUNS=${runs}`);

/** Clear these books; books that nobody can clear have no proof. */
function* provenBooks(count: number, decisions: number, budget: ClearingBudget = {}) {
  for (let k = 0; k < count; k++) {
    const book = randomOrders(seed + k, decisions);
    const where = `randomOrders(${seed + k}, ${decisions})`;
    try {
      yield { book, where, ...prove(book, budget) };
    } catch (error) {
      if (!(error instanceof AuctionError)) throw error;
    }
  }
}

function* randomBooks(): Generator<Proven & { book: Book; where: string }> {
  yield* provenBooks(runs, 6);
  yield* provenBooks(Math.ceil(runs / 10), 12);
}

test('checkProof() accepts the proof of every random book, and it shows the welfare', (t) => {
  let [books, incomes, others] = [0, 0, 0];
  const seen = new Set<string>();
  for (const { book, where, result, proof, shown } of randomBooks()) {
    const found = shown.checks.flatMap(({ violations }) => violations);
    assert.deepEqual(found, [], where);
    const slack = 0.02 + 1e-9 * Math.abs(result.welfare);
    assert(result.status !== 'optimal' || Math.abs(shown.bound - result.welfare) <= slack, `${where}: ${shown.bound}`);
    books++;
    if (shown.claimed > 0) {
      if (book.orders.some((order) => order.kind === 'complex' && order.condition === 'minimum-income')) incomes++;
      else others++;
    }
    for (const kind of kindsOf(proof)) seen.add(kind);
  }
  t.diagnostic(`${books} proofs, ${incomes} with claims about a minimum income, ${others} with others`);
  assert(others <= 0.02 * books + 1, `${others} of ${books} books have claims without a minimum income`);
  const kinds = ['bound', 'claimed', 'decide', 'fixed', 'infeasible', 'unsupported'];
  if (runs >= 500) for (const kind of kinds) assert(seen.has(kind), `no proof has ${kind}`);
});

test('clear() gives the same bytes with a proof and without', () => {
  for (const { book, where, result } of provenBooks(Math.min(runs, 100), 8)) {
    assert.deepEqual(clearWith(solver, book, hash).result, result, where);
    assert.equal(clearWith(solver, book, hash).proof, undefined);
  }
});

test('checkProof() accepts the proof of a search that stopped at its budget: of its bound', () => {
  let stopped = 0;
  for (const branches of [1, 2, 5]) {
    for (const { where, result, shown } of provenBooks(60, 12, { branches })) {
      const found = shown.checks.flatMap(({ violations }) => violations);
      assert.deepEqual(found, [], where);
      if (result.status === 'feasible') stopped++;
    }
  }
  assert(stopped > 20, `${stopped} searches stopped`);
});

test('clear() proves no search that goes on from a checkpoint', () => {
  const book = randomBlocks({ seed: 2, blocks: 40, zones: 2, periods: 8, steps: 4 });
  const { checkpoint } = clearWith(solver, book, hash, { branches: 1 });
  assert(checkpoint !== undefined, 'the search stops before its end');
  assert.throws(() => clearWith(solver, book, hash, { checkpoint, proves: true }), /begins with it/);
});
