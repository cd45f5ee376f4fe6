/** `checkFolder()` on a data folder with an open, a settled and an idle auction: nothing is found in it, and each damage by the rule that it breaks. */

import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { hold, openTestHouse, reaches, submit } from '../../../../test/support/house.ts';
import type { Auction } from '../../../auction/auction.ts';
import { closeGate } from '../../../auction/auctions.ts';
import { canonical } from '../../../book/canonical.ts';
import type { Receipt } from '../../../book/intake.ts';
import { recordHash } from '../auction-store.ts';
import { readHeads, writeHeads } from '../heads.ts';
import { databaseName, layout } from '../stores.ts';
import { checkFolder, type FolderCheckOptions } from './folder.ts';

interface Base {
  readonly folder: string;
  readonly receipts: readonly Receipt[];
}

const sql = (folder: string, text: string, name = databaseName): void => {
  const database = new DatabaseSync(join(folder, name));
  database.exec(text);
  database.close();
};

/** Of a house that has closed, with an auction in which nobody trades, with a file of clients and keys. */
async function makeBase(t: TestContext): Promise<Base> {
  const house = await openTestHouse(t);
  const receipts: Receipt[] = [];
  for (const id of ['open', 'settled']) {
    await hold(house.ports, id);
    receipts.push(...(await submit(house.ports, undefined, id)).receipts);
  }
  await hold(house.ports, 'idle');
  await submit(house.ports, [{ record_id: 'alone', side: 'buy', price: 5, power: 1 }], 'idle');
  for (const id of ['settled', 'idle']) {
    await closeGate(house.ports, id);
    await reaches(house.ports, id, 'settled');
  }
  const folder = await mkdtemp(join(tmpdir(), 'merit-check-'));
  t.after(() => rm(folder, { recursive: true }));
  await house.reopen({}, (closed) => cp(closed, folder, { recursive: true }));
  return { folder, receipts };
}

/** Writes the record of the settled auction as the house would. */
function rewrite(folder: string, change: (auction: Auction) => Auction): void {
  const database = new DatabaseSync(join(folder, databaseName));
  const row = database.prepare(`SELECT body, revision FROM auctions WHERE id = 'settled'`).get();
  const { body, revision } = row as { body: string; revision: number };
  const auction = change(JSON.parse(body) as Auction);
  const text = canonical(auction);
  database
    .prepare(`UPDATE auctions SET state = ?, body = ?, revision = ?, hash = ? WHERE id = 'settled'`)
    .run(auction.state, text, revision + 1, recordHash(revision + 1, text));
  database.close();
}

/** With its workflow at work. */
const isState = (state: Auction['state']) => (folder: string) => {
  rewrite(folder, (auction) => ({ ...auction, state }));
  sql(folder, `UPDATE executions SET status = 'running'`);
};

/** In `heads.log`, that the time of the settled auction's orders is over. */
function expire(folder: string): void {
  const heads = new Map(readHeads(folder)!.heads);
  heads.set('settled', { ...heads.get('settled')!, expired: true });
  writeHeads(folder, heads);
}

const at = (path: string, change: (bytes: Buffer) => Buffer) => async (folder: string) => {
  const file = join(folder, path);
  await writeFile(file, change(await readFile(file)));
};
const accepted = 'archive/orders/settled/accepted/page-00001.json';
const ended = `UPDATE executions SET status = 'failed'`;

/** What is done to the folder, and all that is found then: `rule where: message`. */
const damages: readonly (readonly [what: string, damage: (folder: string) => unknown, ...found: RegExp[]])[] = [
  ['no database', (folder) => rm(join(folder, databaseName)), /^database .*there are 3 auctions in heads.log$/],
  ['an empty database', (folder) => truncate(join(folder, databaseName), 0), /^database merit.sqlite: it is empty$/],
  [
    'a database of another layout',
    (folder) => sql(folder, `PRAGMA user_version = ${layout + 1}`),
    new RegExp(`^database .*it has layout ${layout + 1}, this program checks ${layout}`),
  ],
  ['no index', (folder) => sql(folder, 'DROP INDEX entries_by_record'), /^database .*it has no entries_by_record$/],
  ['clients that cannot be read', at('access.sqlite', (bytes) => bytes.fill(0xff, 100, 4096)), /^access access.sqlite/],
  [
    'a page of the clients that nothing uses',
    at('access.sqlite', (bytes) => {
      bytes.writeUInt32BE(bytes.readUInt32BE(28) + 1, 28); // the number of pages
      return Buffer.concat([bytes, Buffer.alloc(4096)]);
    }),
    /^access access.sqlite: .*never used$/s,
  ],
  [
    'orders of no auction',
    (folder) => sql(folder, `DELETE FROM auctions WHERE id = 'open'`),
    /^heads open: the auction is missing/,
    /^owners open: there are orders of it/,
  ],
  [
    'a tree that the sealed book does not have',
    (folder) =>
      rewrite(folder, (auction) => ({ ...auction, tree: { ...auction.tree!, root: `sha256:${'0'.repeat(64)}` } })),
    /^books books\/settled.json: the tree of its entries has the root sha256:.*, signed was sha256:000/,
  ],
  ['the accepted orders are gone', (folder) => rm(join(folder, accepted)), /^outcomes orders\/settled\/accepted/],
  [
    'the accepted orders are others',
    at(accepted, (bytes) => Buffer.from(bytes.toString().replace('"power":40', '"power":41'))),
    /^outcomes orders\/settled\/accepted.*was changed/,
  ],
  [
    'the accepted orders of an auction that is not settled are not there yet',
    async (folder) => {
      isState('final')(folder);
      await rm(join(folder, accepted));
    },
  ],
  [
    'an auction that waits for a result, and whose workflow has ended',
    (folder) => {
      isState('clearing')(folder);
      sql(folder, ended);
    },
    /^workflows settled: it is clearing, and its workflow is said to have failed$/,
  ],
  ['an auction that waits for a result, and whose workflow is at work', isState('clearing')],
  [
    'an auction that waits for a result, and whose workflow has not begun',
    (folder) => {
      isState('clearing')(folder);
      sql(folder, 'DELETE FROM executions');
    },
  ],
  ['an auction that has ended, as its workflow has', (folder) => sql(folder, ended)],
  [
    'book and result of an open auction',
    isState('open'),
    /^sealed books\/settled.json: .*the auction is open$/,
    /^sealed results\/settled.json: .*the auction is open$/,
  ],
  [
    'book and result of an auction that is not open yet',
    isState('scheduled'),
    /^sealed books\/settled.json: .*the auction is scheduled$/,
    /^sealed results\/settled.json: .*the auction is scheduled$/,
  ],
  ['a result of a closed auction', isState('closed'), /^sealed results\/settled.json: .*the auction is closed$/],
  [
    'the orders of a settled auction are gone',
    (folder) => sql(folder, `DELETE FROM entries WHERE auction = 'settled'`),
    /^heads settled: acknowledged orders are missing: its intake ends at entry 0, acknowledged were 3/,
  ],
  [
    'the orders of a settled auction are gone, and their time is over',
    (folder) => {
      expire(folder);
      sql(folder, `DELETE FROM entries WHERE auction = 'settled'`);
    },
  ],
  [
    'the last order of a settled auction is gone, and their time is over',
    (folder) => {
      expire(folder);
      sql(folder, `DELETE FROM entries WHERE auction = 'settled' AND sequence = 3`);
    },
    /^heads settled: acknowledged orders are missing: its intake ends at entry 2, acknowledged were 3/,
    /^books books\/settled.json: its intake has the hash .*, the database has /,
  ],
];

/** As `rule where: message`. */
async function foundIn(folder: string, options: FolderCheckOptions = {}): Promise<string[]> {
  const checks = await checkFolder(folder, options);
  return checks.flatMap(({ rule, found }) => found.map(({ where, message }) => `${rule} ${where}: ${message}`));
}

test('checkFolder() finds what was damaged, by the rule that it breaks', async (t) => {
  const { folder, receipts } = await makeBase(t);
  const trial = `${folder}-trial`;
  t.after(() => rm(trial, { recursive: true, force: true }));
  assert.deepEqual(await foundIn(folder, { receipts, verified: true }), []);
  for (const [what, damage, ...expected] of damages) {
    await rm(trial, { recursive: true, force: true });
    await cp(folder, trial, { recursive: true });
    await damage(trial);
    const found = await foundIn(trial, { receipts: [], verified: true });
    assert.equal(found.length, expected.length, `${what}: ${found.join('; ')}`);
    for (const [k, each] of found.entries()) assert.match(each, expected[k]!, what);
  }
});

test('checkFolder() holds receipts to the entries, and to the sealed book once these are gone', async (t) => {
  const { folder, receipts } = await makeBase(t);
  const [open, settled] = ['open', 'settled'].map((id) => receipts.find(({ auction }) => auction === id)!);
  const forged = [open!, settled!].map((each) => ({ ...each, hash: 'sha256:0' }));
  const late = { ...open!, sequence: 9 };
  expire(folder);
  for (const isGone of [false, true]) {
    if (isGone) sql(folder, `DELETE FROM entries WHERE auction = 'settled'`);
    assert.deepEqual(await foundIn(folder, { receipts }), []);
    assert.deepEqual(await foundIn(folder, { receipts: [...forged, late] }), [
      `receipts open/plant: entry 1 has the hash ${open!.hash}, the receipt sha256:0`,
      `receipts settled/plant: entry 1 has the hash ${settled!.hash}, the receipt sha256:0`,
      'receipts open/plant: there is no entry 9',
    ]);
  }
});

test('checkFolder() holds a copy to what was acknowledged before it was made', async (t) => {
  const { folder } = await makeBase(t);
  const head = readHeads(folder)!.heads.get('open')!;
  const foundAfter = (change: object) => foundIn(folder, { acknowledged: new Map([['open', { ...head, ...change }]]) });
  assert.deepEqual(await foundAfter({}), []);
  assert.deepEqual(await foundAfter({ revision: 0, sequence: 2 }), []);
  assert.match(
    (await foundAfter({ revision: head.revision + 1 })).join(),
    /^heads open: the database has revision 2 of it, which is older/,
  );
  assert.match((await foundAfter({ sequence: 4 })).join(), /^heads open: .* ends at entry 3, acknowledged were 4/);
});
