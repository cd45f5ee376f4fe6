/**
 * Damage by the hundred: flips, cuts, deletions, changes by SQL and older copies, to a data folder with an open auction, one that is
 * being cleared, one that is being settled and one that is settled.
 *
 * Each is noticed and named: the start is refused, the auction fails, a read answers an error, or `merit check` says so; or it is
 * harmless, and then prices, outcomes and receipts are exactly as without it. Whatever happens, nothing else than the truth is ever
 * served. RUNS says how many (default 120), SEED which.
 */

import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { checkFolder } from '../../src/adapters/local/check/folder.ts';
import { openHouse } from '../../src/adapters/local/house.ts';
import { closeGate, findAuction } from '../../src/auction/auctions.ts';
import { cancelOrder } from '../../src/auction/intake/cancel-order.ts';
import { listOrders } from '../../src/auction/intake/find-order.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { keepTime } from '../../src/auction/schedule/keep-time.ts';
import { readBook, readResult } from '../../src/auction/views/results.ts';
import type { Receipt } from '../../src/book/intake.ts';
import { receiptFaults } from '../../src/book/receipts.ts';
import { AuctionError } from '../../src/market/errors.ts';
import { until } from '../ports/workflow.cases.ts';
import { hold, openTestHouse, reaches, start, submit, testMarket } from '../support/house.ts';
import { Dice } from '../support/random-orders.ts';

const runs = Number(process.env.RUNS || 120);
const seed = Number(process.env.SEED || Math.floor(Math.random() * 2 ** 31));
const ids = ['open', 'clearing', 'final', 'settled'] as const;

/** Folders of one house: as it was closed, as a kill left it, and as both were some time before. */
interface Bases {
  readonly closed: string;
  readonly killed: string;
  readonly older: string;
  readonly receipts: ReadonlyMap<string, readonly Receipt[]>;
}

async function makeBases(t: TestContext): Promise<Bases> {
  const root = await mkdtemp(join(tmpdir(), 'merit-damage-'));
  t.after(() => rm(root, { recursive: true }));
  const [closed, killed, older] = ['closed', 'killed', 'older'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  const late = testMarket({ market: 'late', rehearsal: { lateResults: { probability: 1, seed: 1 } } });
  const house = await openTestHouse(t, {
    markets: [testMarket(), late],
    waits: { WaitForResults: 100_000, SettlePage: 100_000 },
  });
  const receipts = new Map<string, Receipt[]>(ids.map((id) => [id, []]));
  const dice = new Dice(7);
  const fill = async (id: string, from: number, count: number) => {
    const orders = Array.from({ length: count }, (_, k) => ({
      record_id: `${id}-${from + k}`,
      side: k % 2 ? 'buy' : 'sell',
      price: dice.whole(0, 9000) / 100,
      power: dice.whole(1, 50) / 10,
    }));
    receipts.get(id)!.push(...(await submit(house.ports, orders, id)).receipts);
  };
  for (const id of ids) {
    await hold(house.ports, id, id === 'clearing' ? { market: 'late' } : {});
    await fill(id, 0, 20);
    receipts.get(id)!.push(await cancelOrder(house.ports, 'p', `${id}-3`, id));
  }
  await house.reopen({}, (folder) => cp(folder, older, { recursive: true }));
  for (const id of ids) await fill(id, 20, 20);
  await closeGate(house.ports, 'settled');
  await reaches(house.ports, 'settled', 'settled');
  const { archive } = house.ports;
  const write = archive.write.bind(archive);
  archive.write = async (key, text) => {
    if (key.startsWith('orders/final/accepted')) throw new AuctionError('unavailable', 'not now');
    return write(key, text);
  };
  await closeGate(house.ports, 'final');
  await reaches(house.ports, 'final', 'final');
  await closeGate(house.ports, 'clearing');
  await reaches(house.ports, 'clearing', 'clearing');
  await until('it waits for results', async () => {
    const history = await house.ports.workflow.history('clearing-1');
    return history?.some(({ state }) => state === 'WaitForResults');
  });
  await cp(house.folder, killed, { recursive: true });
  await house.reopen({}, (folder) => cp(folder, closed, { recursive: true }));
  return { closed, killed, older, receipts };
}

/** What can be read of an auction once it has ended: parts by name, or why not. */
type Reading = Readonly<Record<string, unknown>>;
class Refused {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

async function readingOf(ports: Ports, id: string): Promise<Reading> {
  const attempt = async (read: () => Promise<unknown>): Promise<unknown> => {
    try {
      return await read();
    } catch (error) {
      assert(error instanceof AuctionError, (error as Error).stack);
      assert.match(error.code, /damaged-data|not-found|wrong-state/, error.message);
      return new Refused(error.message);
    }
  };
  return {
    state: await attempt(async () => (await findAuction(ports, id)).state),
    book: await attempt(() => readBook(ports, id)),
    result: await attempt(() => readResult(ports, id)),
    orders: await attempt(() => listOrders(ports, id)),
  };
}

/** Start a house on a folder, let everything end, and read what it serves. */
async function lifeOn(folder: string): Promise<{ refused: string } | { readings: Map<string, Reading> }> {
  const clock = { now: () => new Date(start) };
  const markets = [testMarket(), testMarket({ market: 'late' })];
  const waits = { WaitForResults: 0, SettlePage: 0 };
  let house: Awaited<ReturnType<typeof openHouse>>;
  try {
    house = await openHouse({ folder, markets, clock, log: () => undefined, waits });
  } catch (error) {
    assert(error instanceof AuctionError, (error as Error).stack);
    assert.match(error.code, /damaged-data|incompatible-data/, error.message);
    return { refused: error.message };
  }
  try {
    const { ports } = house;
    await closeGate(ports, 'open').catch((error: unknown) => assert(error instanceof AuctionError, String(error)));
    const readings = new Map<string, Reading>();
    for (const id of ids) {
      await until(`${id} has ended`, async () => {
        await keepTime(ports);
        const { state } = await findAuction(ports, id);
        return state === 'settled' || state === 'failed' || state === 'cancelled';
      });
      readings.set(id, await readingOf(ports, id));
    }
    return { readings };
  } finally {
    await house.close();
  }
}

type Damage = (folder: string, dice: Dice, bases: Bases) => Promise<string>;

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const all = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  return all.filter((name) => !/lock$|-shm$/.test(name)).sort();
}

/** A database as often as the whole archive: it has most of what can go wrong. */
async function aFile(folder: string, dice: Dice): Promise<string> {
  const files = await filesOf(folder);
  const [own, archive] = [
    files.filter((name) => !name.startsWith('archive')),
    files.filter((name) => name.startsWith('archive')),
  ];
  return dice.pick(dice.chance(0.5) ? own : archive);
}

const bytesOf = async (folder: string, dice: Dice, change: (bytes: Buffer) => string): Promise<string> => {
  const name = await aFile(folder, dice);
  const bytes = await readFile(join(folder, name));
  const what = bytes.length === 0 ? 'left alone, it is empty' : change(bytes);
  await writeFile(join(folder, name), bytes);
  return `${name}: ${what}`;
};

const someSequence = (dice: Dice) => dice.whole(1, 41);
/** Statements over the tables that matter; `A` stands for an auction, `N` for one of its entries. */
const statements = [
  `UPDATE entries SET body = json_set(body, '$.price', 19.5) WHERE auction = A AND sequence = N`,
  `UPDATE entries SET body = json_set(body, '$.power', 99) WHERE auction = A AND sequence = N`,
  `UPDATE entries SET participant = 'mallory' WHERE auction = A AND sequence = N`,
  `UPDATE entries SET received_at = '2025-04-01T10:00:00.000Z' WHERE auction = A AND sequence = N`,
  `UPDATE entries SET hash = 'sha256:00' WHERE auction = A AND sequence = N`,
  `UPDATE entries SET record_id = 'other' WHERE auction = A AND sequence = N`,
  'UPDATE entries SET cancelled = 1 - cancelled WHERE auction = A AND sequence = N AND body IS NOT NULL',
  `UPDATE entries SET auction = 'gone' WHERE auction = A`,
  'DELETE FROM entries WHERE auction = A AND sequence = N',
  'DELETE FROM entries WHERE auction = A AND sequence > N',
  'DELETE FROM entries WHERE auction = A',
  'DELETE FROM entries WHERE auction = A AND body IS NULL',
  `UPDATE auctions SET body = json_set(body, '$.gateClosure', '2040-01-01T00:00:00Z') WHERE id = A`,
  `UPDATE auctions SET body = json_set(body, '$.state', 'settled') WHERE id = A`,
  `UPDATE auctions SET body = json_set(body, '$.terms.priceLimits.max', 50) WHERE id = A`,
  `UPDATE auctions SET body = json_remove(body, '$.book', '$.result', '$.pages') WHERE id = A`,
  `UPDATE auctions SET state = 'settled' WHERE id = A`,
  `UPDATE auctions SET revision = revision + 1 WHERE id = A`,
  `UPDATE auctions SET body = (SELECT body FROM auctions WHERE id = 'settled') WHERE id = A`,
  'DELETE FROM auctions WHERE id = A',
  `UPDATE auctions SET body = replace(body, '"state"', '"sta te') WHERE id = A`,
  'DELETE FROM executions WHERE auction = A',
  `UPDATE executions SET status = 'succeeded' WHERE auction = A`,
  `UPDATE executions SET status = 'failed', cause = 'made up' WHERE auction = A`,
  'DELETE FROM execution_events',
  'DELETE FROM notices',
  'DROP TABLE entries',
  'DROP INDEX entries_by_record',
];

const damages: Record<string, Damage> = {
  flip: (folder, dice) =>
    bytesOf(folder, dice, (bytes) => {
      const [at, bit] = [dice.whole(0, bytes.length - 1), dice.whole(0, 7)];
      bytes[at]! ^= 1 << bit;
      return `bit ${bit} of byte ${at} flipped`;
    }),
  blank: (folder, dice) =>
    bytesOf(folder, dice, (bytes) => {
      const at = 512 * Math.floor(dice.whole(0, bytes.length - 1) / 512);
      bytes.fill(0, at, Math.min(at + 512, bytes.length));
      return `512 bytes from ${at} blanked`;
    }),
  async cut(folder, dice) {
    const name = await aFile(folder, dice);
    const { length } = await readFile(join(folder, name));
    const left = dice.whole(0, Math.max(0, length - 1));
    await truncate(join(folder, name), left);
    return `${name} cut from ${length} to ${left} bytes`;
  },
  async deletion(folder, dice) {
    const name = await aFile(folder, dice);
    await rm(join(folder, name));
    return `${name} deleted`;
  },
  async sql(folder, dice) {
    const text = dice
      .pick(statements)
      .replaceAll(/\bA\b/g, `'${dice.pick(ids)}'`)
      .replaceAll(/\bN\b/g, String(someSequence(dice)));
    const database = new DatabaseSync(join(folder, 'merit.sqlite'));
    database.exec(text);
    database.close();
    return text;
  },
  async older(folder, dice, { older }) {
    const kind = dice.pick(['a file', 'database', 'database and heads']);
    // A database is never put beside the log of another.
    const names =
      kind === 'a file'
        ? [dice.pick(await filesOf(older))]
        : ['merit.sqlite', ...(kind === 'database' ? [] : ['heads.log'])];
    if (names.includes('merit.sqlite') && dice.chance(0.7)) await rm(join(folder, 'merit.sqlite-wal'), { force: true });
    for (const name of names) await cp(join(older, name), join(folder, name));
    return `older copy of ${names.join(' and ')}`;
  },
  async swap(folder, dice) {
    const files = (await filesOf(folder)).filter((name) => name.startsWith('archive'));
    const [one, other] = [dice.pick(files), dice.pick(files)];
    const [first, second] = [await readFile(join(folder, one)), await readFile(join(folder, other))];
    await writeFile(join(folder, one), second);
    await writeFile(join(folder, other), first);
    return `${one} and ${other} swapped`;
  },
};

/** What is served is the truth, or an error that says what is wrong. @returns what is not served any more, and why */
function compared(readings: Map<string, Reading>, truth: Map<string, Reading>, bases: Bases): string[] {
  const told: string[] = [];
  for (const [id, reading] of readings) {
    const whole = truth.get(id)!;
    for (const [part, value] of Object.entries(reading)) {
      if (isDeepStrictEqual(value, whole[part])) continue;
      if (value instanceof Refused) told.push(`${id}/${part}: ${value.why}`);
      else if (part === 'state') told.push(`${id} is ${value}`);
      else {
        // Orders of a failed auction have no outcome; else a list may only lack what `merit check` names.
        assert.equal(part, 'orders', `${id}: another ${part} is served: ${JSON.stringify(value).slice(0, 300)}`);
        const known = new Map((whole.orders as { record_id: string }[]).map((order) => [order.record_id, order]));
        for (const order of value as { record_id: string; state: string; outcome?: object }[]) {
          const { state: _, outcome, leftOut: __, ...rest } = order as typeof order & { leftOut?: string };
          const { state: ___, outcome: expected, ...own } = known.get(order.record_id)! as typeof order;
          assert.deepEqual(rest, own, `${id}: another order is served`);
          if (outcome !== undefined) assert.deepEqual(outcome, expected, `${id}: another outcome is served`);
        }
        told.push(`${id}: orders are missing, or without their outcome`);
      }
    }
    const { book } = reading;
    if (book !== undefined && !(book instanceof Refused))
      assert.deepEqual(receiptFaults(book as Parameters<typeof receiptFaults>[0], bases.receipts.get(id)!), []);
  }
  return told;
}

test(`${runs} damages by seed ${seed}: each is noticed and named, or harmless; nothing but the truth is served`, async (t) => {
  const bases = await makeBases(t);
  const trial = `${bases.closed}-trial`;
  const begin = async (base: string) => {
    await rm(trial, { recursive: true, force: true });
    await cp(base, trial, { recursive: true });
  };
  const truths = new Map<string, Map<string, Reading>>();
  for (const base of [bases.closed, bases.killed]) {
    await begin(base);
    assert((await checkFolder(trial)).every(({ found }) => found.length === 0));
    const life = await lifeOn(trial);
    assert('readings' in life, JSON.stringify(life));
    for (const [id, reading] of life.readings) assert.equal(reading.state, 'settled', id);
    truths.set(base, life.readings);
  }
  assert.deepEqual(compared(truths.get(bases.killed)!, truths.get(bases.closed)!, bases), []);

  const counts = new Map<string, number>();
  for (let run = 0; run < runs; run++) {
    const dice = new Dice(seed + run);
    const base = dice.chance(0.5) ? bases.closed : bases.killed;
    const kind = dice.pick(Object.keys(damages));
    await begin(base);
    const what = `SEED=${seed + run} RUNS=1: ${base === bases.killed ? 'killed' : 'closed'}, ${await damages[kind]!(trial, dice, bases)}`;
    try {
      const checked = await checkFolder(trial).then(
        (checks) => checks.flatMap(({ found }) => found.map(({ where, message }) => `${where}: ${message}`)),
        (error: Error) => {
          assert(error instanceof AuctionError, error.stack);
          return [error.message];
        },
      );
      const life = await lifeOn(trial);
      const told = 'refused' in life ? [life.refused] : compared(life.readings, truths.get(base)!, bases);
      const outcome =
        'refused' in life ? 'start refused' : told.length > 0 ? 'told' : checked.length > 0 ? 'checked' : 'harmless';
      if (told.length > 0) assert(checked.length > 0, `the check finds nothing, but: ${told.join('; ')}`);
      counts.set(`${kind}: ${outcome}`, (counts.get(`${kind}: ${outcome}`) ?? 0) + 1);
    } catch (error) {
      throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
    }
  }
  const summary = [...counts].sort().map(([outcome, count]) => `${outcome} ${count}`);
  t.diagnostic(`seed ${seed}: ${summary.join(', ')}`);
});
