/** What every `Archive` keeps of its promises. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Archive } from '../../src/auction/ports.ts';

export function archiveCases(name: string, open: (t: TestContext) => Promise<Archive>): void {
  test(`${name}: read() has what was written, and nothing where nothing was`, async (t) => {
    const archive = await open(t);
    await archive.write('books/a1.json', '{"é":1}');
    assert.equal(await archive.read('books/a1.json'), '{"é":1}');
    assert.equal(await archive.read('books/a2.json'), undefined);
  });

  test(`${name}: write() of the same bytes is a no-op, of others a conflict: what is there never changes`, async (t) => {
    const archive = await open(t);
    await archive.write('books/a1.json', 'one');
    await archive.write('books/a1.json', 'one');
    await assert.rejects(archive.write('books/a1.json', 'other'), { code: 'conflict' });
    assert.equal(await archive.read('books/a1.json'), 'one');
  });

  test(`${name}: of writers that race with other bytes one is first`, async (t) => {
    const archive = await open(t);
    const writes = await Promise.allSettled(['1', '2', '3', '4'].map((text) => archive.write('results/a1.json', text)));
    assert.equal(writes.filter(({ status }) => status === 'fulfilled').length, 1);
    const first = writes.findIndex(({ status }) => status === 'fulfilled');
    assert.equal(await archive.read('results/a1.json'), String(first + 1));
  });

  test(`${name}: list() has the keys of a prefix, sorted, and no unfinished ones`, async (t) => {
    const archive = await open(t);
    assert.deepEqual(await archive.list('orders/'), []);
    for (const key of ['orders/a1/page-2.json', 'orders/a1/page-1.json', 'orders/a2/page-1.json', 'books/a1.json']) {
      await archive.write(key, key);
    }
    assert.deepEqual(await archive.list('orders/a1/'), ['orders/a1/page-1.json', 'orders/a1/page-2.json']);
    assert.equal((await archive.list('')).length, 4);
  });

  test(`${name}: a key is no way out of the archive`, async (t) => {
    const archive = await open(t);
    for (const key of ['../a', 'a/../../b', '/etc/passwd', 'a//b', '', 'a/..', '.', 'a\u0000b']) {
      await assert.rejects(archive.write(key, 'x'), { code: 'invalid-request' }, key);
      await assert.rejects(archive.read(key), { code: 'invalid-request' }, key);
    }
  });
}
