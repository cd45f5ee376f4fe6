import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ServeOptions, type Serving, serve } from '../src/server.ts';
import { checkSettings, readMarkets, settingsFrom } from '../src/settings.ts';

const cleanups = new WeakMap<TestContext, (() => unknown)[]>();

/** What is opened last is closed first: a server before its folder goes. */
function after(t: TestContext, step: () => unknown): void {
  const steps = cleanups.get(t) ?? [];
  if (steps.push(step) > 1) return;
  cleanups.set(t, steps);
  t.after(async () => {
    for (const each of steps.reverse()) await each();
  });
}

async function tempFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-server-'));
  after(t, () => rm(folder, { recursive: true }));
  return folder;
}

async function start(t: TestContext, options: ServeOptions = {}): Promise<Serving> {
  const serving = await serve({ data: join(await tempFolder(t), 'data'), port: 0, log: () => {}, ...options });
  after(t, () => serving.close());
  return serving;
}

const order = { record_id: 'o-1', side: 'buy', price: 60, power: 80 };
const json = { 'content-type': 'application/json' };

/** Send a body in chunks, without a length. */
async function sendChunks(url: string, chunks: Iterable<string>): Promise<{ status: number; text: string }> {
  const sent = request(`${url}/orders`, { method: 'POST', headers: json });
  sent.on('error', () => {}); // the server may hang up on a body that it has refused
  const answered = once(sent, 'response');
  for (const chunk of chunks) sent.write(chunk);
  sent.end();
  const [answer] = await answered;
  let text = '';
  for await (const part of answer) text += part;
  return { status: answer.statusCode, text };
}

test('serve() takes orders over a socket, whole and in chunks', async (t) => {
  const { url } = await start(t);
  const whole = await fetch(`${url}/orders`, { method: 'POST', headers: json, body: JSON.stringify(order) });
  assert.equal(whole.status, 201);
  const chunked = await sendChunks(url, [...JSON.stringify([{ ...order, record_id: 'o-2' }])]);
  assert.equal(chunked.status, 201, chunked.text);
});

test('serve() refuses a body over the limit with 413, declared or in chunks, and stays up', async (t) => {
  const { url } = await start(t);
  const declared = await fetch(`${url}/orders`, { method: 'POST', headers: json, body: ' '.repeat(10_000_001) });
  assert.deepEqual([declared.status, ((await declared.json()) as { code: string }).code], [413, 'too-large']);
  const { status, text } = await sendChunks(
    url,
    Array.from({ length: 200 }, () => ' '.repeat(64_000)),
  );
  assert.deepEqual([status, JSON.parse(text).code], [413, 'too-large']);
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test('serve() answers several requests over one connection', async (t) => {
  const { url } = await start(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(t, () => agent.destroy());
  const ports = new Set<number>();
  for (const path of ['/healthz', '/nowhere', '/markets']) {
    const sent = request(url + path, { agent }).end();
    const [answer] = await once(sent, 'response');
    ports.add(sent.socket!.localPort!);
    answer.resume();
    await once(answer, 'end');
  }
  assert.equal(ports.size, 1);
});

test('close() finishes the request that is there, and takes no more', async (t) => {
  const serving = await start(t);
  const sent = request(`${serving.url}/orders`, { method: 'POST', headers: json });
  const answered = once(sent, 'response');
  sent.write(JSON.stringify(order).slice(0, 10));
  await once(sent, 'socket');
  await fetch(`${serving.url}/healthz`); // the server has seen the connection before this one
  const closed = serving.close();
  sent.end(JSON.stringify(order).slice(10));
  const [answer] = await answered;
  answer.resume();
  assert.equal(answer.statusCode, 201);
  await closed;
  await assert.rejects(fetch(`${serving.url}/healthz`));
});

test('serve() goes on with the data folder of the server before', async (t) => {
  const data = join(await tempFolder(t), 'data');
  const first = await start(t, { data });
  const taken = await fetch(`${first.url}/orders`, { method: 'POST', headers: json, body: JSON.stringify(order) });
  const receipt = (await taken.json()) as { hash: string };
  await first.close();
  const second = await start(t, { data });
  const found = (await (await fetch(`${second.url}/orders/o-1`)).json()) as { hash: string };
  assert.equal(found.hash, receipt.hash);
});

test('serve() says that the port is taken, and lets the data folder go', async (t) => {
  const other = createServer().listen(0, '127.0.0.1');
  after(t, () => other.close());
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const data = join(await tempFolder(t), 'data');
  await assert.rejects(serve({ data, port }), {
    code: 'unavailable',
    message: `cannot listen on port ${port} of 127.0.0.1: another program has it`,
  });
  await start(t, { data });
});

test('serve() listens on loopback only', async () => {
  for (const host of ['0.0.0.0', '192.168.1.1', 'example.org', '::'])
    await assert.rejects(serve({ host }), { code: 'invalid-request', message: /^host: must be a loopback address/ });
});

test('settingsFrom() names the variable that is wrong', () => {
  assert.throws(() => settingsFrom({ MERIT_PORT: 'eighty' }), { message: /^MERIT_PORT: .*\(found "eighty"\)$/ });
  assert.throws(() => settingsFrom({ MERIT_PORT: '70000' }), { message: /^MERIT_PORT: .*\(found 70000\)$/ });
  assert.throws(() => settingsFrom({ MERIT_HOST: '0.0.0.0' }), { message: /^MERIT_HOST: must be a loopback address/ });
  const { port, accessLog, host } = settingsFrom({ MERIT_PORT: '0', MERIT_ACCESS_LOG: '1', MERIT_HOST: '' });
  assert.deepEqual([port, accessLog, host], [0, true, '127.0.0.1']);
  assert.throws(() => checkSettings({ port: 1.5 }), { message: /^port: / });
});

test('readMarkets() reads the markets of this project, hourly first', async () => {
  const markets = await readMarkets(settingsFrom({}).markets);
  assert.equal(markets[0]?.market, 'hourly');
  assert((await readMarkets(settingsFrom({}).markets, 'day-ahead'))[0]?.market === 'day-ahead');
});

test('readMarkets() names file, field and value of a mistake', async (t) => {
  const folder = await tempFolder(t);
  await assert.rejects(readMarkets(folder), { code: 'invalid-market', message: /there is no market file/ });
  await assert.rejects(readMarkets(join(folder, 'none')), { code: 'invalid-market', message: /cannot be read/ });
  const hourly = await readFile(new URL('../markets/hourly.json', import.meta.url), 'utf8');
  const file = join(folder, 'a.json');
  const refused = (text: string, message: RegExp) =>
    writeFile(file, text).then(() => assert.rejects(readMarkets(folder), { code: 'invalid-market', message }));
  await refused(hourly.replace('"PT60M"', '"PT61M"'), /a\.json: resolution: .*"PT61M"/);
  await refused(hourly.replace('"lot"', '"lots"'), /a\.json: powerLimits\.lots?: /);
  await refused(hourly.slice(0, 40), /a\.json: not JSON: /);
  await writeFile(file, hourly);
  await writeFile(join(folder, 'b.json'), hourly);
  await assert.rejects(readMarkets(folder), { message: /b\.json: market: hourly is the market of .*a\.json already/ });
  await rm(join(folder, 'b.json'));
  await assert.rejects(readMarkets(folder, 'weekly'), { message: /there is no market weekly/ });
});

/** Run the server as a program. */
async function run(t: TestContext, env: Record<string, string>) {
  const program = new URL('../src/server.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  after(t, () => child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => (said.out += text));
  child.stderr.on('data', (text) => (said.err += text));
  return { child, said, ended: once(child, 'close') };
}

test('server.ts does not start with a mistake: one line, exit code 1', { timeout: 20_000 }, async (t) => {
  const folder = await tempFolder(t);
  const markets = join(folder, 'markets');
  await mkdir(markets);
  await writeFile(join(markets, 'bad.json'), '{"market": "Bad"}');
  const newer = join(folder, 'newer');
  await mkdir(newer);
  await writeFile(join(newer, 'merit.json'), '{"merit":"data/99"}');
  await writeFile(join(newer, 'merit.sqlite'), '');
  const refuse = async (env: Record<string, string>, message: RegExp) => {
    const { ended, said } = await run(t, { MERIT_PORT: '0', MERIT_DATA: join(folder, 'data'), ...env });
    assert.deepEqual(await ended, [1, null]);
    const lines = said.err.split('\n').filter((line) => line !== '' && !/Warning|node --trace/.test(line));
    assert.equal(lines.length, 1, said.err);
    assert.match(lines[0]!, message);
  };
  await Promise.all([
    refuse({ MERIT_MARKETS: markets }, /^merit: .*bad\.json: market: .*"Bad"/),
    refuse({ MERIT_HOST: '0.0.0.0' }, /^merit: MERIT_HOST: must be a loopback address/),
    refuse({ MERIT_DATA: join(markets, 'bad.json') }, /^merit: .*bad\.json/),
    refuse({ MERIT_DATA: newer }, /^merit: .*newer.*"data\/99"/),
  ]);
});

test('server.ts prints its addresses, and stops on SIGTERM with exit code 0', { timeout: 20_000 }, async (t) => {
  const { child, said, ended } = await run(t, { MERIT_PORT: '0', MERIT_DATA: join(await tempFolder(t), 'data') });
  while (!said.out.includes('/docs')) await once(child.stdout, 'data');
  const [url] = said.out.match(/http:\/\/127\.0\.0\.1:\d+/)!;
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], said.err);
});
