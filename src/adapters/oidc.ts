/** Any OIDC issuer: its keys are found by its discovery document (OpenID Connect Discovery 1.0) and fetched by jose. */

import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import * as z from 'zod';
import type { TokenRules } from '../access/tokens.ts';
import { AuctionError } from '../market/errors.ts';

const patienceMs = 5000;
/** After a failure the issuer is left alone for so long. */
const restMs = 2000;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });

export const discoveryUrl = (issuer: string): string =>
  `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;

/** The document is fetched with the first token, and again as long as that fails: the issuer may start after the house. */
export function openIdRules(rules: Omit<TokenRules, 'keys'>): TokenRules {
  let found: Promise<JWTVerifyGetKey> | undefined;
  const discover = (): Promise<JWTVerifyGetKey> => {
    const made = keysOf(rules.issuer);
    made.catch(() => setTimeout(() => (found = undefined), restMs).unref());
    return made;
  };
  const keys: JWTVerifyGetKey = async (...asked) => {
    found ??= discover();
    return (await found)(...asked);
  };
  return { ...rules, keys };
}

async function keysOf(issuer: string): Promise<JWTVerifyGetKey> {
  const url = discoveryUrl(issuer);
  const fail = (why: string, cause?: unknown) => new AuctionError('unavailable', `${url} ${why}`, [], { cause });
  const response = await fetch(url, { signal: AbortSignal.timeout(patienceMs), redirect: 'error' }).catch((cause) => {
    throw fail('cannot be reached', cause);
  });
  const json = await response.json().catch(() => undefined);
  const { success, data } = discovery.safeParse(json);
  if (!response.ok || !success) throw fail(`answers ${response.status}, not with a discovery document`);
  if (data.issuer !== issuer) throw fail(`is of issuer ${data.issuer}, not ${issuer}`);
  return createRemoteJWKSet(new URL(data.jwks_uri), { timeoutDuration: patienceMs });
}
