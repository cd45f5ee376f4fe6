/**
 * `node test/clearing/families-report.ts [family|all] [count] [seed]`: the engine against the oracle, by family of small books, as a table;
 * then the first failing book of each kind, simplified, as one line of JSON; `SHOWN` says how many of each instead.
 */

import { loadSolver } from '../../src/clearing/solver/highs.ts';
import { judge, kinds, type Verdict } from '../support/families/compare.ts';
import { bookOf, families } from '../support/families/families.ts';
import { simplify } from '../support/families/simplify.ts';

const [which = 'all', count = '100', first = '1'] = process.argv.slice(2);
const names = which === 'all' ? Object.keys(families) : [which];
const unknown = names.find((name) => !Object.hasOwn(families, name));
if (unknown !== undefined) throw new Error(`no family ${unknown}: ${Object.keys(families).join(', ')}`);
const mostShown = Number(process.env.SHOWN ?? 1);
const solver = await loadSolver();

const columns = ['ok', 'lots', ...kinds] as const;
console.log(['family'.padEnd(22), ...columns.map((kind) => kind.padStart(11))].join(''));
const shown: string[] = [];
for (const name of names) {
  const counts = new Map<Verdict['kind'], number>();
  for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
    const book = bookOf(name, seed);
    const { kind, message } = judge(book, solver);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    if (kind === 'ok' || kind === 'lots' || counts.get(kind)! > mostShown) continue;
    const small = simplify(book, (candidate) => judge(candidate, solver).kind === kind);
    const now = judge(small, solver).message;
    shown.push(`${name}, seed ${seed}, ${kind}: ${message}\n  as small as it gets: ${now}\n  ${JSON.stringify(small)}`);
  }
  console.log([name.padEnd(22), ...columns.map((kind) => String(counts.get(kind) ?? '').padStart(11))].join(''));
}
for (const each of shown) console.log(`\n${each}`);
