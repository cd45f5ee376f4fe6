/**
 * A forger at work: `npm run forge -- [count] [seed] [kind]`.
 *
 * Right results are told otherwise in every way of `test/forge/kinds`, and the verifier is asked, with the honest proof in hand. Printed is what
 * it accepts: how often, and the most that it moves.
 */

import { drawnBook, exampleBooks, honestOf, type Named, thousandOrders, thousands } from '../test/forge/books.ts';
import { type Accepted, attempt, kinds, stands, tally } from '../test/forge/run.ts';

const [count = 20_000, seed = 1] = process.argv.slice(2, 4).map(Number);
const only = process.argv[4];
const orders = Number(process.env.ORDERS ?? 1000);
console.log(`# ${count} forgeries of ${kinds.length} kinds, seed ${seed}`);

const chosen = kinds.filter(({ name }) => only === undefined || name.includes(only));
const found = tally();
const refusedHonest: string[] = [];

function work(book: Named, each: number): void {
  const honest = honestOf(book);
  if (honest === undefined) return;
  if (!stands(honest, honest.result)) {
    refusedHonest.push(honest.name);
    return;
  }
  for (const kind of chosen)
    for (let k = 0; k < each && found.tried < count; k++) attempt(kind, honest, seed * 7919 + k, found);
}

if (orders > 0) for (const helper of thousands) work(thousandOrders(helper, seed, orders), 1);
for (const book of exampleBooks()) work(book, 1);
for (let k = 0; found.tried < count; k++) work(drawnBook(seed, k), 2);

const byKind = Map.groupBy(found.accepted, ({ kind }) => kind);
const worst = (all: readonly Accepted[], of: keyof Accepted['harm']) =>
  all.reduce((a, b) => (b.harm[of] > a.harm[of] ? b : a));
for (const { name } of chosen) {
  const all = byKind.get(name) ?? [];
  const tries = found.tries.get(name) ?? 0;
  if (tries === 0) console.log(`${name}: nothing to forge`);
  if (all.length === 0) continue;
  const [money, price, volume, hidden] = (['money', 'price', 'volume', 'hidden'] as const).map((of) => worst(all, of));
  console.log(
    `${name}: ${all.length} of ${tries} accepted; money ${money!.harm.money.toFixed(2)} (${money!.book} #${money!.seed}), price ${price!.harm.price.toFixed(4)} (${price!.book}), volume ${volume!.harm.volume.toFixed(6)} (${volume!.book}), hidden ${hidden!.harm.hidden.toFixed(2)} (${hidden!.book})`,
  );
}
const harmful = found.accepted.filter(
  ({ harm }) => harm.price > 1e-9 || harm.volume > 1e-9 || harm.hidden > 0.01 || harm.money > 0.01,
);
console.log(
  `tried ${found.tried}, accepted ${found.accepted.length}, of these with harm ${harmful.length}; right results refused: ${refusedHonest.join(', ') || 'none'}`,
);
