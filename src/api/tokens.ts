/** The issuer of the house, where it has one of its own: its public keys, and tokens for client credentials. */

import type { Context } from 'hono';
import * as z from 'zod';
import type { Issuer, TokenRefusal } from '../access/issuer.ts';
import { readForm } from './body.ts';
import { type Route, route } from './route.ts';

/** A form with a client's credentials needs no more. */
const formLimit = 10_000;

const keySet = z
  .strictObject({ keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })) })
  .meta({ id: 'KeySet', description: 'JSON Web Key Set, RFC 7517' });

const tokenRequest = z
  .object({
    grant_type: z.literal('client_credentials'),
    scope: z.string().exactOptional().meta({ description: 'separated by spaces; all that the client has unless said' }),
    client_id: z.string().exactOptional().meta({ description: 'unless it stands in the header, by Basic' }),
    client_secret: z.string().exactOptional(),
  })
  .meta({ id: 'TokenRequest', description: 'Client credentials, RFC 6749 section 4.4' });

const tokenAnswer = z
  .strictObject({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int().meta({ description: 'seconds' }),
    scope: z.string(),
  })
  .meta({ id: 'TokenAnswer' });

const refusals = ['invalid_request', 'unsupported_grant_type', 'invalid_client', 'invalid_scope'] as const;

const tokenRefusal = z
  .strictObject({ error: z.enum(refusals), error_description: z.string() })
  .meta({ id: 'TokenRefusal', description: 'RFC 6749 section 5.2' });

export const tokenRoutes = (issuer: Issuer): Route[] => [
  route({
    id: 'readKeys',
    method: 'get',
    path: '/.well-known/jwks.json',
    tag: 'Access',
    summary: 'The public keys that tokens are signed with',
    answers: { 200: { description: 'A key set', schema: keySet } },
    handle: (c) => c.json(issuer.publishedKeys(), 200, { 'cache-control': 'public, max-age=300' }),
  }),
  route({
    id: 'issueToken',
    method: 'post',
    path: '/oauth2/token',
    tag: 'Access',
    summary: 'A token for client credentials',
    hasOwnCredentials: true,
    documentedForm: tokenRequest,
    answers: {
      200: { description: 'The token', schema: tokenAnswer },
      400: { description: 'Not a request for a token, or a scope that the client does not have', schema: tokenRefusal },
      401: { description: 'The client is not known, or its secret is not right', schema: tokenRefusal },
    },
    errors: ['too-large'],
    handle: async (c) => {
      const form = await readForm(c, formLimit);
      const grant = form.get('grant_type');
      if (grant === null) return refuse(c, 'invalid_request', 'grant_type is missing; send a form');
      if (grant !== 'client_credentials') return refuse(c, 'unsupported_grant_type', 'it is client_credentials here');
      const twice = [...new Set(form.keys())].find((name) => form.getAll(name).length > 1);
      if (twice !== undefined) return refuse(c, 'invalid_request', 'a parameter is there twice');
      const credentials = credentialsOf(c.req.header('authorization'), form);
      if (!credentials) return refuse(c, 'invalid_client', meaning.invalid_client);
      const issued = await issuer.tokenFor(...credentials, form.get('scope') ?? undefined);
      if (typeof issued === 'string') return refuse(c, issued, meaning[issued]);
      const { token, lifetime, scopes } = issued;
      const answer = { access_token: token, token_type: 'Bearer', expires_in: lifetime, scope: scopes.join(' ') };
      return c.json(answer, 200, { 'cache-control': 'no-store' });
    },
  }),
];

const meaning: Readonly<Record<TokenRefusal, string>> = {
  invalid_client: 'the client is not known, or its secret is not right',
  invalid_scope: 'the client does not have such a scope',
};

function refuse(c: Context, error: (typeof refusals)[number], error_description: string): Response {
  const isUnknown = error === 'invalid_client';
  const headers = { 'cache-control': 'no-store', ...(isUnknown && { 'www-authenticate': 'Basic realm="merit"' }) };
  return c.json({ error, error_description }, isUnknown ? 401 : 400, headers);
}

/** Client and secret from the header, or else from the form (RFC 6749, 2.3.1): in the header each is form-encoded first. */
function credentialsOf(header: string | undefined, form: URLSearchParams): [string, string] | undefined {
  if (header === undefined) {
    const [client, secret] = [form.get('client_id'), form.get('client_secret')];
    return client && secret ? [client, secret] : undefined;
  }
  const [, basic] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header) ?? [];
  const [, client, secret] = /^([^:]+):(.+)$/s.exec(Buffer.from(basic ?? '', 'base64').toString()) ?? [];
  if (client === undefined || secret === undefined) return undefined;
  try {
    return [decodeURIComponent(client), decodeURIComponent(secret)];
  } catch {
    return undefined; // no credentials can be read in it
  }
}
