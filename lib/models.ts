/** Request models: the schemas that check requests in the house, as API Gateway takes them (JSON Schema, draft 4). */

import * as z from 'zod';

type Json = Record<string, unknown>;

/** What the gateway does not know, or checks by ideas of its own. Without them a model is weaker, never stricter. */
const leftOut = new Set(['default', 'examples', 'exclusiveMaximum', 'exclusiveMinimum', 'format']);

/** Under these a name is one of ours and no word of JSON Schema. */
const named = new Set(['definitions', 'properties']);

export function gatewayModel(schema: z.ZodType): Json {
  const json = z.toJSONSchema(schema, { target: 'draft-4', io: 'input', unrepresentable: 'any' }) as Json;
  const { $ref, ...rest } = plain(json) as Json;
  return $ref === undefined ? rest : { ...rest, allOf: [{ $ref }] }; // words beside a reference would not count
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const words = Object.entries(value).filter(([word]) => !leftOut.has(word));
  return Object.fromEntries(
    words.map(([word, each]) => [word, named.has(word) ? plainEach(each as Json) : plain(each)]),
  );
}

const plainEach = (schemas: Json): Json =>
  Object.fromEntries(Object.entries(schemas).map(([name, each]) => [name, plain(each)]));
