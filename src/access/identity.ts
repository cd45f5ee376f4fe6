/**
 * Who calls: what a token says together with what the house knows of its client.
 *
 * A token by client credentials names a client and its scopes and no more, so the participant behind a client is looked up in
 * a registry. An `Identity` is plain data: an authorizer may hand it on as JSON.
 */

import type { Portfolio } from '../market/portfolio.ts';
import { type OrderAccess, type Scope, scopes } from './roles.ts';
import type { TokenClaims } from './tokens.ts';

/** What the house knows of a participant. */
export interface Participant {
  /** Its name, with which its orders are stamped. */
  readonly participant: string;
  /** The client that calls in its name, as the issuer calls it. */
  readonly client: string;
  readonly access: OrderAccess;
  /** At least one. */
  readonly portfolios: readonly Portfolio[];
}

/** Where participants are registered. Cases: `test/ports/participants.cases.ts`. */
export interface Participants {
  /** The participant in whose name a client calls; `undefined` for a client of none. */
  find(client: string): Promise<Participant | undefined>;
}

export interface Identity {
  readonly client: string;
  readonly scopes: readonly Scope[];
  /** Name of the participant in whose name the client calls; without it nothing is its own. */
  readonly participant?: string;
  /** Of that participant. Without them its orders may be anywhere: only where there is no access control. */
  readonly portfolios?: readonly Portfolio[];
}

/** Everybody, in a house without access control: one participant, who may do everything. Such a house is on the loopback. */
export const everybody: Identity = { client: 'local', scopes, participant: 'local' };

/** A participant who may only read has no right to write, whatever its token says. */
export async function identify({ client, scopes }: TokenClaims, participants: Participants): Promise<Identity> {
  const known = scopes.some((scope) => scope.startsWith('merit/orders.')) && (await participants.find(client));
  if (!known) return { client, scopes };
  const { participant, portfolios, access } = known;
  const held = access === 'write' ? scopes : scopes.filter((scope) => scope !== 'merit/orders.write');
  return { client, scopes: held, participant, portfolios };
}
