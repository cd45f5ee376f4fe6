/**
 * Who may do what, as words: the scopes of a token and the roles that they stand for.
 *
 * The scopes are written here as they stand in the `scope` claim of a token, separated by spaces; `merit` is the resource
 * server they belong to. Nothing here knows tokens, routes or HTTP.
 */

export const scopes = ['merit/orders.read', 'merit/orders.write', 'merit/operator', 'merit/auditor'] as const;
export type Scope = (typeof scopes)[number];

export const scopeMeanings: Readonly<Record<Scope, string>> = {
  'merit/orders.read': 'a participant looks at its own orders',
  'merit/orders.write': 'a participant submits, looks at and cancels its own orders',
  'merit/operator': 'holds, closes, cancels and restarts auctions',
  'merit/auditor': 'reads sealed books, whole results and the runs of the workflow',
};

/** The public has no token and no scope. */
export const roles = ['participant', 'operator', 'auditor'] as const;
export type Role = (typeof roles)[number];

/** What a participant may do with its own orders. Who may write may read. */
export type OrderAccess = 'read' | 'write';

export const scopesOfRole = (role: Role, access: OrderAccess = 'write'): readonly Scope[] => {
  if (role !== 'participant') return [`merit/${role}`];
  return access === 'write' ? ['merit/orders.read', 'merit/orders.write'] : ['merit/orders.read'];
};

/**
 * The scopes that a claim names.
 *
 * @param claim  as it stands in a token. Words that mean nothing here are an issuer's own business and give no right; what is no
 *               text gives none either.
 */
export function readScopes(claim: unknown): Scope[] {
  if (typeof claim !== 'string') return [];
  const words = new Set(claim.split(' '));
  return scopes.filter((scope) => words.has(scope));
}
