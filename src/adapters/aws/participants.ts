/**
 * The registry of participants in DynamoDB: under each client its participant, under each participant its client, written together so
 * that one client calls for one participant and the other way round.
 *
 * Clients that are no participant (operators, auditors) are in it too, for the usage plan that their calls count under.
 */

import type { Participant, Participants } from '../../access/identity.ts';
import type { Scope } from '../../access/roles.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Database, Key } from './database.ts';

/** A client as the gateway needs it. */
export interface RegisteredClient {
  readonly client: string;
  /** The key of its usage plan. No secret: only the authorizer can name it. */
  readonly usageKey: string;
  /** What it may do at most, whatever its tokens say; without them, what they say. */
  readonly scopes?: readonly Scope[];
  readonly participant?: Participant;
}

export interface Registry extends Participants {
  get(client: string): Promise<RegisteredClient | undefined>;
  /** @throws AuctionError `conflict` for a client or a participant that is there */
  add(client: RegisteredClient): Promise<void>;
  /**
   * Change what a client may do from the next call on.
   *
   * @throws AuctionError `not-found` for a client that is not there, or that calls for another participant; `conflict` when it is changed
   *         by somebody else at the same time
   */
  change(client: RegisteredClient): Promise<void>;
  /** From the next call on nobody knows it; its orders stay. @returns what it was, if it was there */
  remove(client: string): Promise<RegisteredClient | undefined>;
}

const clientKey = (client: string): Key => ({ pk: `client/${client}` });
const participantKey = (participant: string): Key => ({ pk: `participant/${participant}` });

export function openRegistry(database: Database, table: string): Registry {
  const bodyOf = async (client: string): Promise<string | undefined> => {
    const item = await database.get(table, clientKey(client));
    return item && String(item.body);
  };
  const get = async (client: string): Promise<RegisteredClient | undefined> => {
    const body = await bodyOf(client);
    return body === undefined ? undefined : (JSON.parse(body) as RegisteredClient);
  };
  return {
    get,
    find: async (client) => (await get(client))?.participant,
    async add(registered) {
      const { client, participant } = registered;
      const isNew = { text: 'attribute_not_exists(pk)' };
      const answer = await database.transact([
        { table, condition: isNew, put: { ...clientKey(client), body: JSON.stringify(registered) } },
        ...(participant
          ? [{ table, condition: isNew, put: { ...participantKey(participant.participant), client } }]
          : []),
      ]);
      if (answer.done) return;
      const taken = answer.refused.has(0) ? `client ${client}` : `participant ${participant?.participant}`;
      throw new AuctionError('conflict', `${taken} is registered already`);
    },
    async change(registered) {
      const { client, participant } = registered;
      const known = await bodyOf(client);
      const who = known && (JSON.parse(known) as RegisteredClient).participant?.participant;
      if (known === undefined || who !== participant?.participant)
        throw new AuctionError('not-found', `there is no client ${client} of ${participant?.participant ?? 'nobody'}`);
      const put = { ...clientKey(client), body: JSON.stringify(registered) };
      const isAsKnown = { text: 'body = :known', values: { ':known': known } };
      const { done } = await database.transact([{ table, put, condition: isAsKnown }]);
      if (!done) throw new AuctionError('conflict', `client ${client} was changed by somebody else: look again`);
    },
    async remove(client) {
      const registered = await get(client);
      if (registered === undefined) return undefined;
      const { participant } = registered;
      await database.deleteMany(table, [
        clientKey(client),
        ...(participant ? [participantKey(participant.participant)] : []),
      ]);
      return registered;
    },
  };
}
