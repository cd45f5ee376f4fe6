import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/ports/workflow.cases.ts';
import { AuctionError } from '../../market/errors.ts';
import {
  betweenTriesMs,
  isLocked,
  isMachineFault,
  notWritten,
  patienceMs,
  patient,
  unusableFile,
} from './unavailable.ts';

const ofSqlite = (errcode: number): Error =>
  Object.assign(new Error(`sqlite ${errcode}`), { code: 'ERR_SQLITE_ERROR', errcode });
const ofSystem = (code: string): Error => Object.assign(new Error(code), { code });

test('isMachineFault(): what the machine cannot do now, by itself or as a cause, and nothing else', () => {
  // 517 is a snapshot that is busy (5), 1546 an I/O error (10) of a truncation, 1299 a column that must not be null (19).
  for (const error of [5, 6, 7, 8, 10, 13, 14, 15, 517, 1546].map(ofSqlite))
    assert(isMachineFault(error), error.message);
  for (const error of [1, 11, 19, 26, 1299].map(ofSqlite)) assert(!isMachineFault(error), error.message);
  for (const code of ['ENOSPC', 'EROFS', 'EIO', 'ENOTDIR']) assert(isMachineFault(ofSystem(code)), code);
  for (const code of ['ENOENT', 'EEXIST', 'ERR_ASSERTION']) assert(!isMachineFault(ofSystem(code)), code);
  assert(isMachineFault(new AuctionError('unavailable', 'not now')));
  assert(!isMachineFault(new AuctionError('conflict', 'another')));
  assert(isMachineFault(Object.assign(new Error('as another thread says it'), { name: 'Unavailable' })));
  assert(isMachineFault(new Error('around it', { cause: ofSqlite(13) })));
  assert(!isMachineFault(new Error('around it', { cause: ofSqlite(1) })));
  assert(!isMachineFault({ code: 'ENOSPC' }));
});

test('isLocked(): another process has the database, or a part of it', () => {
  assert.deepEqual([5, 6, 517, 262].map(ofSqlite).map(isLocked), [true, true, true, true]);
  assert.deepEqual([ofSqlite(10), ofSqlite(13), ofSystem('EBUSY'), new Error('no'), { errcode: 5 }].map(isLocked), [
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('notWritten(): an error that says so itself stays as it is', () => {
  const own = new AuctionError('gate-closed', 'too late');
  assert.equal(notWritten(own), own);
  const other = notWritten(ofSqlite(13));
  assert.deepEqual([other.code, other.message], ['unavailable', "the store can't write: sqlite 13"]);
});

/** A port whose method fails with these, one a call, and then answers. */
const failing = (...errors: unknown[]) => {
  const left = [...errors];
  let calls = 0;
  const port = patient({
    ask: async (what: string) => {
      calls++;
      if (left.length > 0) throw left.shift();
      return `answered ${what}`;
    },
  });
  return { port, calls: () => calls };
};

test('patient(): a call waits for the lock of another process, told as itself or as a cause', async () => {
  const { port, calls } = failing(ofSqlite(5), notWritten(ofSqlite(6)), ofSqlite(5));
  const since = performance.now();
  assert.equal(await port.ask('a'), 'answered a');
  assert.equal(calls(), 4);
  assert(performance.now() - since >= 3 * betweenTriesMs - 5);
});

test('patient(): what is no lock is told at once, the machine’s as `unavailable`', async () => {
  const full = failing(ofSqlite(13));
  await assert.rejects(full.port.ask('a'), { code: 'unavailable', message: "the store can't be used: sqlite 13" });
  assert.equal(full.calls(), 1);
  for (const error of [
    new AuctionError('conflict', 'another'),
    notWritten(ofSqlite(13)),
    new TypeError('ours'),
    ofSqlite(1),
  ]) {
    const { port, calls } = failing(error);
    await assert.rejects(port.ask('a'), (thrown) => thrown === error);
    assert.equal(calls(), 1);
  }
});

test('patient(): a lock that stays is told once patience is over', async (t) => {
  let ms = 1000;
  t.mock.method(performance, 'now', () => ms);
  const { port, calls } = failing(...Array.from({ length: 9 }, () => ofSqlite(5)));
  const asked = port.ask('a');
  ms += patienceMs - 1;
  await until('it has tried again', async () => calls() > 1 || undefined);
  ms += 1;
  await assert.rejects(asked, { code: 'unavailable' });
});

test('unusableFile() says what helps where the bytes are not what they were, and there alone', () => {
  const said = (errcode: number) => unusableFile('/data', 'x.sqlite', ofSqlite(errcode)).message;
  for (const errcode of [11, 26])
    assert.match(said(errcode), /^x.sqlite can't be used: sqlite \d+\. It is damaged, .*\/data$/);
  assert.equal(said(14), "x.sqlite can't be used: sqlite 14");
});
