/** The OpenAPI 3.1 document, made from the routes and the schemas that check the requests. */

import * as z from 'zod';
import { type ProblemCode, problemDetails, problemTypes } from './problems.ts';
import type { Answer, Route } from './route.ts';

type Json = Record<string, unknown>;

export interface OpenApiDocument {
  readonly openapi: '3.1.0';
  readonly info: Json;
  readonly servers: Json[];
  readonly tags: Json[];
  readonly paths: Record<string, Record<string, Json>>;
  readonly components: { readonly schemas: Json };
}

export function openApiDocument(routes: readonly Route[], info: { title: string; version: string }): OpenApiDocument {
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
    paths[route.path]![route.method] = operation(route, schemaOf);
  }
  const tags = [...new Set(routes.map((r) => r.tag))].map((name) => ({ name }));
  return { openapi: '3.1.0', info, servers: [{ url: '/' }], tags, paths, components: { schemas } };
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
    parameters: [...parameters(route.params, 'path', schemaOf), ...parameters(route.query, 'query', schemaOf)],
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
    responses: { ...answers(route.answers, schemaOf), ...errorAnswers(route, schemaOf) },
  };
}

function parameters(schema: z.ZodObject | undefined, where: 'path' | 'query', schemaOf: SchemaOf): Json[] {
  if (!schema) return [];
  const { properties, required = [] } = schemaOf(schema, 'input') as {
    properties: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...json }]) => ({
    name,
    in: where,
    required: required.includes(name),
    ...(description !== undefined && { description }),
    schema: json,
  }));
}

const answers = (all: Readonly<Record<number, Answer>>, schemaOf: SchemaOf): Json =>
  Object.fromEntries(
    Object.entries(all).map(([status, { description, schema, type }]) => [
      status,
      {
        description,
        ...(schema && { content: { 'application/json': { schema: schemaOf(schema, 'output') } } }),
        ...(type && { content: { [type]: { schema: { type: 'string' } } } }),
      },
    ]),
  );

/** The codes that a route may answer with: its own, and those that come with its query and its body. */
export const errorsOf = (route: Route): ProblemCode[] => {
  const withBody: ProblemCode[] = ['invalid-request', 'too-large', 'unsupported-media-type'];
  const own: readonly ProblemCode[] = route.errors ?? [];
  return [...new Set<ProblemCode>([...own, 'invalid-request', ...(route.body ? withBody : []), 'internal'])];
};

function errorAnswers(route: Route, schemaOf: SchemaOf): Json {
  const byStatus = Map.groupBy(errorsOf(route), (code) => problemTypes[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${problemTypes[code].title}`).join('\n\n'),
        content: { 'application/problem+json': { schema: schemaOf(problemDetails, 'output') } },
      },
    ]),
  );
}

const inComponents = (json: unknown): unknown =>
  JSON.parse(JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/'));
