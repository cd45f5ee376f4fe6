/**
 * Who calls, and where the call counts: what the gateway asks before every request.
 *
 * The token is checked as on one machine, its client looked up, and who calls is handed on to the function that answers, which decides by
 * the table of routes (`access/routes.ts`). A token that does not hold is handed on as such and refused there: so that such calls have
 * a plan too, which a gateway applies to those alone whom its authorizer lets through. Nothing is cached, so a client that was struck
 * from the registry is out at once, whatever it was.
 */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createRemoteJWKSet } from 'jose';
import * as z from 'zod';
import { identify } from '../access/identity.ts';
import { AccessError, tokenInvalid } from '../access/refusal.ts';
import { bearerToken, checkToken, type TokenRules } from '../access/tokens.ts';
import { openDatabase } from '../adapters/aws/database.ts';
import { openRegistry } from '../adapters/aws/participants.ts';
import { patience } from '../adapters/aws/stores.ts';
import { readEnvironment } from './environment.ts';
import { type Handed, handedOn } from './handed-on.ts';
import { logger, observed } from './observed.ts';

const { PARTICIPANTS_TABLE, TOKEN_ISSUER, TOKEN_KEYS_URL, PUBLIC_USAGE_KEY, REFUSED_USAGE_KEY } = readEnvironment(
  process.env,
);
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
  headers: z.record(z.string(), z.string()).nullish(),
});

export const handler = observed(async (event: unknown) => {
  const { methodArn, headers } = request.parse(event);
  const { usageKey, ...handed } = await callerOf(headers ?? {}).catch((error: unknown) => {
    if (!(error instanceof AccessError)) throw error;
    const [problem] = error.problems;
    logger.info('refused', { code: problem?.code, why: error.message });
    return { usageKey: REFUSED_USAGE_KEY, refusal: { code: problem!.code, message: error.message } };
  });
  return {
    principalId: 'identity' in handed ? handed.identity.client : 'public',
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
    },
    usageIdentifierKey: usageKey,
    context: handedOn(handed),
  };
});

/** @throws AccessError for a token that does not hold, or whose client is not registered */
async function callerOf(headers: Readonly<Record<string, string>>): Promise<Handed & { readonly usageKey: string }> {
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'authorization');
  const token = bearerToken(name && headers[name]);
  if (token === undefined) return { usageKey: PUBLIC_USAGE_KEY };
  const claims = await checkToken(token, rules);
  const registered = await registry.get(claims.client);
  if (registered === undefined) throw tokenInvalid('token-client', 'the client of this token is not known here');
  // What was taken from a client since, its old tokens do not give.
  const scopes = claims.scopes.filter((scope) => registered.scopes?.includes(scope) ?? true);
  const identity = await identify({ ...claims, scopes }, { find: async () => registered.participant });
  return { usageKey: registered.usageKey, identity };
}
