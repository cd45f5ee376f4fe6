import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import hourly from '../../../markets/hourly.json' with { type: 'json' };
import { parseMarket } from '../../market/market.ts';
import { openHouse } from './house.ts';

const markets = [parseMarket(hourly, 'hourly.json')];
const log = () => undefined;

async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-data-'));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

test('openHouse() makes the data folder, and opens it again', async (t) => {
  const folder = join(await freshFolder(t), 'made', 'by itself');
  for (let time = 0; time < 2; time++) await (await openHouse({ folder, markets, log })).close();
});

test('openHouse(): what it holds of orders and books, their logs included, is its owner’s alone to read', async (t) => {
  const folder = await freshFolder(t);
  await chmod(folder, 0o755);
  const house = await openHouse({ folder, markets, log });
  t.after(house.close);
  await house.ports.archive.write('books/a.json', '{}');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const open: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (((await stat(path)).mode & 0o077) !== 0) open.push(entry.name);
  }
  assert.deepEqual(entries.map(({ name }) => name).sort(), [
    'a.json',
    'access.sqlite',
    'archive',
    'books',
    'heads.log',
    'lock',
    'merit.json',
    'merit.sqlite',
    'merit.sqlite-shm',
    'merit.sqlite-wal',
  ]);
  assert.deepEqual(open.sort(), ['lock', 'merit.json']); // they say nothing but whose folder it is
});

test('openHouse() refuses a data folder that another house holds, and takes it once that is closed', async (t) => {
  const folder = await freshFolder(t);
  const first = await openHouse({ folder, markets, log });
  await assert.rejects(openHouse({ folder, markets, log }), { code: 'unavailable', message: /in use/ });
  await first.close();
  await (await openHouse({ folder, markets, log })).close();
});

test('openHouse() refuses a data folder of another version, and names both', async (t) => {
  const folder = await freshFolder(t);
  await writeFile(join(folder, 'merit.json'), '{"merit":"data/99"}');
  const refused = { code: 'incompatible-data', message: /data\/99.*data\/1/ };
  await assert.rejects(openHouse({ folder, markets, log }), refused);
});

test('openHouse() refuses a folder with other things in it, and leaves it as it was', async (t) => {
  const folder = await freshFolder(t);
  await writeFile(join(folder, 'thesis.txt'), 'precious');
  await assert.rejects(openHouse({ folder, markets, log }), { code: 'incompatible-data' });
  assert.deepEqual(await readdir(folder), ['thesis.txt']);
});

test('openHouse() refuses a folder that cannot be made', async (t) => {
  const file = join(await freshFolder(t), 'file');
  await writeFile(file, '');
  for (const folder of [file, join(file, 'below')]) {
    await assert.rejects(openHouse({ folder, markets, log }), { code: 'incompatible-data', message: /file/ });
  }
});

test('openHouse() lets go of the folder when it fails', async (t) => {
  const folder = await freshFolder(t);
  await (await openHouse({ folder, markets, log })).close();
  await writeFile(join(folder, 'merit.sqlite'), 'this is no database, but long enough to be looked at as one');
  for (let time = 0; time < 2; time++) {
    await assert.rejects(openHouse({ folder, markets, log }), { code: 'incompatible-data' });
  }
});

test('openHouse() refuses two markets of one name', async (t) => {
  const folder = await freshFolder(t);
  await assert.rejects(openHouse({ folder, markets: [...markets, ...markets], log }), { code: 'invalid-market' });
});
