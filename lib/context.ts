/**
 * What whoever deploys says by `-c key=value`, for each of the apps: texts, by the keys that the app knows.
 *
 * A key that nobody reads is refused, so that a mistyped one is not taken for what it was meant to change. The CDK puts its own
 * into the same place: feature flags and what it has looked up. All of those have an `@`, `:` or `/` in their names, ours never do.
 */

import type { Node } from 'constructs';

/** What was said is wrong: told in one line (`app.ts`). */
export class ContextError extends Error {
  override readonly name = 'ContextError';
}

/** @returns what was said for a key; an empty text is nothing */
export type Context<Key extends string> = (key: Key) => string | undefined;

const isOfCdk = (key: string): boolean => /[@:/]/.test(key);

/** Of what stands in `cdk.json`, the CDK's own: what the project is made with, whatever somebody has chosen there besides. */
export const featureFlags = (context: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(context).filter(([key]) => isOfCdk(key)));

export type ContextNode = Pick<Node, 'getAllContext'>;

/**
 * @param valid  as a message has it, where not each of the keys is to be named
 * @throws ContextError for a key that is none of these, naming the valid ones; for a value that is no text
 */
export function readContext<Key extends string>(
  node: ContextNode,
  keys: readonly Key[],
  valid: string = keys.join(', '),
): Context<Key> {
  const all: Readonly<Record<string, unknown>> = node.getAllContext();
  const unknown = Object.keys(all).find((key) => !isOfCdk(key) && !(keys as readonly string[]).includes(key));
  if (unknown !== undefined) throw new ContextError(`context ${unknown}: there is no such key; say ${valid}`);
  return (key) => {
    const value = all[key];
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string')
      throw new ContextError(`context ${key}: expected a text, found ${JSON.stringify(value)}`);
    return value;
  };
}

/** Of the values, the one that was said; the first unless one was. @throws ContextError for another */
export function oneOf<const Value extends string>(
  key: string,
  text: string | undefined,
  values: readonly [Value, ...Value[]],
): Value {
  if (text === undefined) return values[0];
  const chosen = values.find((value) => value === text);
  if (chosen === undefined) throw new ContextError(`context ${key}: there is no ${text}; say ${values.join(' or ')}`);
  return chosen;
}

/** @throws ContextError unless it is a whole number from `least` on */
export function wholeNumber(key: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text) || Number(text) < least)
    throw new ContextError(`context ${key}: expected a whole number from ${least} on, found ${JSON.stringify(text)}`);
  return Number(text);
}
