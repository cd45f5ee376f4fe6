/** Tokens over HTTP: how a client gets one of the built-in issuer, what does not hold, rotation, and what another issuer gives. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { checkToken } from '../src/access/tokens.ts';
import { type LocalAccess, openAccess } from '../src/adapters/local/access/access.ts';
import { openAccessControl } from '../src/adapters/local/access/control.ts';
import { hashSecret, newSecret } from '../src/adapters/local/access/secrets.ts';
import { openIdRules } from '../src/adapters/oidc.ts';
import { type AccessHouse, everywhere, hold, openAccessHouse } from './access-house.ts';
import { temporaryFolder } from './cli-house.ts';

const operators = { method: 'POST', path: '/auctions/none/close' } as const;

/** What the token of `authorization` may do with the operator's route: 404 once it got through. */
async function tried(house: AccessHouse, authorization: string) {
  const { status, json, headers } = await house.send(operators.method, operators.path, { authorization });
  return { status, code: json.problems[0]?.code as string | undefined, challenge: headers.get('www-authenticate') };
}

test('a request without a token is asked for one', async (t) => {
  const house = await openAccessHouse(t);
  const { status, json, headers } = await house.ask('none', 'POST', '/auctions/none/close');
  assert.deepEqual([status, json.code, headers.get('www-authenticate')], [401, 'unauthorized', 'Bearer realm="merit"']);
});

test('a token that does not hold is refused 401 wherever it is sent, with what is wrong with it', async (t) => {
  const house = await openAccessHouse(t);
  const { clock, access } = house;
  const now = Math.floor(clock.time / 1000);
  const [published] = access.publishedKeys().keys;
  const publicKey = (await importJWK(published!, 'ES256')) as Parameters<typeof exportSPKI>[0];
  const good = (await access.issue('operator')).token;
  const [, body] = good.split('.');
  const claims = JSON.parse(Buffer.from(body!, 'base64url').toString()) as JWTPayload;
  const { privateKey } = await generateKeyPair('ES256');
  const header = { alg: 'ES256', kid: published!.kid!, typ: 'at+jwt' };
  const forged = (changes: Record<string, unknown> = {}, more: object = {}) =>
    new SignJWT({ ...claims, ...changes }).setProtectedHeader({ ...header, ...more });
  const secret = new TextEncoder().encode(await exportSPKI(publicKey));
  const cases: [string, string, string][] = [
    ['another key', await forged().sign(privateKey), 'token-signature'],
    ['unknown key', await forged({}, { kid: 'x' }).sign(privateKey), 'token-key'],
    ['alg none', new UnsecuredJWT(claims).encode(), 'token-algorithm'],
    ['the public key as a secret', await forged({}, { alg: 'HS256' }).sign(secret), 'token-algorithm'],
    [
      'the kind of key confused',
      `${Buffer.from(JSON.stringify({ ...header, alg: 'RS256' })).toString('base64url')}.${body}.AAAA`,
      'token-key',
    ],
    ['no token', 'x', 'token-malformed'],
    // No JSON Web Signature has such a `kid`, but anybody can write one.
    ...[{}, [], ['x'], 7, null, true].map((kid): [string, string, string] => [
      `a kid that is ${JSON.stringify(kid)}`,
      `${Buffer.from(JSON.stringify({ ...header, kid })).toString('base64url')}.${body}.AAAA`,
      'token-key',
    ]),
  ];
  for (const [what, token, code] of cases)
    for (const path of ['/auctions/none/close', '/markets']) {
      const method = path === '/markets' ? 'GET' : 'POST';
      const { status, json } = await house.send(method, path, { authorization: `Bearer ${token}` });
      assert.deepEqual([status, json.problems[0]?.code], [401, code], what);
    }
  assert.deepEqual((await tried(house, 'Basic b3BzOnNlY3JldA==')).status, 401);

  assert.equal((await tried(house, `Bearer ${good}`)).status, 404);
  clock.time += (3600 + 31) * 1000;
  const expired = await tried(house, `Bearer ${good}`);
  assert.deepEqual([expired.status, expired.code], [401, 'token-expired']);
  assert.match(expired.challenge!, /error="invalid_token", error_description="the token has expired"/);
  clock.time = (now - 3600) * 1000;
  assert.equal(
    (await tried(house, `Bearer ${good}`)).status,
    404,
    'iat says when it was made, nbf when it begins to hold',
  );
});

test('a token of another house does not hold here', async (t) => {
  const house = await openAccessHouse(t);
  const other = openAccess(await temporaryFolder(t), house.clock);
  t.after(() => other.close());
  other.clients.add('operator', ['merit/operator']);
  assert.deepEqual((await tried(house, `Bearer ${(await other.issue('operator')).token}`)).code, 'token-key');
});

test('a reader’s token writes nothing, and a participant’s holds no auction: 403 with the scope that is missing', async (t) => {
  const house = await openAccessHouse(t);
  const auction = await hold(house);
  const order = { record_id: 'o', side: 'buy', price: 1, power: 1 };
  const { status, json, headers } = await house.ask('reader', 'POST', '/orders', { auction, orders: [order] });
  assert.deepEqual([status, json.code], [403, 'forbidden']);
  assert.match(headers.get('www-authenticate')!, /error="insufficient_scope", scope="merit\/orders.write"/);
  assert.equal((await house.ask('acme', 'POST', `/auctions/${auction}/close`)).status, 403);
  assert.equal((await house.ask('operator', 'POST', '/orders', { auction, orders: [order] })).status, 403);
});

test('what is taken from a participant or a client, its old tokens do not give', async (t) => {
  const house = await openAccessHouse(t);
  const { clients } = house.access;
  const post = () => house.ask('acme', 'POST', '/orders', { record_id: 'o', side: 'buy', price: 1, power: 1 });
  assert.equal((await post()).status, 404); // no auction is open
  clients.changeParticipant({ participant: 'acme', client: 'acme', access: 'read', portfolios: [everywhere] });
  assert.equal((await post()).status, 403);
  assert.equal((await house.ask('acme', 'GET', '/orders/x')).status, 404);
  assert(clients.remove('acme'));
  assert.equal((await house.ask('acme', 'GET', '/orders/x')).status, 401);
});

async function withSecret(access: LocalAccess, client: string): Promise<string> {
  const secret = newSecret();
  access.clients.add(client, ['merit/operator', 'merit/auditor'], await hashSecret(secret));
  return secret;
}

test('POST /oauth2/token gives a token for client credentials, in the header or the form', async (t) => {
  const house = await openAccessHouse(t);
  const secret = await withSecret(house.access, 'ops');
  const basic = `Basic ${btoa(`ops:${secret}`)}`;
  const ask = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    house.send('POST', '/oauth2/token', headers, String(new URLSearchParams(form)));
  const grant = { grant_type: 'client_credentials' };
  const { status, json, headers } = await ask(grant, { authorization: basic });
  assert.deepEqual([status, headers.get('cache-control')], [200, 'no-store']);
  const { access_token: token, ...rest } = json;
  assert.deepEqual(rest, { token_type: 'Bearer', expires_in: 3600, scope: 'merit/operator merit/auditor' });
  assert.equal((await tried(house, `Bearer ${token}`)).status, 404);
  const inForm = await ask({ ...grant, client_id: 'ops', client_secret: secret, scope: 'merit/auditor' });
  assert.equal(inForm.json.scope, 'merit/auditor');
  assert.equal((await tried(house, `Bearer ${inForm.json.access_token}`)).status, 403);

  const refusals: [Record<string, string>, string | undefined, number, string][] = [
    [{}, basic, 400, 'invalid_request'],
    [{ grant_type: 'password' }, basic, 400, 'unsupported_grant_type'],
    [{ ...grant, scope: 'merit/orders.write' }, basic, 400, 'invalid_scope'],
    [{ ...grant, scope: 'merit/operator x' }, basic, 400, 'invalid_scope'],
    [grant, undefined, 401, 'invalid_client'],
    [grant, `Basic ${btoa('ops:wrong')}`, 401, 'invalid_client'],
    [grant, `Basic ${btoa(`nobody:${secret}`)}`, 401, 'invalid_client'],
    [grant, 'Basic %', 401, 'invalid_client'],
    [grant, `Basic ${btoa('%zz:%')}`, 401, 'invalid_client'],
    [{ ...grant, client_id: 'operator', client_secret: 'undefined' }, undefined, 401, 'invalid_client'],
    [{ ...grant, client_id: 'operator', client_secret: '' }, undefined, 401, 'invalid_client'],
  ];
  for (const [form, authorization, expected, error] of refusals) {
    const answer = await ask(form, authorization === undefined ? {} : { authorization });
    assert.deepEqual([answer.status, answer.json.error], [expected, error]);
    if (expected === 401) assert.match(answer.headers.get('www-authenticate')!, /^Basic /);
  }
  const [wrong, unknown] = await Promise.all(
    [`ops:wrong`, `nobody:wrong`].map((pair) => ask(grant, { authorization: `Basic ${btoa(pair)}` })),
  );
  assert.deepEqual(wrong!.json, unknown!.json, 'nobody learns which clients there are');
});

test('keys rotate: old tokens hold until they expire, then their key is gone; revoked, they hold no more', async (t) => {
  const house = await openAccessHouse(t);
  const { access, clock } = house;
  const kids = () => access.publishedKeys().keys.map(({ kid }) => kid);
  const [first] = kids();
  const old = `Bearer ${(await access.issue('operator', undefined, 25 * 3600)).token}`;
  access.rotateKeys();
  assert.equal(kids().length, 2);
  const young = `Bearer ${(await access.issue('operator', undefined, 48 * 3600)).token}`;
  assert.deepEqual([(await tried(house, old)).status, (await tried(house, young)).status], [404, 404]);
  clock.time += (25 * 3600 - 1) * 1000;
  assert.equal((await tried(house, old)).status, 404);
  clock.time += 40_000;
  assert.equal((await tried(house, old)).status, 401);
  assert(!kids().includes(first) && kids().length === 1, 'the key went with its last token');
  access.rotateKeys(true);
  assert.deepEqual([(await tried(house, young)).code, kids().length], ['token-key', 1]);
  const { json } = await house.ask('none', 'GET', '/.well-known/jwks.json');
  assert.deepEqual(Object.keys(json.keys[0]).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], 'no private half');
});

test('openAccess() keeps keys, issuer and clients, hashes secrets, and lets nobody else read the file', async (t) => {
  const folder = await temporaryFolder(t);
  const clock = { now: () => new Date() };
  const before = openAccess(folder, clock);
  const secret = await withSecret(before, 'ops');
  const { token } = await before.issue('ops');
  assert.doesNotMatch(before.clients.get('ops')!.secret!, new RegExp(secret));
  before.close();
  const after = openAccess(folder, clock);
  t.after(() => after.close());
  assert.equal((await after.identify(token)).client, 'ops');
  assert.equal(typeof (await after.tokenFor('ops', secret)), 'object');
  assert.equal((await stat(join(folder, 'access.sqlite'))).mode & 0o777, 0o600);
  assert.throws(() => after.clients.add('ops', []), { code: 'conflict' });
  assert.throws(() => after.clients.add('a b', []), { code: 'invalid-request' });
  const participant = { participant: 'acme', client: 'c1', access: 'write', portfolios: [everywhere] } as const;
  after.clients.addParticipant(participant);
  assert.throws(() => after.clients.addParticipant({ ...participant, client: 'c2' }), { code: 'conflict' });
  assert.throws(() => after.clients.addParticipant({ ...participant, participant: 'x', client: 'y', portfolios: [] }), {
    code: 'invalid-request',
  });
  await assert.rejects(after.issue('nobody'), { code: 'not-found' });
  await assert.rejects(after.issue('acme'), { code: 'not-found' });
  await assert.rejects(after.issue('ops', ['merit/orders.write']), { code: 'forbidden' });
});

/** An OIDC issuer on the loopback, with what a test makes of its answers. */
async function openIssuer(t: TestContext) {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256' };
  const state = { issuer: '', isDown: false, asked: 0, says: undefined as string | undefined };
  const server = createServer((request, response) => {
    state.asked++;
    if (state.isDown) return response.writeHead(503).end('no');
    const document = { issuer: state.says ?? state.issuer, jwks_uri: `${state.issuer}/keys` };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [key] } : document));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  state.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (claims: JWTPayload) =>
    new SignJWT({ iss: state.issuer, aud: 'merit', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: 'k' })
      .setExpirationTime('1h')
      .sign(privateKey);
  return { state, sign };
}

test('openIdRules() finds the keys of any issuer by its discovery document, and asks for them once', async (t) => {
  const { state, sign } = await openIssuer(t);
  const rules = openIdRules({ issuer: state.issuer, audience: 'merit' });
  const token = await sign({ azp: 'desk', scope: 'merit/auditor' });
  const claims = await Promise.all([checkToken(token, rules), checkToken(token, rules)]);
  assert.deepEqual(
    claims.map(({ client, scopes }) => [client, scopes]),
    [
      ['desk', ['merit/auditor']],
      ['desk', ['merit/auditor']],
    ],
  );
  await checkToken(token, rules);
  assert.equal(state.asked, 2);
  await assert.rejects(checkToken(await sign({ azp: 'desk', aud: 'other' }), rules), { code: 'unauthorized' });
});

test('a client of another issuer is the participant that the house knows it as, with the scopes of its token', async (t) => {
  const { state, sign } = await openIssuer(t);
  const folder = await temporaryFolder(t);
  const registry = openAccess(folder, { now: () => new Date() });
  t.after(() => registry.close());
  registry.clients.addParticipant({ participant: 'acme', client: '5f2c', access: 'read', portfolios: [everywhere] });
  const settings = { issuer: state.issuer, audience: 'merit' };
  const control = openAccessControl(settings, folder, { now: () => new Date() });
  t.after(() => control.close());
  const identity = async (azp: string, scope: string) => control.identify(await sign({ azp, scope }));
  const all = 'merit/orders.read merit/orders.write merit/auditor';
  assert.deepEqual(await identity('5f2c', all), {
    client: '5f2c',
    scopes: ['merit/orders.read', 'merit/auditor'],
    participant: 'acme',
    portfolios: [everywhere],
  });
  assert.deepEqual(await identity('acme', all.slice(0, 17)), { client: 'acme', scopes: ['merit/orders.read'] });
  // The house has an issuer of its own in the same folder, whose tokens do not hold while it takes another's.
  await assert.rejects(control.identify((await registry.issue('5f2c')).token), { code: 'unauthorized' });
});

test('openIdRules() does not let anybody in while the issuer is away, or is another than it says', async (t) => {
  const { state, sign } = await openIssuer(t);
  const token = await sign({ azp: 'desk' });
  state.isDown = true;
  await assert.rejects(checkToken(token, openIdRules({ issuer: state.issuer, audience: 'merit' })), {
    code: 'unavailable',
  });
  state.isDown = false;
  state.says = 'http://elsewhere.example.org';
  await assert.rejects(checkToken(token, openIdRules({ issuer: state.issuer, audience: 'merit' })), {
    code: 'unavailable',
    message: /is of issuer http:\/\/elsewhere/,
  });
});
