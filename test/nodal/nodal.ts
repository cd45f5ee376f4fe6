/**
 * Public network cases (pypower's, 9 to 300 buses) as nodal books, cleared, verified, and compared with a DC optimal power flow
 * that an interior-point method of another package solves: `reference.py` makes books and answers, `compare.ts` says what has to agree.
 *
 *     npm run test:nodal        # CASES=9,118 for some of them
 */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { checkBook } from '../../src/book/check-book.ts';
import { bookHash } from '../../src/book/seal.ts';
import { clearWith } from '../../src/clearing/clear.ts';
import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { parseBook } from '../../src/market/book.ts';
import { verify } from '../../src/verify/verify.ts';
import { pythonWith } from '../cloud/emulator.ts';
import { constraintsOf, differences, type Factors, type Reference } from './compare.ts';
import { known } from './known.ts';

const requirements = ['pypower==5.1.21', 'clarabel==0.11.1', 'highspy==1.16.0', 'numpy==2.4.6', 'scipy==1.17.1'];
const cases = process.env.CASES?.split(',') ?? ['9', '14', '24_ieee_rts', '30', '39', '57', '118', '300'];

interface Nodal {
  readonly name: string;
  readonly book: { readonly zones: readonly string[] };
  /** MW by branch. */
  readonly capacities: readonly number[];
  readonly reference: Reference;
}

const solver = await loadSolver();
let folder: string;
let python: string;

before(async () => {
  python = await pythonWith(...requirements);
  folder = await mkdtemp(join(tmpdir(), 'merit-nodal-'));
});

after(() => rm(folder, { recursive: true }));

for (const name of cases)
  test(`case${name} clears as the optimal power flow has it`, async (t) => {
    await promisify(execFile)(python, [join(import.meta.dirname, 'reference.py'), folder, name]);
    const [factors, ...lines] = (await readFile(join(folder, `${name}.jsonl`), 'utf8')).trim().split('\n');
    for (const line of lines) {
      const nodal = JSON.parse(line) as Nodal;
      const title = `case${name} ${nodal.name}`;
      await t.test(title, { expectFailure: known[title] ?? false }, () => checkNodal(JSON.parse(factors!), nodal));
    }
  });

function checkNodal(factors: Factors, { book: json, capacities, reference }: Nodal): void {
  const book = parseBook({ ...json, constraints: constraintsOf(factors, capacities, json.zones) });
  checkBook(book);
  const hash = bookHash(book);
  const start = performance.now();
  const { result } = clearWith(solver, book, hash);
  const ms = performance.now() - start;
  const binds = constraintsThatBind(book, result);
  console.log(
    `${book.zones.length} buses, ${binds} bind: ${ms.toFixed(0)} ms, reference ${reference.ms.toFixed(0)} ms`,
  );
  assert.equal(result.status, 'optimal');
  assert.deepEqual(differences(book, result, reference), []);
  const broken = verify(book, hash, result).checks.filter(({ violations }) => violations.length > 0);
  assert.deepEqual(broken, []);
}

/** Constraints whose use, as published, leaves them no room. */
function constraintsThatBind(
  { constraints, zones }: ReturnType<typeof parseBook>,
  { netPositions }: ReturnType<typeof clearWith>['result'],
): number {
  return constraints.filter(({ ptdf, ram }) => {
    const used = zones.reduce((sum, zone) => sum + (ptdf[zone] ?? 0) * netPositions[zone]![0]!, 0);
    return used > ram - 1e-3;
  }).length;
}
