/** The OpenAPI 3.1 document, made from the routes and the schemas that check the requests. */

import * as z from 'zod';
import { scopeMeanings } from '../access/roles.ts';
import { accessOf } from '../access/routes.ts';
import { type ProblemCode, problemDetails, problemTypes } from './problems.ts';
import type { Answer, Route } from './route.ts';

type Json = Record<string, unknown>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly servers: Json[];
  readonly tags: Json[];
  readonly paths: Record<string, Record<string, Json>>;
  readonly components: { readonly schemas: Json; readonly securitySchemes?: Json };
}

/** Where a client gets its token, in a house with access control. */
export interface TokenSource {
  /** Client credentials are sent there; relative to the API, or elsewhere. */
  readonly tokenUrl?: string;
  /** The discovery document of an OIDC issuer. */
  readonly openIdConnectUrl?: string;
}

export function openApiDocument(
  routes: readonly Route[],
  { root = '/', ...info }: { title: string; version: string; root?: string },
  tokens?: TokenSource,
): OpenApiDocument {
  const securitySchemes = tokens && schemesOf(tokens);
  const schemas: Json = {};
  /** JSON schema of one place; the schemas with an id go to the components. */
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output'): Json => {
    const { $schema: _, $defs, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
    Object.assign(schemas, inComponents($defs ?? {}));
    return inComponents(json) as Json;
  };
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    paths[route.path]![route.method] = {
      ...operation(route, schemaOf),
      ...(securitySchemes && { security: securityOf(route, Object.keys(securitySchemes)) }),
    };
  }
  const tags = [...new Set(routes.map((r) => r.tag))].map((name) => ({ name }));
  return {
    openapi: '3.1.0',
    info,
    servers: [{ url: root }],
    tags,
    paths,
    components: { schemas, ...(securitySchemes && { securitySchemes }) },
  };
}

function schemesOf({ tokenUrl, openIdConnectUrl }: TokenSource): Json {
  const bearer = { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' };
  const flows = { clientCredentials: { tokenUrl, scopes: scopeMeanings } };
  return {
    ...(tokenUrl !== undefined && { oauth2: { type: 'oauth2', flows } }),
    ...(openIdConnectUrl !== undefined && { openIdConnect: { type: 'openIdConnect', openIdConnectUrl } }),
    bearer,
  };
}

/** Any of these will do: each scheme with each scope that opens the route. Nothing for a public one. */
function securityOf({ method, path }: Route, schemes: readonly string[]): Json[] {
  const access = accessOf(method, path);
  if (access === 'public' || access === undefined) return [];
  return schemes.flatMap((scheme) => access.anyOf.map((scope) => ({ [scheme]: [scope] })));
}

const named = (examples: Readonly<Record<string, unknown>>): Json =>
  Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));

type SchemaOf = (schema: z.ZodType, io: 'input' | 'output') => Json;

function operation(route: Route, schemaOf: SchemaOf): Json {
  const body = route.documentedBody ?? route.body;
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description && { description: route.description }),
    parameters: [
      ...parameters(route.params, 'path', schemaOf),
      ...parameters(route.query, 'query', schemaOf),
      ...parameters(route.headers, 'header', schemaOf),
    ],
    ...(route.documentedStream && {
      requestBody: {
        required: true,
        content: Object.fromEntries(route.documentedStream.map((type) => [type, { schema: { type: 'string' } }])),
      },
    }),
    ...(route.documentedForm && {
      requestBody: {
        required: true,
        content: { 'application/x-www-form-urlencoded': { schema: schemaOf(route.documentedForm, 'input') } },
      },
    }),
    ...(body && {
      requestBody: {
        required: !route.bodyOptional,
        content: {
          'application/json': {
            schema: schemaOf(body, 'input'),
            ...(route.examples && { examples: named(route.examples) }),
          },
        },
      },
    }),
    responses: bothOf(answers(route.answers, schemaOf), errorAnswers(route, schemaOf)),
  };
}

interface DocumentedAnswer {
  readonly description: string;
  readonly content?: Json;
  readonly headers?: Json;
}

/** A status may have an answer of the route's own and problem details: then it is described by both. */
function bothOf(own: Record<string, DocumentedAnswer>, errors: Record<string, DocumentedAnswer>): Json {
  const shared = Object.keys(own).filter((status) => status in errors);
  const merged = shared.map((status) => [
    status,
    {
      ...errors[status],
      description: `${own[status]!.description}\n\n${errors[status]!.description}`,
      content: { ...own[status]!.content, ...errors[status]!.content },
    },
  ]);
  return { ...own, ...errors, ...Object.fromEntries(merged) };
}

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query' | 'header', schemaOf: SchemaOf): Json[] {
  if (!schema) return [];
  // A query is text; what it has to be once it is read, such as a whole number within bounds, is what a client wants to know.
  const { properties } = schemaOf(schema, 'output') as { properties: Record<string, Json> };
  const { required = [] } = schemaOf(schema, 'input') as { required?: string[] };
  return Object.entries(properties).map(([name, { description, ...json }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: json,
  }));
}

const answers = (all: Readonly<Record<number, Answer>>, schemaOf: SchemaOf): Record<string, DocumentedAnswer> =>
  Object.fromEntries(
    Object.entries(all).map(([status, { description, schema, type }]) => [
      status,
      {
        description,
        ...((schema || type) && {
          content: {
            ...(schema && { 'application/json': { schema: schemaOf(schema, 'output') } }),
            ...(type && { [type]: { schema: { type: 'string' } } }),
          },
        }),
      },
    ]),
  );

/**
 * The codes that a route may answer with: its own, those that come with its query and its body, and with who calls. A public route
 * refuses a token too that does not hold.
 */
export const errorsOf = (route: Route): ProblemCode[] => {
  const withBody: ProblemCode[] = ['invalid-request', 'too-large', 'unsupported-media-type'];
  const own: readonly ProblemCode[] = route.errors ?? [];
  const isPublic = accessOf(route.method, route.path) === 'public';
  const caller: ProblemCode[] = isPublic ? ['unauthorized'] : ['unauthorized', 'forbidden'];
  const ours: ProblemCode[] = ['too-many-requests', 'damaged-data', 'internal'];
  return [...new Set<ProblemCode>([...own, ...caller, 'invalid-request', ...(route.body ? withBody : []), ...ours])];
};

function errorAnswers(route: Route, schemaOf: SchemaOf): Record<string, DocumentedAnswer> {
  const byStatus = Map.groupBy(errorsOf(route), (code) => problemTypes[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${problemTypes[code].title}`).join('\n\n'),
        content: { 'application/problem+json': { schema: schemaOf(problemDetails, 'output') } },
        ...(codes.includes('unauthorized') && { headers: challenge }),
      },
    ]),
  );
}

const challenge = {
  'WWW-Authenticate': { required: true, schema: { type: 'string' }, description: 'what to bring: RFC 6750 section 3' },
};

const inComponents = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));
