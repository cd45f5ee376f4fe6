/** A token that holds, and every way in which one does not. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createLocalJWKSet,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { AuctionError } from '../market/errors.ts';
import { AccessError } from './refusal.ts';
import { bearerToken, checkToken, type TokenRules } from './tokens.ts';

const issuer = 'urn:example:issuer';
const audience = 'merit';
const keys = { ES256: await generateKeyPair('ES256'), RS256: await generateKeyPair('RS256') };
const stranger = await generateKeyPair('ES256');
const published = await Promise.all(
  (['ES256', 'RS256'] as const).map(async (alg) => ({
    ...(await exportJWK(keys[alg].publicKey)),
    kid: alg,
    alg,
    use: 'sig',
  })),
);
const rules: TokenRules = { issuer, audience, keys: createLocalJWKSet({ keys: published }) };
const now = () => Math.floor(Date.now() / 1000);

/** A good token, but for what is changed; `undefined` takes a claim out. */
function sign(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: Parameters<SignJWT['sign']>[0] = keys.ES256.privateKey,
): Promise<string> {
  const good = {
    iss: issuer,
    aud: audience,
    client_id: 'acme',
    scope: 'merit/orders.read',
    iat: now(),
    exp: now() + 60,
  };
  const payload = Object.fromEntries(
    Object.entries({ ...good, ...claims }).filter(([, value]) => value !== undefined),
  ) as JWTPayload;
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'ES256', ...header }).sign(key);
}

const refused = async (token: string, code: string, changes: Partial<TokenRules> = {}) =>
  assert.rejects(checkToken(token, { ...rules, ...changes }), (error) => {
    assert(error instanceof AccessError, String(error));
    assert.equal(error.code, 'unauthorized');
    assert.equal(error.problems[0]?.code, code, `${error.message} (${(error.cause as Error | undefined)?.message})`);
    assert.match(error.challenge, /^Bearer realm="merit", error="invalid_token", error_description="[^"]+"$/);
    return true;
  });

test('checkToken() takes a token of the issuer, signed ES256 or RS256, and reads client and scopes', async () => {
  const token = await sign({ scope: 'openid merit/orders.write merit/operator2 merit/orders.read' });
  const { client, scopes, expires } = await checkToken(token, rules);
  assert.deepEqual([client, scopes], ['acme', ['merit/orders.read', 'merit/orders.write']]);
  assert(expires > now());
  assert.equal(
    (await checkToken(await sign({}, { alg: 'RS256', kid: 'RS256' }, keys.RS256.privateKey), rules)).client,
    'acme',
  );
  assert.equal((await checkToken(await sign({ client_id: undefined, azp: 'a', sub: 's' }), rules)).client, 'a');
  assert.equal((await checkToken(await sign({ client_id: undefined, sub: 's' }), rules)).client, 's');
});

test('checkToken() forgives half a minute between the clocks', async () => {
  assert.equal((await checkToken(await sign({ exp: now() - 20, nbf: now() + 20 }), rules)).client, 'acme');
});

test('checkToken() refuses a token that is expired, not yet valid, without expiry, of another issuer or audience', async () => {
  await refused(await sign({ exp: now() - 60 }), 'token-expired');
  await refused(await sign({ nbf: now() + 60 }), 'token-not-yet-valid');
  await refused(await sign({ exp: undefined }), 'token-expiry');
  await refused(await sign({ iss: `${issuer}/` }), 'token-issuer');
  await refused(await sign({ iss: undefined }), 'token-issuer');
  await refused(await sign({ aud: 'another' }), 'token-audience');
  await refused(await sign({ aud: undefined }), 'token-audience');
});

test('checkToken() refuses unsigned tokens, shared secrets, other algorithms and keys, and a changed payload', async () => {
  const claims = { iss: issuer, aud: audience, client_id: 'acme', scope: 'merit/operator' };
  const unsigned = new UnsecuredJWT(claims).setExpirationTime('1h').encode();
  await refused(unsigned, 'token-algorithm');
  // The public key of the issuer is known to everybody: as a shared secret it must not open anything.
  for (const secret of [await exportSPKI(keys.RS256.publicKey), JSON.stringify(published[1])])
    await refused(await sign({}, { alg: 'HS256', kid: 'RS256' }, new TextEncoder().encode(secret)), 'token-algorithm');
  const { privateKey } = await generateKeyPair('RS512');
  await refused(await sign({}, { alg: 'RS512', kid: 'RS256' }, privateKey), 'token-algorithm');
  await refused(await sign({}, {}, stranger.privateKey), 'token-signature');
  await refused(await sign({}, { kid: 'another' }, stranger.privateKey), 'token-key');
  const own = { ...(await exportJWK(stranger.publicKey)), kid: 'ES256' };
  await refused(await sign({}, { jwk: own }, stranger.privateKey), 'token-signature');
  const [header, , signature] = (await sign()).split('.');
  const payload = Buffer.from(JSON.stringify({ ...claims, exp: now() + 60 })).toString('base64url');
  await refused([header, payload, signature].join('.'), 'token-signature');
});

test('checkToken() refuses what is no token, names no client, or is for another use', async () => {
  for (const text of ['x', 'a.b.c', `${await sign()}x.y`, '']) await refused(text, 'token-malformed');
  await refused(await sign({ client_id: undefined }), 'token-client');
  await refused(await sign({ client_id: 7 }), 'token-client');
  const cognito: TokenRules = { issuer, keys: rules.keys, tokenUse: 'access' };
  assert.equal((await checkToken(await sign({ aud: undefined, token_use: 'access' }), cognito)).client, 'acme');
  await refused(await sign({ token_use: 'id' }), 'token-use', cognito);
  await refused(await sign(), 'token-use', { type: 'at+jwt' });
  await refused(await sign({}, { typ: 'JWT' }), 'token-use', { type: 'at+jwt' });
});

test('checkToken() gives no scope for a claim that is no text, and none for words that only look like one', async () => {
  for (const scope of [
    undefined,
    ['merit/operator'],
    { 0: 'merit/operator' },
    'merit/operatorx',
    'MERIT/OPERATOR',
    'merit/',
  ])
    assert.deepEqual((await checkToken(await sign({ scope, roles: ['operator'], role: 'auditor' }), rules)).scopes, []);
});

test('checkToken() says that the keys cannot be had, rather than that the token is bad', async () => {
  const unreachable = () => Promise.reject(new TypeError('fetch failed'));
  await assert.rejects(
    checkToken(await sign(), { ...rules, keys: unreachable }),
    (error) => error instanceof AuctionError && error.code === 'unavailable',
  );
});

test('bearerToken() takes the token of a Bearer header, finds none without header, and refuses others', () => {
  assert.equal(bearerToken(undefined), undefined);
  assert.equal(bearerToken('bearer a.b-c'), 'a.b-c');
  for (const header of ['', 'Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', 'Bearer a,Bearer b'])
    assert.throws(() => bearerToken(header), { code: 'unauthorized' });
});
