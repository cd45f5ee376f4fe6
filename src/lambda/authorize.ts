/**
 * Who may call which route: what the gateway asks before every request.
 *
 * The token is checked as on one machine, the route is decided by the same table, and who calls is handed on to the function that
 * answers, which decides once more. Nothing is cached, so a client that was struck from the registry is out at once.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createRemoteJWKSet } from 'jose';
import * as z from 'zod';
import { type Identity, identify } from '../access/identity.ts';
import { AccessError } from '../access/refusal.ts';
import { accessOf, permit } from '../access/routes.ts';
import { bearerToken, checkToken, type TokenRules } from '../access/tokens.ts';
import { openDatabase } from '../adapters/aws/database.ts';
import { openRegistry } from '../adapters/aws/participants.ts';
import { patience } from '../adapters/aws/stores.ts';
import { readEnvironment } from './environment.ts';
import { type Handler, logger, observed } from './observed.ts';

const { PARTICIPANTS_TABLE, TOKEN_ISSUER, TOKEN_KEYS_URL, PUBLIC_USAGE_KEY } = readEnvironment(process.env);
const registry = openRegistry(openDatabase(new DynamoDBClient(patience)), PARTICIPANTS_TABLE);
const rules: TokenRules = {
  issuer: TOKEN_ISSUER,
  // The same service elsewhere, where the SDK's clients are told to look for it elsewhere.
  keys: createRemoteJWKSet(
    new URL(
      process.env.AWS_ENDPOINT_URL ? new URL(TOKEN_KEYS_URL).pathname : TOKEN_KEYS_URL,
      process.env.AWS_ENDPOINT_URL,
    ),
    { timeoutDuration: 5000 },
  ),
  tokenUse: 'access',
};

const request = z.object({
  methodArn: z.string(),
  /** The route's template, as the gateway has it. */
  resource: z.string(),
  httpMethod: z.string(),
  headers: z.record(z.string(), z.string()).nullish(),
});

interface Caller {
  readonly identity?: Identity;
  readonly usageKey: string;
}

const unauthorized = Symbol('unauthorized');

const decide = observed(async (event: unknown) => {
  const { methodArn, resource, httpMethod, headers } = request.parse(event);
  try {
    const { identity, usageKey } = await callerOf(headers ?? {});
    // What the house has no route for it answers itself: 404, or 405.
    const access = accessOf(httpMethod, resource);
    if (access !== undefined) permit(access, identity);
    return answer('Allow', methodArn, { usageKey, ...(identity && { identity }) });
  } catch (error) {
    if (!(error instanceof AccessError)) throw error;
    logger.info('refused', { resource, httpMethod, code: error.code, why: error.message });
    if (error.code === 'unauthorized') return unauthorized;
    return answer('Deny', methodArn, { usageKey: PUBLIC_USAGE_KEY });
  }
});

/** @throws Error `Unauthorized`: the word that the gateway makes 401 of. It is no fault, so nobody counts it as one */
export const handler: Handler<unknown, object> = async (event, context) => {
  const decided = await decide(event, context);
  if (decided === unauthorized) throw new Error('Unauthorized');
  return decided;
};

/** @throws AccessError for a token that does not hold */
async function callerOf(headers: Readonly<Record<string, string>>): Promise<Caller> {
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'authorization');
  const token = bearerToken(name && headers[name]);
  if (token === undefined) return { usageKey: PUBLIC_USAGE_KEY };
  const claims = await checkToken(token, rules);
  const registered = await registry.get(claims.client);
  const identity = await identify(claims, { find: async () => registered?.participant });
  return { identity, usageKey: registered?.usageKey ?? PUBLIC_USAGE_KEY };
}

const answer = (Effect: 'Allow' | 'Deny', Resource: string, { identity, usageKey }: Caller) => ({
  principalId: identity?.client ?? 'public',
  policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource }] },
  usageIdentifierKey: usageKey,
  // Values are texts: that is all that the gateway hands on.
  context: identity === undefined ? {} : { identity: JSON.stringify(identity) },
});
