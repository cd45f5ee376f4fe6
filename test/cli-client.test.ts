/** The command line against a running house. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { holdDataFolder } from '../src/adapters/local/data-folder.ts';
import { merit, openHouse, run, spawnMerit, temporaryFolder } from './cli-house.ts';
import { until } from './ports/workflow.cases.ts';

const orders = [
  { record_id: 's1', side: 'sell', period: 1, price: 10, power: 80 },
  { record_id: 's2', side: 'sell', period: 1, price: 40, power: 50 },
  { record_id: 'b1', side: 'buy', period: 1, price: 60, power: 80 },
  { record_id: 'b2', side: 'buy', period: 2, price: 20, power: 40 },
];

test('merit submit sends a file in batches; auctions, result and executions show what became of it', async (t) => {
  const { url } = await openHouse(t);
  const folder = await temporaryFolder(t);
  const at = (name: string) => join(folder, name);
  await writeFile(at('orders.jsonl.gz'), gzipSync(`${orders.map((o) => JSON.stringify(o)).join('\n')}\n`));
  const here = ['--url', url];

  const taken = await run(['submit', at('orders.jsonl.gz'), '--batch', '3', ...here]);
  assert.equal(taken.err, '');
  assert.match(taken.out, /^a1: 4 orders taken, sequence 1 to 4\n {2}intake sha256:[0-9a-f]{64}\n$/);
  await writeFile(at('list.json'), JSON.stringify(orders));
  const again = await run(['submit', at('list.json'), '--json', ...here]);
  assert.deepEqual(
    JSON.parse(again.out).receipts.map((r: { sequence: number }) => r.sequence),
    [1, 2, 3, 4],
  );

  const open = await run(['auctions', '--state', 'open', ...here]);
  assert.match(open.out, /^a1 +open +.* 2 x 60m/m);
  const early = await run(['result', 'a1', ...here]);
  assert.match(early.err, /^merit: .*a1/);
  assert.equal(early.code, 1);

  await fetch(`${url}/auctions/a1/close`, { method: 'POST' });
  for (let state = ''; state !== 'settled'; ) {
    ({ state } = (await (await fetch(`${url}/auctions/a1`)).json()) as { state: string });
    assert.notEqual(state, 'failed');
  }
  const [result, listed, history, late] = await Promise.all([
    run(['result', 'a1', '-o', at('result.json'), '--book', at('book.json.gz'), ...here]),
    run(['executions', ...here]),
    run(['executions', 'a1-1', ...here]),
    run(['submit', at('list.json'), '--auction', 'a1', ...here]),
  ]);
  assert.match(result.out, /^a1: optimal, welfare 4,000\.00 EUR/);
  assert.match(listed.out, /^a1-1 +succeeded/m);
  assert.match(history.out, /^a1-1: succeeded[\s\S]*TaskStateEntered +Clear/);
  assert.equal(late.code, 1);
  assert.match(late.err, /^merit: \S+list\.json: .*a1/);
  const verified = await run(['verify', at('book.json.gz'), at('result.json')]);
  assert.match(verified.out, /: the rules hold, \d+ checks\ndecisions: unchecked/);
});

test('merit auctions holds, changes, closes and cancels auctions; merit orders lists, shows, replaces and cancels orders', async (t) => {
  const { url } = await openHouse(t);
  const folder = await temporaryFolder(t);
  const here = ['--url', url];
  const ok = async (...args: string[]) => {
    const { code, out, err } = await run([...args, ...here]);
    assert.deepEqual([code, err], [0, ''], args.join(' '));
    return out;
  };
  const start = '2099-01-01T12:00Z';
  assert.match(
    await ok('auctions', 'create', '--id', 'mine', '--start', start),
    /^mine: open, its gate closes 2099-01-01/,
  );
  assert.match(await ok('auctions', 'show', 'mine'), /^mine: open/);
  const created = JSON.parse(await ok('auctions', 'create', '--id', 'off', '--start', start, '--json'));
  assert.equal(created.state, 'open');
  assert.match(await ok('auctions', 'cancel', 'off', '--cause', 'no need'), /^off: cancelled \(no need\)$/m);

  const file = join(folder, 'orders.json');
  const some = ['wind', 'plant', 'spare'].map((record_id, i) => ({ record_id, side: 'sell', price: 10 * i, power: 5 }));
  await writeFile(file, JSON.stringify([...some, { record_id: 'town', side: 'buy', price: 60, power: 8 }]));
  await ok('submit', file, '--auction', 'mine');
  assert.match(await ok('orders', 'cancel', 'spare', '--auction', 'mine'), /^spare: cancelled in mine, sequence 5$/m);
  const changed = join(folder, 'wind.json');
  await writeFile(changed, JSON.stringify({ ...some[0], price: 1 }));
  const replacing = ['orders', 'replace', 'wind', changed, '--auction', 'mine'];
  assert.match(await ok(...replacing), /^wind: version 2 in mine, sequence 6$/m);
  const late = await run([...replacing, '--of', '9', ...here]);
  assert.deepEqual([late.code, /order wind is version 2 now/.test(late.err)], [1, true]);
  assert.match(
    await ok('orders', 'versions', 'wind'),
    /^version 1, sequence 1,.*\n.*\nversion 2, sequence 6,.*\n.*"price":1,/m,
  );
  assert.equal((await run(['orders', 'cancel', '--all', ...here])).code, 2);
  const off = await ok('auctions', 'create', '--id', 'spare', '--start', start);
  assert.match(off, /^spare: open/);
  await ok('submit', file, '--auction', 'spare');
  assert.match(
    await ok('orders', 'cancel', '--all', '--auction', 'spare'),
    /^wind: .*\n.*\n.*\ntown: cancelled in spare, sequence 8\n$/,
  );
  const many = join(folder, 'many.csv');
  await writeFile(many, 'record_id,side,price,power\nu1,sell,5,1\nu2,sell,9000,1\nu3,buy,70,2\n');
  const uploaded = await run(['orders', 'upload', many, '--auction', 'spare', ...here]);
  assert.equal(uploaded.code, 1);
  assert.match(uploaded.out, /^spare: 2 orders taken, 1 refused\n {2}line 3 \(u2\), price: 9000 is not within/);
  assert.match(uploaded.err, /many\.csv: 1 order refused/);
  await ok('orders', 'cancel', '--all', '--auction', 'spare');
  assert.equal(await ok('orders', 'cancel', '--portfolio', 'x', '--auction', 'spare'), 'there are none\n');
  assert.match(await ok('auctions', 'network', 'mine'), /^mine: 0 lines, 0 constraints$/m);
  assert.match(await ok('auctions', 'close', 'mine'), /^mine: (closed|clearing|preliminary|final|settled)/);
  for (let state = ''; state !== 'settled'; ) ({ state } = JSON.parse(await ok('auctions', 'show', 'mine', '--json')));
  const listed = await ok('orders', 'mine');
  assert.match(listed, /^wind +limit +A +accepted +5\.0/m);
  assert.match(listed, /^plant +limit +A +partially accepted +3\.0 .* partial at the money$/m);
  assert.match(listed, /^spare +limit +A +cancelled/m);
  assert.match(await ok('orders', 'show', 'plant'), /partially accepted, 3\.0 MW, surplus [\s\S]*shared pro rata/);

  const nothing = await run(['orders', ...here]);
  assert.deepEqual([nothing.code, /which auction\?/.test(nothing.err)], [2, true]);
  const running = await run(['auctions', 'restart', 'mine', ...here]);
  assert.deepEqual([running.code, /only a failed auction can be restarted/.test(running.err)], [1, true]);
  const undone = await run(['auctions', 'diagnosis', 'mine', ...here]);
  assert.deepEqual([undone.code, /there is no diagnosis/.test(undone.err)], [1, true]);
});

test('merit submit names the order and the field of what is refused, by its place in the file', async (t) => {
  const { url } = await openHouse(t);
  const file = join(await temporaryFolder(t), 'orders.json');
  await writeFile(
    file,
    JSON.stringify({ auction: 'a1', orders: [...orders, { ...orders[0], record_id: 'x', price: 9000 }] }),
  );
  const { code, err } = await run(['submit', file, '--batch', '4', '--url', url]);
  assert.match(
    err,
    /^merit: \S+orders\.json: refused after 4 of 5 orders: order 4 \(x\), price: 9000 is not within .*4000\n$/,
  );
  assert.equal(code, 1);
  const nothing = join(file, '..', 'none.json');
  await writeFile(nothing, '[]');
  assert.match((await run(['submit', nothing, '--url', url])).err, /none\.json: there are no orders in it/);
});

test('merit says when there is no house, or something else than a house', async (t) => {
  const stranger = createServer((_, response) => response.end('<html>')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  t.after(() => stranger.close());
  const url = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
  const strange = await run(['auctions', '--url', url]);
  assert.deepEqual(
    [strange.code, strange.err],
    [3, `merit: ${url}/auctions?limit=20 answers, but not like a house (no JSON)\n`],
  );
  stranger.close();
  await once(stranger, 'close');
  const none = await run(['auctions', '--url', url]);
  assert.deepEqual(
    [none.code, none.err],
    [3, `merit: cannot reach ${url}: nobody listens there; \`merit serve\` starts a house\n`],
  );
});

test('merit serve serves until it is told to stop, and says when the port is taken', async (t) => {
  const data = await temporaryFolder(t);
  const child = spawnMerit(['serve', '--port', '0', '--data', data]);
  const errors = text(child.stderr);
  let out = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    out += chunk;
    if (out.includes('/docs')) break;
  }
  const url = /http:\/\/[\d.:]+/.exec(out)![0];
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  const second = await run(['demo', '--port', new URL(url).port, '--data', await temporaryFolder(t)]);
  assert.equal(second.code, 3);
  assert.match(second.err, /another program has port \d+; stop it, or take another port: npm start -- --port 8081/);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  // At five minutes to the hour an hourly auction is settled, and told.
  assert.doesNotMatch(await errors, /^(?!\{"event":"notice",|$)/m);
});

test('merit serve ends when npx, or the shell that it started, was told to', async (t) => {
  const data = await temporaryFolder(t);
  const command = ['--disable-warning=ExperimentalWarning', merit, 'serve', '--port', '0', '--data', data];
  // As npx does it: a shell that waits for the command, and hands no signal on.
  const shell = spawn('sh', ['-c', '"$@"; true', 'sh', process.execPath, ...command], {
    env: { ...process.env, npm_command: 'exec' },
  });
  t.after(() => shell.kill('SIGKILL'));
  let out = '';
  for await (const chunk of shell.stdout.setEncoding('utf8')) {
    out += chunk;
    if (out.includes('/docs')) break;
  }
  const url = /http:\/\/[\d.:]+/.exec(out)![0];
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  shell.kill('SIGTERM');
  while (await fetch(`${url}/healthz`).catch(() => undefined)) await new Promise((resolve) => setTimeout(resolve, 20));
  // It lets go of its folder.
  await until('the folder is free', async () => {
    try {
      holdDataFolder(data).release();
      return true;
    } catch (error) {
      assert.match((error as Error).message, /is in use by another process/);
      return undefined;
    }
  });
});

test('merit demo --once holds a whole auction', async (t) => {
  const data = await temporaryFolder(t);
  const { code, out, err } = await run(['demo', '--once', '--open', '4', '--port', '0', '--data', data]);
  assert.equal(err, '');
  assert.equal(code, 0);
  const story = [
    'orders in',
    'gate closed',
    'book sealed',
    'cleared: optimal',
    'rules hold',
    'published',
    '┤',
    '/docs',
  ];
  for (const step of story) assert(out.includes(step), `${step} is missing in\n${out}`);
  assert.deepEqual(
    story.map((step) => out.indexOf(step)),
    story.map((step) => out.indexOf(step)).sort((a, b) => a - b),
  );
  // Blocks and the like are told one by one, with the reason of those that were not accepted.
  for (const bidder of ['heat-plant', 'cycle-day', 'pumps-fill', 'smelter-day', 'buses-charge', 'steam-unit'])
    assert.match(out, new RegExp(`^${bidder} +(accepted|(rejected|partially accepted) .* [a-z]{3,})`, 'm'));
});
