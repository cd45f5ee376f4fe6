/** The clients of a house on one machine, and the participants in whose name they call. */

import type { DatabaseSync } from 'node:sqlite';
import * as z from 'zod';
import type { Participant, Participants } from '../../../access/identity.ts';
import { readScopes, type Scope, scopesOfRole } from '../../../access/roles.ts';
import { AuctionError } from '../../../market/errors.ts';
import { participantName } from '../../../market/order.ts';
import { type Portfolio, portfolio } from '../../../market/portfolio.ts';
import { inTransaction } from '../transaction.ts';

export interface Client {
  readonly client: string;
  readonly scopes: readonly Scope[];
  /** Hash of its secret; without one it gets no token here by itself. */
  readonly secret?: string;
  /** In whose name it calls. */
  readonly participant?: Participant;
}

export interface Clients extends Participants {
  get(client: string): Client | undefined;
  /** By name. */
  list(): Client[];
  /** A client without participant. @throws AuctionError `conflict` when there is one of that name */
  add(client: string, scopes: readonly Scope[], secret?: string): void;
  /**
   * A participant with the client that calls in its name.
   *
   * @throws AuctionError `conflict` when the client or the participant is there; `invalid-request` when a name or a portfolio is not
   *         as it has to be
   */
  addParticipant(participant: Participant, secret?: string): void;
  /** More scopes for a client, beside those that it has. @throws AuctionError `not-found` */
  grant(client: string, scopes: readonly Scope[]): void;
  /** Change what a participant may do, or its portfolios, from the next call on. @throws AuctionError `not-found` */
  changeParticipant(participant: Participant): void;
  /** From the next call on nobody knows it; its orders stay. @returns whether it was there */
  remove(client: string): boolean;
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, '1 to 64 of A-Z a-z 0-9 . _ @ -');
const participantForm = z.strictObject({
  participant: participantName,
  /** As another issuer may call it. */
  client: z.string().min(1).max(256),
  access: z.enum(['read', 'write']),
  portfolios: z.array(portfolio).min(1),
});

interface Row {
  readonly client: string;
  readonly scopes: string;
  readonly secret: string | null;
  readonly participant: string | null;
  readonly access: string | null;
  readonly portfolios: string | null;
}

export function openClients(database: DatabaseSync): Clients {
  const columns = 'client, scopes, secret, participant, access, portfolios';
  const select = database.prepare(`SELECT ${columns} FROM clients WHERE client = ?`);
  const selectAll = database.prepare(`SELECT ${columns} FROM clients ORDER BY client`);
  const insert = database.prepare(`INSERT INTO clients (${columns}) VALUES (?, ?, ?, ?, ?, ?)`);
  const known = database.prepare('SELECT client FROM clients WHERE client = ? OR participant = ?');
  const update = database.prepare(
    'UPDATE clients SET scopes = ?, access = ?, portfolios = ? WHERE client = ? AND participant = ?',
  );
  const setScopes = database.prepare('UPDATE clients SET scopes = ? WHERE client = ?');
  const remove = database.prepare('DELETE FROM clients WHERE client = ?');

  const put = (client: string, scopes: readonly Scope[], secret?: string, of?: Participant) =>
    inTransaction(database, () => {
      if (known.get(client, of?.participant ?? null) !== undefined)
        throw new AuctionError('conflict', `${of?.participant ?? client} is there already`);
      const portfolios = of && JSON.stringify(of.portfolios);
      insert.run(
        client,
        scopes.join(' '),
        secret ?? null,
        of?.participant ?? null,
        of?.access ?? null,
        portfolios ?? null,
      );
    });

  const get = (client: string): Client | undefined => {
    const row = select.get(client) as Row | undefined;
    return row && clientOf(row);
  };

  return {
    get,
    find: async (client) => get(client)?.participant,
    list: () => (selectAll.all() as unknown as Row[]).map(clientOf),
    add: (client, scopes, secret) => put(check(name, client, 'client'), scopes, secret),
    addParticipant(given, secret) {
      const participant = check(participantForm, given, 'participant');
      put(participant.client, scopesOfRole('participant', participant.access), secret, participant);
    },
    grant: (client, more) =>
      inTransaction(database, () => {
        const known = get(client);
        if (!known) throw new AuctionError('not-found', `there is no client ${client}`);
        setScopes.run([...new Set([...known.scopes, ...more])].join(' '), client);
      }),
    changeParticipant(given) {
      const { client, participant, access, portfolios } = check(participantForm, given, 'participant');
      inTransaction(database, () => {
        const others = (get(client)?.scopes ?? []).filter((scope) => !scope.startsWith('merit/orders.'));
        const scopes = [...scopesOfRole('participant', access), ...others].join(' ');
        const { changes } = update.run(scopes, access, JSON.stringify(portfolios), client, participant);
        if (changes === 0) throw new AuctionError('not-found', `there is no participant ${participant} of ${client}`);
      });
    },
    remove: (client) => remove.run(client).changes > 0,
  };
}

function clientOf({ client, scopes, secret, participant, access, portfolios }: Row): Client {
  return {
    client,
    scopes: readScopes(scopes),
    ...(secret !== null && { secret }),
    ...(participant !== null && {
      participant: participantForm.parse({ participant, client, access, portfolios: JSON.parse(portfolios ?? '[]') }),
    }),
  };
}

function check<T>(form: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = form.safeParse(value);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new AuctionError('invalid-request', `${what}: ${said}`);
}

/** The portfolios with one more, or with another one in the place of its namesake. */
export const withPortfolio = (portfolios: readonly Portfolio[], added: Portfolio): Portfolio[] => [
  ...portfolios.filter(({ name }) => name !== added.name),
  added,
];
