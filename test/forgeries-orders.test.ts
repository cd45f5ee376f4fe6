/** Forged results of blocks, complex orders, ramps and flow-based exchange: the verifier refuses each, by the invariant that it breaks. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import type { Book } from '../src/market/book.ts';
import type { Result } from '../src/market/result.ts';
import { verify } from '../src/verify/verify.ts';
import { forgedOrders } from './support/forged-orders.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;

for (const { name, invariant, book, forge } of forgedOrders) {
  test(`verify() refuses ${name} (${invariant})`, () => {
    const resultOf = (each: Book) => clearWith(solver, each, hash).result;
    const result = resultOf(book);
    const broken = (each: Result) =>
      verify(book, hash, each)
        .checks.filter(({ violations }) => violations.length > 0)
        .map((check) => check.invariant);
    assert.deepEqual(broken(result), [], 'the true result');
    const forged = structuredClone(result);
    forge({
      result: forged,
      resultOf,
      tell(record_id, fields) {
        const at = forged.orders.findIndex((outcome) => outcome.record_id === record_id);
        const { reason: _, ...rest } = { ...forged.orders[at]!, ...fields };
        const reason = fields.reason ?? forged.orders[at]!.reason;
        forged.orders[at] = rest.status === 'accepted' ? rest : { ...rest, ...(reason ? { reason } : {}) };
      },
      worth(welfare) {
        Object.assign(forged, { welfare, bound: welfare, gap: 0 });
      },
    });
    const found = broken(forged);
    assert(found.includes(invariant), `found ${found.join(' ') || 'nothing'}`);
  });
}
