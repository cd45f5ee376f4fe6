/** A copy of the data folder while the house serves, a house from a copy, and the command that checks either. */

import assert from 'node:assert/strict';
import { appendFile, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { makeBackup } from '../src/adapters/local/backup/backup.ts';
import { backupHealth } from '../src/adapters/local/backup/health.ts';
import { restoreBackup } from '../src/adapters/local/backup/restore.ts';
import { startBackups } from '../src/adapters/local/backup/schedule.ts';
import { checkFolder } from '../src/adapters/local/check/folder.ts';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import type { Meter } from '../src/auction/views/metrics.ts';
import type { Receipt } from '../src/book/intake.ts';
import { serve } from '../src/server.ts';
import { run, temporaryFolder, twoHours } from './cli-house.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, submit, type TestHouse } from './support/house.ts';

/** A house with an open and a settled auction. */
async function openFilled(t: TestContext): Promise<TestHouse> {
  const house = await openTestHouse(t);
  for (const id of ['a', 'b']) {
    await hold(house.ports, id);
    await submit(house.ports, undefined, id);
  }
  await closeGate(house.ports, 'b');
  await reaches(house.ports, 'b', 'settled');
  return house;
}

const at = (minute: number): Date => new Date(Date.UTC(2025, 3, 1, 12, minute));
const faults = async (...of: Parameters<typeof checkFolder>) =>
  (await checkFolder(...of)).flatMap(({ rule, found }) => found.map(({ where }) => `${rule} ${where}`));

test('makeBackup() copies a folder that a house holds and writes to, and a house from the copy goes on', async (t) => {
  const house = await openFilled(t);
  const folder = await temporaryFolder(t);
  let isOver = false;
  const receipts: Receipt[] = [];
  const writing = (async () => {
    for (let i = 0; !isOver; i++) {
      const orders = Array.from({ length: 20 }, (_, k) => ({
        record_id: `o${i}-${k}`,
        side: 'buy',
        price: 1,
        power: 1,
      }));
      receipts.push(...(await submit(house.ports, orders)).receipts);
    }
  })();
  await until('some orders are in', async () => receipts.length > 100);
  const before = [...receipts];
  const { folder: copy } = await makeBackup({ data: house.folder, to: folder, now: at(0) });
  isOver = true;
  await writing;
  assert.equal(copy, join(folder, '2025-04-01T12-00-00.000Z'));

  const data = join(folder, 'data');
  const { ok, from, checks } = await restoreBackup(folder, data, before);
  assert.deepEqual([ok, from], [true, copy], JSON.stringify(checks));
  assert.equal(checks.find(({ rule }) => rule === 'receipts')?.checked, before.length);
  await house.reopen({ folder: data });
  assert.equal((await findAuction(house.ports, 'b')).state, 'settled');
  const { receipts: next } = await submit(house.ports, [{ record_id: 'next', side: 'buy', price: 2, power: 1 }]);
  assert(next[0]!.sequence > before.at(-1)!.sequence);
});

test('makeBackup() takes what the backup before has from there, and deletes the oldest beyond those to keep', async (t) => {
  const house = await openFilled(t);
  const to = await temporaryFolder(t);
  const backup = (minute: number) => makeBackup({ data: house.folder, to, keep: 2, now: at(minute) });
  const { folder: first } = await backup(0);
  const { folder: second } = await backup(1);
  const book = 'archive/books/b.json';
  const inode = async (folder: string) => (await stat(join(folder, book))).ino;
  assert.equal(await inode(first), await inode(second));
  assert.notEqual(await inode(first), await inode(house.folder));
  await mkdir(join(to, '2025-03-01T12-00-00.000Z.part'));
  await writeFile(join(to, 'notes.txt'), 'of somebody else');
  const { deleted } = await backup(2);
  assert.deepEqual(deleted.toSorted(), ['2025-03-01T12-00-00.000Z.part', '2025-04-01T12-00-00.000Z']);
  assert.deepEqual((await readdir(to)).sort(), ['2025-04-01T12-01-00.000Z', '2025-04-01T12-02-00.000Z', 'notes.txt']);
});

test('makeBackup() of a damaged folder keeps the copy as damaged, and deletes no good one', async (t) => {
  const house = await openFilled(t);
  const to = await temporaryFolder(t);
  await makeBackup({ data: house.folder, to, keep: 1, now: at(0) });
  await appendFile(join(house.folder, 'archive/results/b.json'), ' ');
  await rm(join(to, '2025-04-01T12-00-00.000Z', 'archive/results/b.json')); // so that it is not taken from there
  const made = makeBackup({ data: house.folder, to, keep: 1, now: at(1) });
  await assert.rejects(made, { code: 'damaged-data', message: /results\/b.json was changed/ });
  assert.deepEqual((await readdir(to)).sort(), ['2025-04-01T12-00-00.000Z', '2025-04-01T12-01-00.000Z.damaged']);
});

test('makeBackup() finds when its copy lacks what was acknowledged before it began', async (t) => {
  const house = await openFilled(t);
  const to = await temporaryFolder(t);
  const older = join(await temporaryFolder(t), 'older');
  await house.reopen({}, (folder) => cp(folder, older, { recursive: true }));
  await submit(house.ports, [{ record_id: 'more', side: 'buy', price: 1, power: 1 }]);
  await cp(join(house.folder, 'heads.log'), join(older, 'heads.log'));
  const made = makeBackup({ data: older, to, now: at(0) });
  await assert.rejects(made, { code: 'damaged-data', message: /acknowledged orders are missing/ });
});

test('restoreBackup() wants an empty folder, and leaves none to start on when a check fails', async (t) => {
  const house = await openFilled(t);
  const to = await temporaryFolder(t);
  const { folder: backup } = await makeBackup({ data: house.folder, to, now: at(0) });
  await assert.rejects(restoreBackup(to, house.folder), { code: 'conflict', message: /is not empty/ });
  await assert.rejects(restoreBackup(house.folder.slice(0, -1), join(to, 'x')), { code: 'not-found' });
  const { receipts } = await submit(house.ports, [{ record_id: 'later', side: 'buy', price: 1, power: 1 }]);
  const data = join(to, 'data');
  const { ok, checks } = await restoreBackup(backup, data, receipts);
  assert.equal(ok, false);
  assert.deepEqual(checks.at(-1)?.found, [{ where: 'a/later', message: 'there is no entry 4' }]);
  await assert.rejects(house.reopen({ folder: data }), { code: 'incompatible-data', message: /merit.json/ });
});

test('merit serve --backup makes backups by itself', async (t) => {
  const folder = await temporaryFolder(t);
  const logged: Record<string, unknown>[] = [];
  const [data, backup] = [join(folder, 'data'), join(folder, 'backups')];
  const serving = await serve({ markets: [twoHours], data, backup, port: 0, log: (entry) => logged.push(entry) });
  t.after(() => serving.close());
  const made = await until('one was made', async () => logged.find(({ event }) => event === 'backup-made'));
  assert.deepEqual(await faults(String(made.folder)), []);
  assert.deepEqual(await readdir(backup), [String(made.folder).slice(backup.length + 1)]);
  const found = await until('health has seen it', async () => {
    const health = (await (await fetch(`${serving.url}/healthz`)).json()) as {
      findings: { name: string; status: string }[];
    };
    return health.findings.find(({ name }) => name === 'backup');
  });
  assert.equal(found.status, 'ok');
  const [, age] = /^backup_age_seconds (\S+)$/m.exec(await (await fetch(`${serving.url}/metrics`)).text())!;
  assert(Number(age) < 60, age);
});

test('a house whose backups fail says how long it has had none', async (t) => {
  const house = await openFilled(t);
  const folder = await temporaryFolder(t);
  const to = join(folder, 'backups');
  const clock = { time: at(0), now: () => clock.time };
  const logged: Record<string, unknown>[] = [];
  const log = (entry: Record<string, unknown>) => logged.push(entry);
  const options = { data: house.folder, to, everyMinutes: 5, keep: 9, clock, log, lookEveryMs: 5 };
  const recorded: number[] = [];
  const meter: Meter = { record: (...[, value]) => void recorded.push(value) };
  const health = (backups: { newest(): number }) => backupHealth(backups, 5, { clock, meter });

  const first = startBackups(options);
  await until('one was made', async () => logged.some(({ event }) => event === 'backup-made'));
  await first.stop();
  clock.time = at(18);
  const second = startBackups({ ...options, data: join(folder, 'nowhere') });
  t.after(() => second.stop());
  await until('one has failed', async () => logged.some(({ event }) => event === 'backup-failed'));
  assert.deepEqual([health(second).status, recorded.at(-1)], ['ok', 18 * 60], 'one that is late is no alarm');
  clock.time = at(21);
  const { status, found, todo } = health(second);
  assert.deepEqual([status, found], ['warning', 'there has been no good backup for 21 minutes; one is due every 5']);
  assert.match(todo!, /backup-failed/);
});

test('startBackups() makes one when the last is old enough, whatever the clock did before, and waits after one that failed', async (t) => {
  const house = await openFilled(t);
  const to = await temporaryFolder(t);
  await mkdir(join(to, '2031-01-01T00-00-00.000Z')); // made by a wrong clock
  const clock = { time: at(0), now: () => clock.time };
  const logged: Record<string, unknown>[] = [];
  const log = (entry: Record<string, unknown>) => logged.push(entry);
  const backups = startBackups({ data: house.folder, to, everyMinutes: 5, keep: 9, clock, log, lookEveryMs: 5 });
  t.after(() => backups.stop());
  const count = (wanted: number) => until(`${wanted} are told of`, async () => logged.length >= wanted);
  await count(1);
  clock.time = at(5);
  await count(2);
  await rm(join(house.folder, 'heads.log'));
  clock.time = at(10);
  await count(3);
  clock.time = at(16);
  await count(4);
  assert.deepEqual(
    logged.map(({ event }) => event),
    ['backup-made', 'backup-made', 'backup-failed', 'backup-failed'],
  );
  const names = (await readdir(to)).map((name) => name.replace(/^2025-04-01T12-|\.000Z/g, ''));
  assert.deepEqual(names.sort(), ['00-00', '05-00', '10-00.damaged', '16-00.damaged', '2031-01-01T00-00-00']);
});

test('merit check: a table, and exit code 1 that names what is wrong, while a house has the folder or not', async (t) => {
  const house = await openFilled(t);
  const good = await run(['check', house.folder, '--verify']);
  assert.equal(good.code, 0, good.err + good.out);
  assert.match(good.out, /intake +orders lead to the hashes of their receipts +2 +ok/);
  const { receipts } = await submit(house.ports);
  const file = join(house.folder, 'receipts.json');
  await writeFile(file, JSON.stringify({ receipts: [...receipts, { ...receipts[0], hash: 'sha256:00' }] }));
  const database = new DatabaseSync(join(house.folder, 'merit.sqlite'));
  database.exec(`UPDATE entries SET body = json_set(body, '$.price', 19) WHERE auction = 'b' AND sequence = 2`);
  database.close();
  const page = join(house.folder, 'archive/orders/b/accepted/page-00001.json');
  await writeFile(page, (await readFile(page, 'utf8')).replace('"power":40', '"power":41'));
  const bad = await run(['check', house.folder, '--receipts', file, '--json']);
  assert.equal(bad.code, 1);
  const { ok, checks } = JSON.parse(bad.out) as { ok: boolean; checks: Awaited<ReturnType<typeof checkFolder>> };
  const found = checks.flatMap((check) =>
    check.found.map(({ where, message }) => `${check.rule} ${where}: ${message}`),
  );
  assert.equal(ok, false);
  assert.equal(found.length, 3, found.join('\n'));
  assert.match(found[0]!, /^intake b: entry 2 was changed: its stored hash is sha256:/);
  assert.match(found[1]!, /^outcomes orders\/b\/accepted\/page-00001.json was changed|^outcomes orders\/b\/accepted/);
  assert.match(found[2]!, /^receipts a\/plant: entry 1 has the hash sha256:.*, the receipt sha256:00/);
  assert.equal((await run(['check', join(house.folder, 'archive')])).code, 2);
});

test('merit verify --receipts: a receipt fits the published book, or it is told what does not', async (t) => {
  const house = await openTestHouse(t);
  await hold(house.ports);
  const { receipts } = await submit(house.ports);
  await closeGate(house.ports, 'a');
  await reaches(house.ports, 'a', 'settled');
  const archived = (name: string) => join(house.folder, 'archive', name, 'a.json');
  const file = join(house.folder, 'receipts.json');
  const verify = async (held: readonly object[]) => {
    await writeFile(file, JSON.stringify(held));
    return run(['verify', archived('books'), archived('results'), '--receipts', file]);
  };
  const good = await verify(receipts);
  assert.equal(good.code, 0, good.out);
  assert.match(good.out, /receipts +these receipts fit the book +3 +ok/);
  const [one, two] = receipts as [object, object];
  const others = [
    { ...one, hash: 'sha256:00' },
    { ...two, participant: 'q' },
    { ...one, sequence: 9 },
    { ...one, auction: 'b' },
  ];
  const bad = await verify(others);
  assert.equal(bad.code, 1);
  for (const said of [
    /after entry 1, the receipt has sha256:00/,
    /entry 2 of the book is order load of p/,
    /no entry 9/,
    /of auction b, the book of a/,
  ])
    assert.match(bad.out, said);
  assert.equal((await verify([{ hash: 1 }])).code, 2);
});

test('checkFolder() names a database whose tables cannot be made out, or that is none', async (t) => {
  const house = await openFilled(t);
  const copy = join(await temporaryFolder(t), 'copy');
  await house.reopen({}, (folder) => cp(folder, copy, { recursive: true }));
  const file = join(copy, 'merit.sqlite');
  const bytes = await readFile(file);
  // Of what was dropped and made again there may be an older copy, which nobody reads.
  const text = 'CREATE INDEX entries_naming_loopWith';
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + 1)) bytes[at + 8] = 0x21;
  await writeFile(file, bytes);
  assert.deepEqual(await faults(copy), ['database merit.sqlite']);
  await writeFile(file, bytes.fill(0x61, 0, 100));
  assert.deepEqual(await faults(copy), ['database merit.sqlite']);
});
