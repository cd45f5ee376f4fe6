/** The smoke auction against a real house on this machine; `test/cloud/pipelines.test.ts` has it against a deployed one. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findHouse, smokeAuction } from '../scripts/smoke-auction.ts';
import { serve } from '../src/server.ts';
import { readMarkets } from '../src/settings.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

async function openHouse(t: TestContext): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'merit-smoke-'));
  const serving = await serve({ markets: await readMarkets(join(root, 'markets')), data, port: 0, log: () => {} });
  t.after(async () => {
    await serving.close();
    await rm(data, { recursive: true });
  });
  return serving.url;
}

async function listen(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const run = (script: string, variables: Record<string, string>, ...args: string[]) =>
  new Promise<{ code: number; out: string; err: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(root, 'scripts', script), ...args],
      { env: { PATH: process.env.PATH, ...variables } },
      (_, out, err) => resolve({ code: child.exitCode!, out, err }),
    );
  });

test('smoke-auction ends with 0 when a house settles at the right price, again and again', async (t) => {
  const url = await openHouse(t);
  for (const _ of [1, 2]) {
    const { code, out, err } = await run('smoke-auction.ts', { MERIT_URL: url });
    assert.equal(code, 0, err);
    assert.match(out, /^smoke-\w+ at http:\S+: settled at 30 in \d+ ms\n$/);
  }
});

test('smoke-auction ends with 1 and the reason: nobody there, no address, refused', async (t) => {
  const gone = await run('smoke-auction.ts', { MERIT_URL: 'http://127.0.0.1:1' });
  assert.equal(gone.code, 1);
  assert.match(gone.err, /^smoke auction smoke-\w+: fetch failed\n$/);
  assert.match((await run('smoke-auction.ts', {})).err, /where is the house\? Say MERIT_URL/);
  const refusing = await listen(t, (_, response) => response.writeHead(403).end('no'));
  const { code, err } = await run('smoke-auction.ts', { MERIT_URL: refusing });
  assert.equal(code, 1);
  assert.match(err, /GET \/markets is answered 403: no/);
});

test('smoke-auction without a client ends with 1; with --skip-without-client it says that it held none, and ends with 0', async () => {
  const variables = {
    MERIT_URL: 'http://127.0.0.1:1',
    MERIT_TOKEN_URL: 'http://127.0.0.1:1/token',
    MERIT_CLIENT_ID: '',
  };
  const without = await run('smoke-auction.ts', variables);
  assert.equal(without.code, 1);
  assert.match(without.err, /a token of http:\S+ needs MERIT_CLIENT_ID and MERIT_CLIENT_SECRET\n$/);
  const skipped = await run('smoke-auction.ts', variables, '--skip-without-client');
  assert.equal(skipped.code, 0, skipped.err);
  assert.match(skipped.out, /^no smoke auction was held: a token of http:\S+ needs MERIT_CLIENT_ID/);
  // Only for that: a house that does not answer is a failure still.
  const gone = await run('smoke-auction.ts', { MERIT_URL: 'http://127.0.0.1:1' }, '--skip-without-client');
  assert.equal(gone.code, 1);
});

test('smokeAuction() refuses a house that settles at another price, fails, or never ends', async (t) => {
  const house = await openHouse(t);
  const bent = (path: RegExp, bend: (json: Record<string, unknown>) => object) =>
    listen(t, async (request, response) => {
      const { method, url, headers } = request;
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk as Uint8Array);
      const body = Buffer.concat(chunks);
      const type = headers['content-type'];
      const answer = await fetch(`${house}${url}`, {
        method: method!,
        ...(type && { headers: { 'content-type': type } }),
        ...(body.length > 0 && { body }),
      });
      const json = (await answer.json()) as Record<string, unknown>;
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(path.test(url!) && method === 'GET' ? bend(json) : json));
    });
  const cases: [string, RegExp, (json: Record<string, unknown>) => object, RegExp][] = [
    ['price', /\/prices$/, (json) => ({ ...json, zones: { MERIT: [31] } }), /the price in MERIT/],
    ['power', /^\/orders\/town/, (json) => ({ ...json, outcome: { power: 79 } }), /the power of order town/],
    ['failed', /^\/auctions\/failed$/, (json) => ({ ...json, state: 'failed', cause: 'x' }), /failed is failed: x/],
    ['slow', /^\/auctions\/slow$/, (json) => ({ ...json, state: 'clearing' }), /slow is clearing after 0 s/],
  ];
  for (const [id, path, bend, message] of cases)
    await assert.rejects(smokeAuction({ url: await bent(path, bend), headers: {} }, id, id === 'slow' ? 0 : 30), {
      message,
    });
});

test('findHouse() takes the address from outputs or environment, and a token by client credentials', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'merit-smoke-'));
  t.after(() => rm(folder, { recursive: true }));
  const outputs = join(folder, 'outputs.json');
  await writeFile(outputs, JSON.stringify({ 'energy-auction-dev': { Url: 'https://a.example.org/v1/' } }));
  assert.deepEqual(await findHouse({ MERIT_AUTHORIZATION: 'Bearer b' }, outputs), {
    url: 'https://a.example.org/v1',
    headers: { authorization: 'Bearer b' },
  });
  let asked = '';
  const issuer = await listen(t, async (request, response) => {
    asked = `${request.headers.authorization} ${Buffer.concat(await request.toArray())}`;
    response.end(JSON.stringify({ access_token: 't' }));
  });
  const variables = { MERIT_URL: 'http://h', MERIT_TOKEN_URL: issuer, MERIT_CLIENT_ID: 'id' };
  await assert.rejects(findHouse(variables, undefined), /needs MERIT_CLIENT_ID and MERIT_CLIENT_SECRET/);
  const { headers } = await findHouse({ ...variables, MERIT_CLIENT_SECRET: 's', MERIT_SCOPE: 'operator' }, undefined);
  assert.deepEqual(headers, { authorization: 'Bearer t' });
  assert.equal(asked, `Basic ${btoa('id:s')} grant_type=client_credentials&scope=operator`);
  await writeFile(outputs, JSON.stringify({ house: { Url: 'http://h', TokenUrl: issuer }, watching: {} }));
  await assert.rejects(findHouse({}, outputs), /needs MERIT_CLIENT_ID and MERIT_CLIENT_SECRET/);
  assert.deepEqual(await findHouse({ MERIT_CLIENT_ID: 'id', MERIT_CLIENT_SECRET: 's' }, outputs), {
    url: 'http://h',
    headers: { authorization: 'Bearer t' },
  });
});

test('notify-slack says outcome, what, who and a link in one line of plain text, and fails when Slack refuses', async (t) => {
  const heard: string[] = [];
  const slack = await listen(t, async (request, response) => {
    heard.push(JSON.parse(Buffer.concat(await request.toArray()).toString()).text);
    response.writeHead(heard.length > 2 ? 410 : 200).end('gone');
  });
  const told = { SLACK_WEBHOOK_URL: slack, WHAT: 'a <b> & c\n\nmore', WHO: 'ada', LINK: 'https://x.example.org/1' };
  for (const OUTCOME of ['success', 'failure'])
    assert.equal((await run('notify-slack.ts', { ...told, OUTCOME })).code, 0);
  assert.deepEqual(heard, [
    ':white_check_mark: success: a &lt;b&gt; &amp; c, by ada (<https://x.example.org/1|look>)',
    ':x: failure: a &lt;b&gt; &amp; c, by ada (<https://x.example.org/1|look>)',
  ]);
  assert.match((await run('notify-slack.ts', { ...told, OUTCOME: 'failure' })).err, /Slack answers 410: gone/);
  assert.match(
    (await run('notify-slack.ts', { SLACK_WEBHOOK_URL: slack })).err,
    /does not say OUTCOME, WHAT, WHO, LINK/,
  );
  // Slack is optional: an address that nobody has set is no failure of the deployment.
  for (const variables of [{}, { SLACK_WEBHOOK_URL: '' }]) {
    const { code, out } = await run('notify-slack.ts', variables);
    assert.deepEqual([code, out], [0, 'Slack is not told: SLACK_WEBHOOK_URL is not set\n']);
  }
});
