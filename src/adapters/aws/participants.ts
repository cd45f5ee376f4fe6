/**
 * The registry of participants in DynamoDB: under each client its participant, under each participant its client, written together so
 * that one client calls for one participant and the other way round.
 *
 * Clients that are no participant (operators, auditors) are in it too, for the usage plan that their calls count under.
 */

import type { Participant, Participants } from '../../access/identity.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Database } from './database.ts';

/** A client as the gateway needs it. */
export interface RegisteredClient {
  readonly client: string;
  /** The key of its usage plan. No secret: only the authorizer can name it. */
  readonly usageKey: string;
  readonly participant?: Participant;
}

export interface Registry extends Participants {
  get(client: string): Promise<RegisteredClient | undefined>;
  /** @throws AuctionError `conflict` for a client or a participant that is there */
  add(client: RegisteredClient): Promise<void>;
}

export function openRegistry(database: Database, table: string): Registry {
  const get = async (client: string): Promise<RegisteredClient | undefined> => {
    const item = await database.get(table, { pk: `client/${client}` });
    return item && (JSON.parse(String(item.body)) as RegisteredClient);
  };
  return {
    get,
    find: async (client) => (await get(client))?.participant,
    async add(registered) {
      const { client, participant } = registered;
      const isNew = { text: 'attribute_not_exists(pk)' };
      const answer = await database.transact([
        { table, condition: isNew, put: { pk: `client/${client}`, body: JSON.stringify(registered) } },
        ...(participant
          ? [{ table, condition: isNew, put: { pk: `participant/${participant.participant}`, client } }]
          : []),
      ]);
      if (answer.done) return;
      const taken = answer.refused.has(0) ? `client ${client}` : `participant ${participant?.participant}`;
      throw new AuctionError('conflict', `${taken} is registered already`);
    },
  };
}
