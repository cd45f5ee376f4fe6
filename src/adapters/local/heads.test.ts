import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha256 } from '../../book/intake.ts';
import { headsName, openHeads, readHeads } from './heads.ts';

async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-heads-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

const noted = (folder: string) => [...readHeads(folder)!.heads].map(([id, { sequence }]) => [id, sequence]);

test('openHeads(): what is flushed is read again, the last of each auction; an end that was cut is left out', async (t) => {
  const folder = await freshFolder(t);
  assert.equal(readHeads(folder), undefined);
  const heads = openHeads(folder, new Map());
  t.after(() => heads.close());
  for (const sequence of [1, 2, 3]) {
    heads.set('a', { sequence, hash: sha256(`${sequence}`) });
    if (sequence === 2) heads.set('b', { sequence: 7 });
    heads.write(heads.take());
  }
  assert.deepEqual(noted(folder), [
    ['a', 3],
    ['b', 7],
  ]);
  const file = join(folder, headsName);
  const text = await readFile(file, 'utf8');
  for (const [end, left] of [
    ['0123456789abcdef {"auction":"a","seq', 3],
    [`${'\0'.repeat(512)}\n`, 3],
  ] as const) {
    await writeFile(file, text);
    await appendFile(file, end);
    assert.deepEqual([noted(folder)[0], readHeads(folder)?.damaged], [['a', left], []]);
  }
});

test('readHeads() names the lines that are damaged before the end', async (t) => {
  const folder = await freshFolder(t);
  const heads = openHeads(folder, new Map());
  t.after(() => heads.close());
  for (const id of ['a', 'b', 'c']) {
    heads.set(id, { sequence: 1 });
    heads.write(heads.take());
  }
  const file = join(folder, headsName);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('"auction":"b"', '"auction":"x"'));
  assert.deepEqual(readHeads(folder)?.damaged, [2]);
  assert.deepEqual(noted(folder), [
    ['a', 1],
    ['c', 1],
  ]);
});

test('openHeads() writes the file anew when most of it is old', async (t) => {
  const folder = await freshFolder(t);
  const heads = openHeads(folder, new Map());
  t.after(() => heads.close());
  let largest = 0;
  for (let sequence = 1; sequence <= 9000; sequence++) {
    heads.set('a', { sequence });
    heads.write(heads.take());
    if (sequence % 500 === 0) largest = Math.max(largest, (await stat(join(folder, headsName))).size);
  }
  assert.deepEqual(noted(folder), [['a', 9000]]);
  assert(largest > 500_000 && largest < 1_200_000, `${largest}`);
});

test('openHeads(): what was noted after the take is not written with it, not even when the file is written anew', async (t) => {
  const folder = await freshFolder(t);
  const heads = openHeads(folder, new Map());
  t.after(() => heads.close());
  for (let sequence = 1; sequence <= 9000; sequence++) {
    heads.set('a', { sequence });
    const taken = heads.take();
    heads.set('a', { sequence: sequence + 1 });
    heads.write(taken);
    if (sequence % 100 === 0) assert.deepEqual(noted(folder), [['a', sequence]]);
  }
  heads.putBack(heads.take());
  heads.write(heads.take());
  assert.deepEqual(noted(folder), [['a', 9001]]);
});

test('openHeads(): what is said before it is done says no more than that', async (t) => {
  const folder = await freshFolder(t);
  const heads = openHeads(folder, new Map());
  t.after(() => heads.close());
  heads.set('a', { sequence: 1 });
  heads.write(heads.take());
  heads.set('a', { sequence: 2 });
  heads.say('a', { expired: true });
  const { sequence, expired } = readHeads(folder)!.heads.get('a')!;
  assert.deepEqual({ sequence, expired }, { sequence: 1, expired: true });
  heads.write(heads.take());
  assert.deepEqual(readHeads(folder)!.heads.get('a')!.sequence, 2);
});
