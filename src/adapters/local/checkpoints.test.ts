import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startCheckpoints } from './checkpoints.ts';
import { databaseName, openStore } from './stores.ts';

/** A store whose log is copied at every ten pages. */
async function open(t: TestContext, name = databaseName) {
  const folder = await mkdtemp(join(tmpdir(), 'merit-checkpoints-'));
  const store = openStore(folder, { now: () => new Date() });
  const { database, durability } = store;
  const logged: Record<string, unknown>[] = [];
  const log = (entry: Record<string, unknown>) => void logged.push(entry);
  const checkpoints = startCheckpoints({ database, durability, file: join(folder, name), log, pages: 10 });
  t.after(async () => {
    await checkpoints.close();
    await store.close();
    await rm(folder, { recursive: true });
  });
  database.exec('CREATE TABLE t (text TEXT)');
  const insert = database.prepare('INSERT INTO t VALUES (?)');
  const write = async () => {
    insert.run('x'.repeat(3000));
    await durability.synced();
  };
  const state = () => {
    const found = database.prepare('PRAGMA wal_checkpoint(NOOP)').get();
    return found as { log: number; checkpointed: number };
  };
  const bytes = async () => (await stat(join(folder, `${databaseName}-wal`))).size;
  return { write, state, bytes, logged, rows: () => database.prepare('SELECT count(*) AS n FROM t').get()!.n };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

test('startCheckpoints(): what is written comes into the database beside the event loop', async (t) => {
  const { write, state } = await open(t);
  for (let i = 0; i < 30; i++) await write();
  for (const since = performance.now(); state().log - state().checkpointed >= 10; await turn())
    assert(performance.now() - since < 20_000, JSON.stringify(state()));
});

test('startCheckpoints(): the log begins anew although somebody always writes', async (t) => {
  const { write, state, bytes, rows } = await open(t);
  let again = 0;
  let last = 0;
  for (let i = 0; i < 2000 || again < 3; i++) {
    await write();
    const { log } = state();
    if (log < last) again++;
    last = log;
    assert(i < 100_000, 'it only grows');
  }
  assert(again >= 3, `${again}`);
  assert((await bytes()) < 20_000_000 && Number(rows()) >= 2000);
});

test('startCheckpoints(): a thread that cannot open the database is told, and writes go on', async (t) => {
  const { write, logged, rows } = await open(t, 'nowhere/merit.sqlite');
  for (let i = 0; i < 30; i++) await write();
  for (const since = performance.now(); logged.length === 0; await turn()) assert(performance.now() - since < 20_000);
  assert.equal(logged[0]!.event, 'checkpoint-failed');
  await write();
  assert.equal(rows(), 31);
});
