/**
 * Files that two programs may read as two different things: none is taken, and the place is named. They passed, as what stood last was
 * read.
 */

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { canonical } from '../src/book/canonical.ts';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import { readBook, readProof, readResult } from '../src/cli/books.ts';
import { type Failure, problemLine } from '../src/cli/failure.ts';
import type { AuctionError } from '../src/market/errors.ts';
import { readMarkets } from '../src/settings.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { line, smallBook } from './support/small-book.ts';

type File = 'book' | 'result' | 'proof';
const texts = new Map<File, string>();

before(async () => {
  const orders = 'A sell 80@10, A sell 50@40, B buy 80@60, B buy 40@20';
  const book = smallBook(orders, { zones: ['A', 'B'], lines: [line('A-B', 100)] });
  const { result, proof } = await clear(book, bookHash(book), { proves: true });
  for (const [name, value] of Object.entries({ book, result, proof })) texts.set(name as File, canonical(value));
});

const cases: readonly (readonly [what: string, file: File, from: string, to: string, said: RegExp])[] = [
  ['a price that is there twice', 'book', '"price":10,', '"price":10,"price":11,', /order 0 \(o1\), price: .*twice/],
  ['another cap behind the first', 'book', '"max":4000', '"max":4000,"max":40', /priceLimits\.max: .*twice/],
  ['a list of orders behind the first', 'book', '"orders":', '"orders":[],"orders":', /orders: .*twice/],
  ['a field that is none', 'book', '"price":10,', '"price":10,"note":1,', /order 0 \(o1\), note: .*note/],
  ['a price of 21 digits', 'book', '"price":10,', '"price":10.0000000000000000001,', /price: .*digits/],
  ['a zone called __proto__', 'book', '"zones":["A"', '"zones":["__proto__","A"', /zones\.0: .*__proto__/],
  ['a line called constructor', 'book', '"id":"A-B"', '"id":"constructor"', /lines\.0\.id: .*constructor/],
  ['prices that are there twice', 'result', '"prices":{', '"prices":{"A":[1],', /prices\.A: .*twice/],
  ['prices of __proto__', 'result', '"prices":{', '"prices":{"__proto__":[1],', /prices\.__proto__: no key/],
  ['flows of __proto__', 'result', '"flows":{', '"flows":{"\\u005f_proto__":[1],', /flows\.__proto__: no key/],
  [
    'positions of constructor',
    'result',
    '"netPositions":{',
    '"netPositions":{"constructor":[],',
    /constructor: no key/,
  ],
  [
    'two outcomes in one',
    'result',
    '"status":"accepted"',
    '"status":"rejected","status":"accepted"',
    /status: .*twice/,
  ],
  ['a field that is none', 'result', '"merit":', '"note":1,"merit":', /note: .*note/],
  ['a welfare of 24 digits', 'result', '"welfare":4', '"welfare":4000000000000000000000004', /welfare: .*digits/],
  ['a bound beyond all numbers', 'result', '"bound":4', '"bound":4e999,"x":4', /bound: .*largest/],
  ['two trees', 'proof', '"groups":', '"groups":[],"groups":', /groups: .*twice/],
  ['a root behind the first', 'proof', '"root":0', '"root":0,"root":1', /groups\.0\.root: .*twice/],
  ['a field that is none', 'proof', '"merit":', '"note":1,"merit":', /note: .*note/],
  ['a first period of 20 digits', 'proof', '"first":1', '"first":1.0000000000000000001', /first: .*digits/],
];

const readers = { book: readBook, result: readResult, proof: readProof };

/** What a command prints that has this error. */
const told = (error: Failure | AuctionError): string => [error.message, ...error.problems.map(problemLine)].join('; ');

for (const [what, file, from, to, said] of cases)
  test(`a ${file} with ${what} is refused, and the place is named`, async (t) => {
    const text = texts.get(file)!;
    const changed = text.replace(from, to);
    assert.notEqual(changed, text, `there is no ${from} in ${text.slice(0, 300)}`);
    const name = join(await temporaryFolder(t), file);
    await writeFile(name, changed);
    const isNamed = (error: Failure | AuctionError) => told(error).startsWith(`${name}: `) && said.test(told(error));
    await assert.rejects(readers[file](name), isNamed);
    await writeFile(name, text);
    await readers[file](name);
  });

test('merit verify ends with exit code 2 on a book with a repeated key', async (t) => {
  const folder = await temporaryFolder(t);
  const [book, result] = [join(folder, 'book'), join(folder, 'result')];
  await writeFile(book, texts.get('book')!.replace('"price":10,', '"price":10,"price":11,'));
  await writeFile(result, texts.get('result')!);
  const { code, err } = await run(['verify', book, result]);
  assert.equal(code, 2);
  assert.equal(
    err,
    `merit: ${book}: may be read in more than one way: order 0 (o1), price: the key "price" is there twice\n`,
  );
});

test('readMarkets() refuses a market file with a repeated key, and names file and place', async (t) => {
  const folder = join(await temporaryFolder(t), 'markets');
  await mkdir(folder);
  const text = await readFile(new URL('../markets/hourly.json', import.meta.url), 'utf8');
  const twice = text.replace('"priceLimits": {', '"priceLimits": { "max": 3000,');
  assert.notEqual(twice, text);
  await writeFile(join(folder, 'hourly.json'), twice);
  await assert.rejects(readMarkets(folder), /hourly\.json: priceLimits\.max: .*twice/);
});
