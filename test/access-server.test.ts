/** A served house with an issuer: listening, clients through the command line, the smoke auction, the document, the settings. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { closeGate, createAuction } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { type ServeOptions, serve } from '../src/server.ts';
import { checkSettings, settingsFrom } from '../src/settings.ts';
import { run, spawnMerit, temporaryFolder, twoHours } from './cli-house.ts';
import { reaches } from './support/house.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

async function open(t: TestContext, options: ServeOptions = {}) {
  const data = await temporaryFolder(t);
  const serving = await serve({ markets: [twoHours], data, port: 0, issuer: 'built-in', log: () => {}, ...options });
  t.after(() => serving.close());
  const merit = async (...args: string[]) => {
    const { code, out, err } = await run(args);
    return { code, out, err };
  };
  return { ...serving, data, merit };
}

test('merit participant, client and token make callers of a running house, and take them away', async (t) => {
  const { url, data, merit } = await open(t);
  const inData = ['--data', data];
  const added = await merit('participant', 'add', 'acme', '--zones', 'A', '--sell', '50', '--json', ...inData);
  const { client, secret } = JSON.parse(added.out);
  assert.equal(client, 'acme');
  const operator = await merit('client', 'add', 'ops', '--role', 'operator', 'auditor', ...inData);
  assert.match(operator.out, /client {2}ops\n {2}secret {2}\S{43}\n/);

  const ops = (await merit('token', 'ops', ...inData)).out.trim();
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  const called = (token: string | undefined, path: string, body: object) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
  assert.equal((await called(undefined, '/auctions', { id: 'a1', gateClosure, periods: 2 })).status, 401);
  assert.equal((await called(ops, '/auctions', { id: 'a1', gateClosure, periods: 2 })).status, 201);

  const answer = await fetch(`${url}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${client}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await answer.json()) as { access_token: string };
  const order = { record_id: 'o', zone: 'A', side: 'sell', period: 1, price: 5, power: 50 };
  const sent = await run(['submit', '-', '--auction', 'a1', '--url', url, '--token', token], JSON.stringify([order]));
  assert.deepEqual([sent.code, sent.err], [0, '']);
  const large = [{ ...order, record_id: 'large', power: 50.1 }];
  const tooLarge = await run(['submit', '-', '--auction', 'a1', '--url', url, '--token', token], JSON.stringify(large));
  assert.equal(tooLarge.code, 1);
  assert.match(tooLarge.err, /refused: order 0 \(large\), power: 50.1 MW is more than the 50 MW/);
  const nobody = await merit('submit', '--url', url, join(root, 'package.json'));
  assert.deepEqual([nobody.code, /needs a token/.test(nobody.err)], [1, true], nobody.err);
  assert.equal((await merit('executions', '--url', url, '--token', ops)).code, 0);

  await merit('participant', 'add', 'acme', '--zones', 'A', '--portfolio', 'more', '--access', 'read', ...inData);
  assert.match((await merit('participant', 'list', ...inData)).out, /acme +acme +read +more +A/);
  assert.match(
    (await run(['submit', '-', '--auction', 'a1', '--url', url, '--token', token], JSON.stringify(large))).err,
    /orders.write/,
  );
  assert.equal((await merit('keys', 'rotate', '--revoke', ...inData)).code, 0);
  assert.equal((await called(ops, '/auctions', { id: 'a2', gateClosure, periods: 2 })).status, 401);
  assert.equal((await merit('client', 'remove', 'ops', ...inData)).code, 0);
  assert.match((await merit('client', 'list', ...inData)).out, /^client.*\nacme +merit\/orders.read +acme\n$/);
});

test('merit token and its like say what is wrong', async (t) => {
  const data = await temporaryFolder(t);
  const cases: [string[], number, RegExp][] = [
    [['token', 'nobody'], 2, /there is no client nobody/],
    [['client', 'remove', 'nobody'], 1, /there is no client nobody/],
    [['participant', 'add', 'a/b', '--zones', 'A'], 2, /participant: 1 to 64 of/],
    [['participant', 'add', 'a', '--zones', 'A,,'], 2, /zones: 1/],
    [['participant', 'add', 'a'], 2, /--zones/],
    [['participant', 'add', 'a', '--zones', 'A', '--buy', '-1'], 2, /number of MW/],
    [['client', 'add', 'a', '--role', 'participant'], 2, /role/],
    [['token', 'a', '--hours', '25'], 2, /1 to 24/],
  ];
  for (const [args, exit, message] of cases) {
    const { code, out, err } = await run([...args, '--data', data]);
    assert.match(err, message);
    assert.deepEqual([code, out], [exit, '']);
  }
});

test('the smoke auction holds against a house with tokens, by client credentials', async (t) => {
  const { url, data, merit } = await open(t, { markets: join(root, 'markets') });
  const { secret } = JSON.parse(
    (await merit('participant', 'add', 'smoke', '--zones', 'MERIT', '--json', '--data', data)).out,
  );
  const env = {
    PATH: process.env.PATH,
    MERIT_URL: url,
    MERIT_TOKEN_URL: `${url}/oauth2/token`,
    MERIT_CLIENT_ID: 'smoke',
    MERIT_CLIENT_SECRET: secret,
  };
  const smoke = () => promisify(execFile)(process.execPath, [join(root, 'scripts', 'smoke-auction.ts')], { env });
  await assert.rejects(smoke(), /POST \/auctions is answered 403: .*merit\/operator/);
  assert.equal((await merit('client', 'add', 'smoke', '--role', 'operator', '--data', data)).code, 0);
  assert.match((await smoke()).stdout, /settled at 30/);
});

test('merit result shows what is published to whoever asks, and saves files for auditors only', async (t) => {
  const { url, ports, merit, data } = await open(t);
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  await createAuction(ports, { id: 'r', gateClosure, periods: 1 });
  const orders = [
    { record_id: 's', side: 'sell', price: 20, power: 5 },
    { record_id: 'd', side: 'buy', price: 40, power: 5 },
  ];
  await submitOrders(ports, { participant: 'p' }, { auction: 'r', orders });
  await closeGate(ports, 'r');
  await reaches(ports, 'r', 'settled');
  const open_ = await merit('result', 'r', '--url', url);
  assert.equal(open_.code, 0, open_.err);
  assert.match(open_.out, /^r: optimal, welfare 100\.00 EUR[\s\S]*^A +30\.00 +30\.00 +30\.00$/m);
  assert.match(open_.out, /the outcome of every order is for auditors/);
  const { prices } = JSON.parse((await merit('result', 'r', '--url', url, '--json')).out);
  assert.deepEqual(prices.zones, { A: [30] });
  const saved = await merit('result', 'r', '--url', url, '-o', join(data, 'r.json'));
  assert.deepEqual([saved.code, /needs a token/.test(saved.err)], [1, true]);
});

test('merit demo says what to send, its open auction takes it, and nobody gets in without a token', async (t) => {
  const data = await temporaryFolder(t);
  const child = spawnMerit(['demo', '--port', '0', '--open', '30', '--data', data]);
  t.after(() => child.kill('SIGKILL'));
  let out = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    out += chunk;
    if (out.includes('orders in')) break;
  }
  const [, url, file, order] = /^curl -s (\S+)\/orders -H "authorization: Bearer \$\(cat (\S+)\)" --json '(.*)'$/m.exec(
    out,
  )!;
  assert.equal((await stat(file!)).mode & 0o777, 0o600);
  const token = await readFile(file!, 'utf8');
  const send = (headers: Record<string, string>) =>
    fetch(`${url}/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: order!,
    });
  assert.equal((await send({})).status, 401);
  const taken = await send({ authorization: `Bearer ${token}` });
  const receipt = (await taken.json()) as { participant: string; auction: string };
  assert.deepEqual([taken.status, receipt.participant], [201, 'demo-you']);
  assert.match(receipt.auction, /^demo-/);
  child.kill('SIGINT');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

/** Of an OpenAPI document, what is looked at here. */
const openApi = z.object({
  components: z.object({
    securitySchemes: z.object({
      oauth2: z.object({ flows: z.object({ clientCredentials: z.object({ tokenUrl: z.string() }) }) }),
      bearer: z.object({ scheme: z.string() }),
    }),
  }),
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.object({
        security: z.array(z.record(z.string(), z.array(z.string()))),
        responses: z.record(
          z.string(),
          z.object({
            content: z.record(z.string(), z.unknown()).optional(),
            headers: z.record(z.string(), z.unknown()).optional(),
          }),
        ),
      }),
    ),
  ),
});

test('the document says the scopes of each route, and where a token comes from', async (t) => {
  const { url } = await open(t);
  const { components, paths } = openApi.parse(await (await fetch(`${url}/openapi.json`)).json());
  const { oauth2, bearer } = components.securitySchemes;
  assert.equal(oauth2.flows.clientCredentials.tokenUrl, '/oauth2/token');
  assert.equal(bearer.scheme, 'bearer');
  const { get, post } = paths['/orders']!;
  assert.deepEqual(post!.security, [{ oauth2: ['merit/orders.write'] }, { bearer: ['merit/orders.write'] }]);
  assert.equal(get!.security.length, 4);
  const markets = paths['/markets']!.get!;
  assert.deepEqual(markets.security, []);
  for (const status of ['401', '403']) assert(post!.responses[status]?.content?.['application/problem+json']);
  assert(post!.responses['401']?.headers?.['WWW-Authenticate']);
  assert.equal(markets.responses['403'], undefined);
  assert.equal((await fetch(`${url}/docs`)).status, 200);
});

test('a house with an issuer may listen beyond the loopback, one without may not', async (t) => {
  assert.throws(() => checkSettings({ host: '0.0.0.0' }), {
    code: 'invalid-request',
    message: /loopback.*found "0.0.0.0"/,
  });
  assert.throws(() => settingsFrom({ MERIT_HOST: '::' }), {
    message: /MERIT_HOST: must be a loopback .* without MERIT_ISSUER/,
  });
  assert.equal(checkSettings({ host: '0.0.0.0', issuer: 'built-in' }).host, '0.0.0.0');
  const wrong: [Parameters<typeof checkSettings>[0], RegExp][] = [
    [{ issuer: 'https://id.example.org' }, /^audience: /],
    [{ audience: 'merit' }, /^audience: is for another issuer/],
    [{ issuer: 'built-in', tokenUse: 'access' }, /^tokenUse: is for another issuer/],
    [{ issuer: 'id.example.org', audience: 'x' }, /^issuer: must be built-in or the address/],
  ];
  for (const [settings, message] of wrong) assert.throws(() => checkSettings(settings), { message });
  for (const more of [{ audience: 'merit' }, { tokenUse: 'access' }] as const)
    assert.equal(checkSettings({ issuer: 'https://id.example.org', ...more }).issuer, 'https://id.example.org');
  const { url } = await open(t, { issuer: 'http://127.0.0.1:1', audience: 'merit' });
  const answer = await fetch(`${url}/orders?auction=a`, { headers: { authorization: 'Bearer x' } });
  assert.equal(answer.status, 401);
  assert.equal((await fetch(`${url}/.well-known/jwks.json`)).status, 404, 'its keys are elsewhere');
});
