/** The command line without a house: clear, verify, import, and how it fails. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { checkBook } from '../src/book/check-book.ts';
import { bookHash } from '../src/book/seal.ts';
import { parseBook } from '../src/market/book.ts';
import { type Ran, run, spawnMerit, temporaryFolder } from './cli-house.ts';

const order = (record_id: string, side: string, price: number, power: number) => ({
  record_id,
  kind: 'limit',
  zone: 'A',
  side,
  period: 1,
  price,
  power,
});

/** E2 of the market rules: the price is 30. */
const book = {
  merit: 'book/1',
  auction: 'e2',
  currency: 'EUR',
  start: '2025-04-01T00:00:00Z',
  resolution: 'PT60M',
  periods: 1,
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  zones: ['A'],
  orders: [
    order('s1', 'sell', 10, 80),
    order('s2', 'sell', 40, 50),
    order('b1', 'buy', 60, 80),
    order('b2', 'buy', 20, 40),
  ],
};

async function folderWithBook(t: TestContext, value: unknown = book): Promise<(name: string) => string> {
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'book.json'), JSON.stringify(value));
  return (name) => join(folder, name);
}

/** Refused in lines that a person can act on, without a trace of the program's inside. */
function assertFails({ code, out, err }: Ran, exit: number, message: RegExp) {
  assert.match(err, message);
  assert.equal(out, '');
  assert.equal(code, exit);
  assert.match(err, /^merit: /);
  assert.doesNotMatch(err, /\n\s+at /);
  for (const line of err.split('\n')) assert(line.length < 500, line);
}

test('merit tells what it can do and how it ends', { concurrency: true }, async () => {
  const [help, version, nothing, unknown] = await Promise.all([
    run(['--help']),
    run(['--version']),
    run([]),
    run(['sell']),
  ]);
  for (const command of ['serve', 'submit', 'auctions', 'result', 'executions', 'clear', 'explain', 'verify', 'import'])
    assert.match(help.out, new RegExp(`^  ${command} `, 'm'));
  assert.match(help.out, /Exit codes: 0 .* 1 .*\n2 .* 3 /);
  assert.equal(help.code, 0);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  assert.equal(nothing.code, 2);
  assertFails(unknown, 2, /unknown command 'sell'/);
});

test('merit clear writes the result and says what came out', async (t) => {
  const at = await folderWithBook(t);
  const shown = await run(['clear', at('book.json'), '--verify']);
  assert.deepEqual([shown.code, shown.err], [0, '']);
  assert.match(shown.out, /optimal, welfare [\s\S]*^the rules hold \(\d/m);
  assert.equal((await run(['clear', '-'], `\ufeff${await readFile(at('book.json'), 'utf8')}`)).code, 0);
  const { code, out, err } = await run(['clear', at('book.json'), '-o', at('result.json'), '--verify']);
  assert.equal(err, '');
  assert.equal(code, 0);
  assert.match(out, /^e2: optimal, welfare 4,000\.00 EUR, gap 0\n/);
  assert.match(out, /^A +30\.00 +30\.00 +30\.00$/m);
  assert.match(out, /^accepted +2$/m);
  assert.match(out, /^rejected +2$/m);
  assert.match(out, /result\.json: written, the rules hold \(/);
  const result = JSON.parse(await readFile(at('result.json'), 'utf8'));
  assert.deepEqual(result.prices, { A: [30] });
  assert.equal(result.book, bookHash(parseBook(book)));
  assert.deepEqual((await readdir(at('.'))).sort(), ['book.json', 'result.json']);
});

test('merit clear takes and gives gzip and pipes, with the same bytes', async (t) => {
  const at = await folderWithBook(t);
  await writeFile(at('book.json.gz'), gzipSync(JSON.stringify(book)));
  const [zipped, piped, forProgram] = await Promise.all([
    run(['clear', at('book.json.gz'), '-o', at('result.json.gz')]),
    run(['clear', '-', '-o', '-'], JSON.stringify(book)),
    run(['clear', at('book.json'), '-o', at('result.json'), '--json']),
  ]);
  assert.deepEqual([zipped.code, piped.code, forProgram.code], [0, 0, 0]);
  assert.equal(gunzipSync(await readFile(at('result.json.gz'))).toString(), piped.out);
  assert.equal(await readFile(at('result.json'), 'utf8'), piped.out);
  const summary = JSON.parse(forProgram.out);
  assert.deepEqual(summary.outcomes, { accepted: 2, partially_accepted: 0, rejected: 2 });
  assert.deepEqual(summary.prices, [{ zone: 'A', min: 30, mean: 30, max: 30, untraded: 0 }]);
  assert.equal(summary.rules, 'unchecked');
});

test('merit verify says yes with 0 and no with 1', async (t) => {
  const at = await folderWithBook(t);
  const { out: text } = await run(['clear', at('book.json'), '-o', '-']);
  const result = JSON.parse(text);
  await writeFile(at('result.json'), text);
  await writeFile(at('forged.json'), JSON.stringify({ ...result, prices: { A: [35.5] } }));
  await writeFile(at('other.json'), JSON.stringify({ ...result, book: `sha256:${'0'.repeat(64)}` }));
  const [right, forged, other, forProgram] = await Promise.all([
    run(['verify', at('book.json'), at('result.json')]),
    run(['verify', at('book.json'), at('forged.json')]),
    run(['verify', at('book.json'), at('other.json')]),
    run(['verify', at('book.json'), at('forged.json'), '--json']),
  ]);
  assert.match(right.out, /e2: the rules hold, \d+ checks\ndecisions: unchecked, without a proof; .*\n$/);
  assert.equal(right.code, 0);
  assert.match(forged.out, /e2: REJECTED, \d+ rules? broken\n$/);
  assert.equal(forged.code, 1);
  assert.equal(other.code, 1);
  const told = JSON.parse(forProgram.out) as { ok: boolean; checks: { invariant: string }[] };
  assert.equal(told.ok, false);
  assert.equal(forProgram.code, 1);
  // Every invariant of the rule book is named, whether this book has something for it or not.
  const named = told.checks.map(({ invariant }) => invariant).filter((name) => name.startsWith('INV-'));
  assert.deepEqual(
    named,
    Array.from({ length: 37 }, (_, k) => `INV-${String(k + 1).padStart(2, '0')}`),
  );
});

test('merit clear refuses a broken book by file, order and field, and writes nothing', async (t) => {
  const at = await folderWithBook(t);
  const whole = JSON.stringify(book);
  const changed = (change: object) => JSON.stringify({ ...book, ...change });
  const [first, ...others] = book.orders;
  const files: Record<string, [string | Buffer, RegExp]> = {
    'cut.json': [whole.slice(0, 300), /cut\.json: not JSON: /],
    'cut.json.gz': [gzipSync(whole).subarray(0, 120), /cut\.json\.gz: the gzip data is damaged: unexpected end/],
    'empty.json': ['', /empty\.json: the file is empty/],
    'list.json': ['[]', /list\.json: this is not a book: .*expected object/],
    'text-price.json': [
      changed({ orders: [...others, { ...first, price: '10' }] }),
      /^merit: \S+text-price\.json: this is not a book: order 3 \(s1\), price: .*expected number/,
    ],
    'zone.json': [changed({ orders: [...others, { ...first, zone: 'B' }] }), /zone\.json: order s1: zone: /],
    'twice.json': [changed({ orders: [...book.orders, first] }), /twice\.json: order s1: record_id: /],
    'block.json': [
      changed({
        orders: [
          { record_id: 'k1', kind: 'block', zone: 'A', side: 'buy', price: 1, from: 1, to: 1, power: 5, linkedTo: 'x' },
        ],
      }),
      /block\.json: order k1: linkedTo: there is no order x/,
    ],
    'result.json': [changed({ merit: 'result/1' }), /result\.json: .*merit: /],
  };
  const before = Object.keys(files).concat('book.json').sort();
  for (const [name, [content]] of Object.entries(files)) await writeFile(at(name), content);
  await Promise.all(
    Object.entries(files).map(async ([name, [, message]]) =>
      assertFails(await run(['clear', at(name), '-o', at('out.json')]), 2, message),
    ),
  );
  assertFails(await run(['clear', at('none.json'), '-o', at('out.json')]), 2, /none\.json: there is no such file/);
  assertFails(await run(['verify', at('book.json'), at('cut.json')]), 2, /cut\.json: not JSON/);
  assert.deepEqual((await readdir(at('.'))).sort(), before);
});

test('merit clear says when the result cannot be written', async (t) => {
  const at = await folderWithBook(t);
  assertFails(
    await run(['clear', at('book.json'), '-o', at('no/such/result.json')]),
    3,
    /result\.json: cannot be written/,
  );
});

test('merit import says what is missing', async (t) => {
  const at = await folderWithBook(t);
  const day = ['--day', '2025-04-01'];
  for (const [source, options, message] of [
    ['gme', day, /transfer-capacities\.csv\.gz: there is no such file/],
    ['gme', ['--day', 'today'], /"today" is not a day/],
    ['gme', [], /--day: which delivery day\?/],
    ['mp', [], /areas\.csv\.gz: there is no such file/],
    ['mp', day, /--day: a minimum-profit instance has no such choice/],
    ['nse', day, /nse: no such source; there are gme and mp/],
  ] as const)
    assertFails(await run(['import', source, at('.'), ...options, '-o', at('day.json')]), 2, message);
});

const instances = fileURLToPath(new URL('../../shared/data/minimum-profit', import.meta.url));
const withoutInstances = existsSync(instances) ? false : 'there is no ../shared/data/minimum-profit';

test('merit import mp makes a book that merit knows as one', { skip: withoutInstances }, async (t) => {
  const at = await folderWithBook(t);
  const { code, out } = await run(['import', 'mp', join(instances, 'instance-1'), '-o', at('mp.json.gz'), '--json']);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out), {
    auction: 'minimum-profit-instance-1',
    periods: 24,
    zones: ['11', '12'],
    lines: 1,
    orders: 4592,
  });
  checkBook(parseBook(JSON.parse(gunzipSync(await readFile(at('mp.json.gz'))).toString())));
});

test('merit goes quietly when nobody reads on', async (t) => {
  const at = await folderWithBook(t);
  const child = spawnMerit(['clear', at('book.json'), '-o', '-']);
  child.stdout.destroy();
  const [err, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  assert.deepEqual([err, code], ['', 0]);
});
