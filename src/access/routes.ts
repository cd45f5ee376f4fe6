/**
 * Who may call which route: the one table.
 *
 * The house asks it before every request, the OpenAPI document says it, the authorizer before a deployed house decides by it,
 * and a test walks it with every role. What is not in it nobody may call.
 */

import type { Identity } from './identity.ts';
import { participantMissing, scopeMissing, tokenMissing } from './refusal.ts';
import type { Scope } from './roles.ts';

/** `public`: without a token; published data only. Else a token with one of these scopes. */
export type Access = 'public' | ScopedAccess;

export interface ScopedAccess {
  readonly anyOf: readonly Scope[];
  /** Only for a registered participant, who sees and changes nothing but its own. */
  readonly own?: true;
  /** With one of these, everybody's, whether or not the caller is a participant. */
  readonly all?: readonly Scope[];
}

const readOwn: Access = { anyOf: ['merit/orders.write', 'merit/orders.read'], own: true };
const writeOwn: Access = { anyOf: ['merit/orders.write'], own: true };
const all: readonly Scope[] = ['merit/operator', 'merit/auditor'];
const readOwnOrAll: Access = { anyOf: ['merit/orders.write', 'merit/orders.read', ...all], own: true, all };
const operator: Access = { anyOf: ['merit/operator'] };
const auditor: Access = { anyOf: ['merit/auditor'] };

/** By method and path template, as OpenAPI writes it. */
export const accessTable: Readonly<Record<string, Access>> = {
  'GET /': 'public',
  'GET /healthz': 'public',
  'GET /livez': 'public',
  'GET /readyz': 'public',
  'GET /openapi.json': 'public',
  'GET /docs': 'public',
  'GET /docs/scalar.js': 'public',
  'GET /problems/{code}': 'public',
  'GET /.well-known/jwks.json': 'public',
  'GET /.well-known/evidence-keys.json': 'public',
  'POST /oauth2/token': 'public', // it looks at the client's secret itself

  'GET /markets': 'public',
  'GET /markets/{id}': 'public',
  'GET /auctions': 'public',
  'GET /auctions/{id}': 'public',
  'GET /auctions/{id}/network': 'public',
  'GET /auctions/{id}/tree': 'public', // while the gate is open for callers with a token: the handler looks
  'GET /auctions/{id}/prices': 'public',
  'GET /auctions/{id}/flows': 'public',
  'GET /auctions/{id}/curves': 'public', // before they are published for auditors only: the handler looks

  'GET /events': 'public', // with a participant's token its own outcomes besides
  'GET /auctions/{id}/settlement': 'public', // sums of zones and lines; nobody's own
  'GET /auctions/{id}/trades': readOwnOrAll,
  'GET /statements': readOwnOrAll,
  'GET /statements.csv': readOwnOrAll,
  'POST /webhooks': writeOwn,
  'GET /webhooks': readOwn,
  'DELETE /webhooks/{id}': writeOwn,
  'POST /webhooks/{id}/rotate': writeOwn,
  'GET /webhooks/{id}/deliveries': readOwn,
  'POST /webhooks/{id}/replay': writeOwn,
  'POST /orders': writeOwn,
  'POST /order-uploads': writeOwn,
  'GET /orders': readOwn,
  'DELETE /orders': writeOwn,
  'GET /orders/{record_id}': readOwn,
  'GET /orders/{record_id}/versions': readOwn,
  'PUT /orders/{record_id}': writeOwn,
  'DELETE /orders/{record_id}': writeOwn,
  'GET /orders/{record_id}/proof': readOwn,

  'POST /auctions': operator,
  'PATCH /auctions/{id}/network': operator,
  'POST /auctions/{id}/close': operator,
  'POST /auctions/{id}/cancel': operator,
  'POST /auctions/{id}/restart': operator,
  'GET /auctions/{id}/diagnosis': { anyOf: ['merit/operator', 'merit/auditor'] },

  'GET /auctions/{id}/book': auditor,
  'GET /auctions/{id}/result': auditor, // it has everybody's orders
  'GET /executions': auditor,
  'GET /executions/{id}': auditor,
  'GET /metrics': operator,
};

/** Who may call a route; `undefined` for one that is not in the table. Who may GET may HEAD. */
export function accessOf(method: string, template: string): Access | undefined {
  const verb = method.toUpperCase() === 'HEAD' ? 'GET' : method.toUpperCase();
  const key = `${verb} ${template}`;
  return Object.hasOwn(accessTable, key) ? accessTable[key] : undefined;
}

/**
 * Let a call pass, or not. Nothing of the request but its route is looked at, so a refusal tells nothing of what exists.
 *
 * @param access  of the route; `undefined` for one that is not in the table, which nobody may call
 * @throws AccessError `unauthorized` without a token, `forbidden` with one that does not suffice
 */
export function permit(access: Access | undefined, identity: Identity | undefined): void {
  if (access === 'public') return;
  if (identity === undefined) throw tokenMissing();
  if (access === undefined) throw scopeMissing([]);
  if (!holdsOne(identity, access.anyOf)) throw scopeMissing(access.anyOf);
  if (access.own && identity.participant === undefined && !holdsOne(identity, access.all)) throw participantMissing();
}

const holdsOne = ({ scopes }: Identity, wanted: readonly Scope[] = []): boolean =>
  wanted.some((scope) => scopes.includes(scope));

/** Whether a caller sees everybody's trades and statements. */
export const seesAll = (identity: Identity): boolean => holdsOne(identity, all);
