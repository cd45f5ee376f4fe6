/**
 * Tokens: signed JWTs (RFC 7519), checked against the keys of one issuer.
 *
 * The same check holds for the issuer of the house itself, for Cognito, and for any other OIDC issuer. What differs between
 * them stands in `TokenRules`. `jose` verifies; what it found wrong is told in a code and a sentence about the token alone.
 */

import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { AuctionError } from '../market/errors.ts';
import { tokenInvalid } from './refusal.ts';
import { readScopes, type Scope } from './roles.ts';

/** Signatures by a key that only the issuer has. No shared secrets, and never `none`. */
export const algorithms = ['ES256', 'RS256'];

/** Seconds by which the clocks of issuer and house may differ. */
export const clockToleranceSeconds = 30;

export interface TokenRules {
  /** The `iss` of a token, to the letter. */
  readonly issuer: string;
  /** Finds the key that a token names; from `createLocalJWKSet` or `createRemoteJWKSet` of jose, or alike. */
  readonly keys: JWTVerifyGetKey;
  /** One of the token's `aud`. An issuer that serves other houses too needs it, or `tokenUse`. */
  readonly audience?: string;
  /** Cognito's access tokens have no audience; they say `token_use: access`, where an identity token says `id`. */
  readonly tokenUse?: 'access';
  /** The `typ` of its header, where the issuer writes one (RFC 9068). */
  readonly type?: 'at+jwt';
  /** The time now; the machine's unless given. */
  readonly now?: () => Date;
}

export interface TokenClaims {
  /** Who calls: `client_id`, else `azp`, else `sub`. */
  readonly client: string;
  readonly scopes: readonly Scope[];
  /** Unix seconds from which on the token does not hold any more. */
  readonly expires: number;
}

/** The token of an `Authorization` header; `undefined` without one. @throws AccessError for another scheme than `Bearer` */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  const [, token] = /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization) ?? [];
  if (token === undefined) throw tokenInvalid('token-malformed', 'the Authorization header is not Bearer and a token');
  return token;
}

/**
 * @throws AccessError `unauthorized` for a token that does not hold, with what is wrong as its problem's code; AuctionError
 *         `unavailable` when the issuer's keys cannot be had
 */
export async function checkToken(token: string, rules: TokenRules): Promise<TokenClaims> {
  const { issuer, keys, audience, tokenUse, type, now } = rules;
  const { payload } = await jwtVerify(token, keys, {
    algorithms,
    issuer,
    clockTolerance: clockToleranceSeconds,
    requiredClaims: ['exp'],
    ...(audience !== undefined && { audience }),
    ...(type !== undefined && { typ: type }),
    ...(now && { currentDate: now() }),
  }).catch((error: unknown) => {
    throw refusalOf(error);
  });
  if (tokenUse !== undefined && payload.token_use !== tokenUse)
    throw tokenInvalid('token-use', `this is not an ${tokenUse} token`);
  return { client: clientOf(payload), scopes: readScopes(payload.scope), expires: payload.exp! };
}

function clientOf({ client_id, azp, sub }: JWTPayload): string {
  const client = client_id ?? azp ?? sub;
  if (typeof client !== 'string' || client === '')
    throw tokenInvalid('token-client', 'the token names no client: client_id, azp or sub');
  return client;
}

const claimFaults: Readonly<Record<string, readonly [code: string, why: string]>> = {
  iss: ['token-issuer', 'the token is of another issuer'],
  aud: ['token-audience', 'the token is for another audience'],
  nbf: ['token-not-yet-valid', 'the token does not hold yet'],
  exp: ['token-expiry', 'the token does not say when it expires'],
  typ: ['token-use', 'this is not an access token'],
};

function refusalOf(error: unknown): Error {
  const options = { cause: error };
  const no = (code: string, why: string) => tokenInvalid(code, why, options);
  // Our own verdicts (of a key finder) pass through.
  if (error instanceof AuctionError) return error;
  if (error instanceof errors.JWTExpired) return no('token-expired', 'the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const [code, why] = claimFaults[error.claim] ?? ['token-claim', 'a claim of the token is not as it has to be'];
    return no(code, why);
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return no('token-algorithm', `the token is not signed by one of ${algorithms.join(', ')}`);
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return no('token-key', 'the token is signed with a key that does not hold here');
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return no('token-signature', 'the signature of the token is not right');
  if (isUnreachable(error))
    return new AuctionError('unavailable', 'the keys of the issuer cannot be had now', [], options);
  if (error instanceof errors.JOSEError) return no('token-malformed', 'this is no token that can be read');
  // A key of another kind than the header claims is refused by the platform, before any signature is looked at.
  if (error instanceof TypeError || error instanceof DOMException)
    return no('token-key', 'the token is signed with a key that does not hold here');
  return error instanceof Error ? error : new Error(String(error));
}

/** jose's own error for a timeout, its plain one for an answer that is no key set, and `fetch failed`. */
const isUnreachable = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout ||
  error instanceof errors.JWKSInvalid ||
  (error instanceof errors.JOSEError && error.code === 'ERR_JOSE_GENERIC') ||
  (error instanceof TypeError && error.message === 'fetch failed');
