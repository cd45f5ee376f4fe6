/**
 * Books that say something else than the intake took: each of these forgeries was accepted once, with the same hash in all receipts or
 * with the chain worked out anew. What the book alone gives away is refused from it; who works out the whole chain anew is found out by
 * whoever holds a receipt.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import { changeNetwork } from '../src/auction/records/network.ts';
import { readSealedBook } from '../src/auction/views/results.ts';
import { chainOf } from '../src/book/book-chain.ts';
import { canonical } from '../src/book/canonical.ts';
import { checkIntake, uncheckedOf } from '../src/book/check-intake.ts';
import { entryDigest, intakeHash, linkOf, nameHash, type Receipt } from '../src/book/intake.ts';
import { termsHashIn } from '../src/book/opening.ts';
import { receiptFaults } from '../src/book/receipts.ts';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import { verificationOf } from '../src/cli/verification.ts';
import type { Book } from '../src/market/book.ts';
import { parseBook } from '../src/market/book.ts';
import type { Order } from '../src/market/order.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { hold, openTestHouse, reaches, testMarket } from './support/house.ts';

const limit = (record_id: string, side: 'buy' | 'sell', price: number, power: number): Order => ({
  record_id,
  zone: 'Y',
  kind: 'limit',
  side,
  period: 1,
  price,
  power,
});

let honest: Book;
const receipts: Receipt[] = [];

before(async (t) => {
  const line = { id: 'Y-Z', from: 'Y', to: 'Z', capacity: 50, reverse: 50 };
  const markets = [testMarket({ zones: ['Y', 'Z'], lines: [line] })];
  const house = await openTestHouse(t as Parameters<typeof openTestHouse>[0], { markets });
  const { ports } = house;
  await hold(ports, 'a1');
  receipts.push(
    ...(await ports.orders.append('a1', 'wind', [limit('w1', 'sell', 10, 80), limit('w2', 'sell', 12, 5)])),
  );
  receipts.push(...(await ports.orders.append('a1', 'gas', [limit('g1', 'sell', 40, 50)])));
  receipts.push(...(await ports.orders.append('a1', 'town', [limit('t1', 'buy', 60, 80), limit('t2', 'buy', 20, 40)])));
  receipts.push(await ports.orders.cancel('a1', 'wind', 'w2'));
  await closeGate(ports, 'a1');
  await reaches(ports, 'a1', 'settled');
  honest = await readSealedBook(ports, await findAuction(ports, 'a1'));
});

type Intake = Book['intake'] & { rule: 2 };
const intakeIn = (book: Book): Intake => {
  assert(book.intake?.rule === 2);
  return book.intake;
};
const orderIn = (book: Book, id: string) => book.orders.find(({ record_id }) => record_id === id)!;

/** The chain as it would be had the intake taken this: what an operator can do who has the whole database. */
function rechained(book: Book): Book {
  const intake = intakeIn(book);
  intake.terms = termsHashIn(book, intake);
  const { heads } = chainOf(book);
  intake.hash = intakeHash(heads);
  return book;
}

/** Out of the book, with what it has to be among the withdrawn. */
function withdraw(book: Book, id: string): void {
  const { participant, sequence, received_at, version, ...order } = orderIn(book, id);
  book.orders = book.orders.filter(({ record_id }) => record_id !== id);
  const stamps = { participant: participant!, sequence: sequence!, received_at: received_at!, record_id: id, version };
  intakeIn(book).withdrawn.push(linkOf(stamps, canonical(order)));
}

/** What is found in a book whose result is right for it. */
async function found(book: Book): Promise<string[]> {
  const hash = bookHash(book);
  const { result } = await clear(book, hash);
  return verificationOf(book, hash, result).checks.flatMap(({ invariant, violations }) =>
    violations.map(({ where, message }) => `${invariant} ${where}: ${message}`),
  );
}

test('the book that was sealed is accepted, and fits all receipts', async () => {
  assert.deepEqual(await found(honest), []);
  assert.deepEqual(receiptFaults(honest, receipts), []);
  assert.equal(honest.intake?.hash, receipts.at(-1)!.hash);
});

const refusals: readonly (readonly [what: string, forge: (book: Book) => unknown, said: RegExp])[] = [
  ['a live order among the withdrawn', (book) => withdraw(book, 'w1'), /entry 1 is an order .* nobody withdrew it/],
  [
    'a live order among the withdrawn, and the chain worked out anew',
    (book) => {
      withdraw(book, 'w1');
      rechained(book);
    },
    /nobody withdrew it/,
  ],
  [
    'a live order among those that name nobody',
    (book) => {
      intakeIn(book).leftOut = [orderIn(book, 'w1')];
      book.orders.shift();
    },
    /w1: order w1 was left out, and nothing that it names is missing/,
  ],
  ['another cap', (book) => Object.assign(book, { priceLimits: { ...book.priceLimits, max: 100 } }), /one was changed/],
  ['another market', (book) => Object.assign(book, { market: 'other' }), /one was changed/],
  ['another start', (book) => Object.assign(book, { start: '2025-04-02T12:00:00Z' }), /one was changed/],
  ['another zone', (book) => Object.assign(book, { zones: [...book.zones, 'X'] }), /one was changed/],
  ['another lot', (book) => Object.assign(book, { lot: 0.01 }), /one was changed/],
  ['a gate that closed later', (book) => (intakeIn(book).gateClosure = '2030-01-01T00:00:00Z'), /one was changed/],
  ['a line of another capacity', (book) => Object.assign(book.lines[0]!, { capacity: 1 }), /intake: the network is/],
  [
    'the orders in another order',
    (book) => book.orders.reverse(),
    /order t1 stands behind one of a later sequence: orders stand as they came/,
  ],
  [
    'an order a day after the gate, and the chain worked out anew',
    (book) => {
      orderIn(book, 't2').received_at = new Date(Date.parse(intakeIn(book).gateClosure) + 86_400_000).toISOString();
      rechained(book);
    },
    /entry 5 came at .*; the gate was open from/,
  ],
  ['no intake', (book) => delete book.intake, /orders have stamps, but the book has no intake/],
  [
    'no stamps',
    (book) => {
      for (const order of book.orders) for (const key of ['sequence', 'received_at'] as const) delete order[key];
    },
    /w1: order w1 has no stamps/,
  ],
  [
    'a cancellation of an order that is in the book, and the chain worked out anew',
    (book) => {
      const { withdrawn } = intakeIn(book);
      withdrawn[1]!.of = nameHash('town', 't2');
      rechained(book);
    },
    /t2: entry 6 withdraws an order that is in the book/,
  ],
  [
    'a cancellation of nothing, and the chain worked out anew',
    (book) => {
      intakeIn(book).withdrawn.push({
        kind: 'cancellation',
        of: nameHash('x', 'y'),
        received_at: receipts[0]!.received_at,
        sequence: 7,
      });
      rechained(book);
    },
    /entry 7 withdraws an order that there is not/,
  ],
];

for (const [what, forge, said] of refusals)
  test(`a book with ${what} is refused`, async () => {
    const book = structuredClone(honest);
    forge(book);
    const messages = await found(book);
    assert.match(messages.join('\n'), said);
  });

/** With the whole chain worked out anew a book has nothing wrong with it but that it is not the one that took the orders. */
const rewritten: readonly (readonly [what: string, forge: (book: Book) => unknown, said: RegExp])[] = [
  [
    'participants exchanged',
    (book) => {
      orderIn(book, 'w1').participant = 'gas';
      orderIn(book, 'g1').participant = 'wind';
    },
    /w1.* running hash/,
  ],
  ['another price', (book) => Object.assign(orderIn(book, 't2'), { price: 30 }), /t2.* running hash/],
  [
    'another cap',
    (book) => Object.assign(book, { priceLimits: { ...book.priceLimits, max: 100 } }),
    /w1.* running hash/,
  ],
  [
    'an order gone and the others renumbered',
    (book) => {
      book.orders.shift();
      for (const each of [...book.orders, ...intakeIn(book).withdrawn]) each.sequence!--;
    },
    /w2: the book has no entry 6/,
  ],
  [
    'a cancellation that nobody sent',
    (book) => {
      withdraw(book, 't2');
      const { received_at } = receipts.at(-1)!;
      intakeIn(book).withdrawn.push({ kind: 'cancellation', of: nameHash('town', 't2'), received_at, sequence: 7 });
    },
    /t2: entry 7 of .* withdraws it, and there is no receipt of that/,
  ],
];

for (const [what, forge, said] of rewritten)
  test(`a book with ${what}, and the whole chain worked out anew, is refused by a receipt`, async () => {
    const book = structuredClone(honest);
    forge(book);
    rechained(book);
    assert.deepEqual(await found(book), []);
    const messages = receiptFaults(book, receipts).map(({ record_id, message }) => `${record_id}: ${message}`);
    assert.match(messages.join('\n'), said);
  });

test('a book that goes by the rule of before is told to be so, and is refused by a receipt', async () => {
  const { intake, ...rest } = structuredClone(honest);
  assert(intake?.rule === 2);
  const withdrawn = receipts
    .filter(({ record_id }) => record_id === 'w2')
    .map((receipt) => {
      const { sequence, received_at, participant } = receipt;
      const what = sequence === 2 ? { order: limit('w2', 'sell', 12, 5) } : { cancels: 'w2' };
      return { sequence, digest: entryDigest(1, { sequence, received_at, participant, ...what }) };
    });
  const book: Book = { ...rest, intake: { hash: intake.hash, withdrawn } };
  book.intake!.hash = intakeHash(chainOf(book).heads);
  const hash = bookHash(book);
  const check = verificationOf(book, hash, (await clear(book, hash)).result).checks.find(
    ({ invariant }) => invariant === 'intake',
  )!;
  assert.deepEqual(check.violations, []);
  assert.match(check.unchecked!, /a chain of before: limits, zones, network and times/);
  assert.equal(receiptFaults(book, receipts).length, receipts.length);
});

test('a book without intake and stamps has a row that says what nobody can see, and is refused by a receipt', async () => {
  const book = structuredClone(honest);
  delete book.intake;
  for (const order of book.orders) for (const key of ['sequence', 'received_at'] as const) delete order[key];
  const hash = bookHash(book);
  const check = verificationOf(book, hash, (await clear(book, hash)).result).checks.find(
    ({ invariant }) => invariant === 'intake',
  )!;
  assert.deepEqual([check.checked, check.violations], [0, []]);
  assert.match(check.unchecked!, /the book has no intake/);
  assert.match(receiptFaults(book, receipts)[0]!.message, /no entry 1/);
});

test('a digest that is none is no book', () => {
  const book = structuredClone(honest) as unknown as { intake: { withdrawn: { content: string }[] } };
  book.intake.withdrawn[0]!.content = 'hello';
  assert.throws(
    () => parseBook(book),
    (error: { problems?: { field: string }[] }) => {
      assert.equal(error.problems?.[0]?.field, 'intake.withdrawn.0.content');
      return true;
    },
  );
});

test('merit verify --receipt names the order that a receipt misses, and ends with exit code 1', async (t) => {
  const folder = await temporaryFolder(t);
  const file = (name: string) => join(folder, name);
  const forged = structuredClone(honest);
  Object.assign(orderIn(forged, 't2'), { price: 30 });
  rechained(forged);
  const { result } = await clear(forged, bookHash(forged));
  await writeFile(file('book'), canonical(forged));
  await writeFile(file('result'), canonical(result));
  await writeFile(file('receipt'), canonical(receipts.find(({ record_id }) => record_id === 't2')));
  const blind = await run(['verify', file('book'), file('result')]);
  assert.equal(blind.code, 0, blind.out);
  const { code, out } = await run(['verify', file('book'), file('result'), '--receipt', file('receipt')]);
  assert.equal(code, 1);
  assert.match(out, /receipts t2: the book gives the running hash sha256:\w+ after entry 5, the receipt has/);
});

test('an auction of before goes on by rule 1: its receipts fit, and the verifier says which rule it was', async (t) => {
  const { ports } = await openTestHouse(t);
  const { chain, ...made } = await hold(ports, 'new');
  assert.equal(chain?.rule, 2);
  await ports.auctions.create({ ...made, id: 'old' });
  const held = await ports.orders.append('old', 'p', [
    { ...limit('s', 'sell', 10, 5), zone: 'Z' },
    { ...limit('x', 'sell', 11, 5), zone: 'Z' },
  ]);
  held.push(await ports.orders.cancel('old', 'p', 'x'));
  await closeGate(ports, 'old');
  const book = await readSealedBook(ports, await reaches(ports, 'old', 'settled'));
  assert.equal(book.intake?.rule, undefined);
  assert.deepEqual(checkIntake(book), []);
  assert.match(uncheckedOf(book)!, /^a chain of before/);
  assert.deepEqual(receiptFaults(book, held), []);
  const { ttl: _, cancelled, order, ...stored } = (await ports.orders.find('old', 'p', ['x']))[0]!;
  const { leaf: __, ...receipt } = held[1]!;
  assert.deepEqual([{ ...stored, record_id: order.record_id }, cancelled], [receipt, true]);
});

test('a network that was replaced before the gate closed is told: when, only the operator knows', async (t) => {
  const line = { id: 'Y-Z', from: 'Y', to: 'Z', capacity: 50, reverse: 50 };
  const { ports } = await openTestHouse(t, { markets: [testMarket({ zones: ['Y', 'Z'], lines: [line] })] });
  await hold(ports, 'b');
  await changeNetwork(ports, 'b', { lines: [{ id: 'Y-Z', capacity: 20 }] });
  await ports.orders.append('b', 'p', [limit('s', 'sell', 10, 5)]);
  await closeGate(ports, 'b');
  const book = await readSealedBook(ports, await reaches(ports, 'b', 'settled'));
  assert.deepEqual(checkIntake(book), []);
  assert.match(uncheckedOf(book)!, /^the network was replaced/);
});

test('a book of replaced orders fits every receipt, and every forgery of a version is found', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports, 'r');
  const sell = (id: string, price: number) => ({ ...limit(id, 'sell', price, 5), zone: 'Z' });
  const held = await ports.orders.append('r', 'p', [sell('a', 10), sell('b', 11), sell('c', 12)]);
  for (const price of [20, 21]) held.push(await ports.orders.replace('r', 'p', sell('a', price)));
  held.push(await ports.orders.replace('r', 'p', sell('b', 22), 1), await ports.orders.cancel('r', 'p', 'b'));
  await closeGate(ports, 'r');
  const book = await readSealedBook(ports, await reaches(ports, 'r', 'settled'));
  assert.deepEqual(
    book.orders.map(({ record_id, version, sequence }) => [record_id, version, sequence]),
    [
      ['c', undefined, 3],
      ['a', 3, 5],
    ],
  );
  assert.deepEqual(
    intakeIn(book).withdrawn.map(({ kind, sequence, version }) => [kind, sequence, version]),
    [
      ['order', 1, undefined],
      ['order', 2, undefined],
      ['replacement', 4, 2],
      ['replacement', 6, 2],
      ['cancellation', 7, 2],
    ],
  );
  assert.deepEqual(parseBook(structuredClone(book)), book);
  assert.deepEqual([checkIntake(book), receiptFaults(book, held)], [[], []]);
  // Whoever has the receipts of before the last change is told of it.
  const told = (receipts: Receipt[]) => receiptFaults(book, receipts).map(({ code, message }) => `${code}: ${message}`);
  assert.match(told([held[0]!, held[2]!]).join('\n'), /^order-replaced: entry 4 of .* replaces it/);
  assert.match(told([held[3]!]).join(), /^order-replaced: entry 5 of/);
  assert.match(told([held[5]!]).join(), /^order-withdrawn: entry 7 of/);
  assert.match(told([{ ...held[4]!, version: 2 }]).join(), /version 3, the receipt is of version 2/);

  const forged = (change: (book: Book) => unknown): string => {
    const other = structuredClone(book);
    change(other);
    return checkIntake(rechained(other))
      .map(({ code }) => code)
      .join();
  };
  /** An entry shown again as an order. */
  const shown = (other: Book, sequence: number, order: Book['orders'][number], version?: number) => {
    const intake = intakeIn(other);
    const { received_at } = intake.withdrawn.find((link) => link.sequence === sequence)!;
    intake.withdrawn = intake.withdrawn.filter((link) => link.sequence !== sequence);
    other.orders.push({ ...order, participant: 'p', sequence, received_at, ...(version && { version }) });
    other.orders.sort((a, b) => a.sequence! - b.sequence!);
  };
  const link = (other: Book, sequence: number) => intakeIn(other).withdrawn.find((each) => each.sequence === sequence)!;
  assert.equal(
    forged(() => {}),
    '',
  );
  assert.equal(
    forged((other) => shown(other, 1, sell('a', 10))),
    'not-replaced',
  );
  assert.equal(
    forged((other) => shown(other, 6, sell('b', 22), 2)),
    'not-withdrawn',
  );
  assert.equal(
    forged((other) => Object.assign(orderIn(other, 'a'), { version: 4 })),
    'nothing-replaced',
  );
  assert.equal(
    forged((other) => Object.assign(orderIn(other, 'a'), { version: 2 })),
    'replaced-twice',
  );
  assert.equal(
    forged((other) => delete link(other, 7).version),
    'other-withdrawn',
  );
  assert.equal(
    forged((other) => withdraw(other, 'a')),
    'not-cancelled',
  );
});
