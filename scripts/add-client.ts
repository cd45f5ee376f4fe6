/**
 * A client of a deployed house: in its user pool, with a key of its own in the clients' usage plan, and in its registry. Run by whoever has
 * AWS credentials for the account, with the outputs of the stack:
 *
 *     npm run -s add-client -- acme --outputs outputs.json --participant acme --zones MERIT          # orders of its own
 *     npm run -s add-client -- desk --outputs outputs.json --participant desk --zones MERIT --access read
 *     npm run -s add-client -- control-room --outputs outputs.json --role operator --role auditor
 *
 * Prints the client's id and secret, once, as JSON (and nothing else: `-s` keeps npm from saying what it runs). `npm run change-client`
 * changes it, or strikes it off. On one machine `merit participant add` and `merit client add` do the same.
 */

import { parseArgs } from 'node:util';
import { CreateApiKeyCommand, CreateUsagePlanKeyCommand } from '@aws-sdk/client-api-gateway';
import { CreateUserPoolClientCommand, DeleteUserPoolClientCommand } from '@aws-sdk/client-cognito-identity-provider';
import type { OrderAccess, Scope } from '../src/access/roles.ts';
import { openDatabase } from '../src/adapters/aws/database.ts';
import { openRegistry } from '../src/adapters/aws/participants.ts';
import type { Portfolio } from '../src/market/portfolio.ts';
import {
  type AwsClients,
  type HouseOutputs,
  keyNameOf,
  type OtherRole,
  orderAccess,
  otherRole,
  portfolioOf,
  portfolioOptions,
  readOutputs,
  scopesOf,
  settingsOf,
  usageKeyOf,
  withClients,
} from './client-options.ts';

export type { AwsClients, HouseOutputs };

export interface NewClient {
  readonly name: string;
  readonly roles: readonly OtherRole[];
  /** Who the client calls for, if it is a participant. */
  readonly participant?: {
    readonly name: string;
    readonly access: OrderAccess;
    readonly portfolios: readonly Portfolio[];
  };
}

/** @throws AuctionError `conflict` for a participant that is there; nothing is left behind then */
export async function addClient(
  { cognito, gateway, dynamodb }: AwsClients,
  { UserPoolId, ParticipantsTable, ClientPlanId }: HouseOutputs,
  { name, roles, participant }: NewClient,
): Promise<{ clientId: string; clientSecret: string; scopes: readonly Scope[] }> {
  const scopes = scopesOf(roles, participant?.access);
  const made = await cognito.send(
    new CreateUserPoolClientCommand({ ...settingsOf(UserPoolId, name, scopes), GenerateSecret: true }),
  );
  const clientId = made.UserPoolClient!.ClientId!;
  const usageKey = usageKeyOf(clientId);
  try {
    await openRegistry(openDatabase(dynamodb), ParticipantsTable).add({
      client: clientId,
      usageKey,
      scopes,
      ...(participant && {
        participant: {
          participant: participant.name,
          client: clientId,
          access: participant.access,
          portfolios: participant.portfolios,
        },
      }),
    });
  } catch (error) {
    await cognito.send(new DeleteUserPoolClientCommand({ UserPoolId, ClientId: clientId }));
    throw error;
  }
  // The plan's limits are those of its environment, and of each key in it.
  const key = await gateway.send(
    new CreateApiKeyCommand({ name: keyNameOf(name, clientId), value: usageKey, enabled: true }),
  );
  const inPlan = { usagePlanId: ClientPlanId, keyId: key.id!, keyType: 'API_KEY' };
  await gateway.send(new CreateUsagePlanKeyCommand(inPlan));
  return { clientId, clientSecret: made.UserPoolClient!.ClientSecret!, scopes };
}

function newClientOf(argv: readonly string[]): { client: NewClient; outputs: string | undefined } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      outputs: { type: 'string' },
      role: { type: 'string', multiple: true, default: [] },
      participant: { type: 'string' },
      access: { type: 'string', default: 'write' },
      ...portfolioOptions,
    },
  });
  const { outputs, participant, access } = values;
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new Error('say one name for the client');
  const roles = values.role.map(otherRole);
  if (participant === undefined && roles.length === 0) throw new Error('say --participant or --role');
  if (participant === undefined) return { client: { name, roles }, outputs };
  const portfolios = [portfolioOf(values, participant)];
  return {
    client: { name, roles, participant: { name: participant, access: orderAccess(access), portfolios } },
    outputs,
  };
}

if (import.meta.main)
  await withClients('add-client', async (clients) => {
    const { client, outputs } = newClientOf(process.argv.slice(2));
    return addClient(clients, await readOutputs(outputs), client);
  });
