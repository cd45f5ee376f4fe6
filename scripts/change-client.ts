/**
 * Changes a client of a deployed house, or strikes it off, from its next call on: whatever its tokens say, the registry has the last word.
 *
 *     npm run -s change-client -- acme --outputs outputs.json --portfolio town --zones NORTH --sell 0   # one more, or another in its place
 *     npm run -s change-client -- acme --outputs outputs.json --access read
 *     npm run -s change-client -- control-room --outputs outputs.json --role operator                   # and no other role any more
 *     npm run -s change-client -- acme --outputs outputs.json --strike
 *
 * Prints what the client is then. A client is found by its name, or by its id where several have one. Orders of a client that is
 * struck off stay, and are cleared like any others.
 */

import { parseArgs } from 'node:util';
import { DeleteApiKeyCommand, GetApiKeysCommand } from '@aws-sdk/client-api-gateway';
import {
  DeleteUserPoolClientCommand,
  ListUserPoolClientsCommand,
  UpdateUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import type { OrderAccess } from '../src/access/roles.ts';
import { openDatabase } from '../src/adapters/aws/database.ts';
import { openRegistry, type RegisteredClient } from '../src/adapters/aws/participants.ts';
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
  withClients,
} from './client-options.ts';

export interface Change {
  /** All that it has besides its orders; as before unless given. */
  readonly roles?: readonly OtherRole[];
  readonly access?: OrderAccess;
  /** Added to its portfolios, or put in the place of its namesake. */
  readonly portfolio?: Portfolio;
}

/** @throws Error for a client that is not there, or a name that several have */
export async function changeClient(
  { cognito, dynamodb }: AwsClients,
  { UserPoolId, ParticipantsTable }: HouseOutputs,
  named: string,
  { roles, access, portfolio }: Change,
): Promise<RegisteredClient> {
  const { id, name } = await clientNamed(cognito, UserPoolId, named);
  const registry = openRegistry(openDatabase(dynamodb), ParticipantsTable);
  const known = await registry.get(id);
  if (known === undefined) throw new Error(`client ${named} is not registered`);
  const before = known.participant;
  if (before === undefined && (access !== undefined || portfolio !== undefined))
    throw new Error(`client ${named} is no participant`);
  const participant = before && {
    ...before,
    access: access ?? before.access,
    portfolios: portfolio
      ? [...before.portfolios.filter((each) => each.name !== portfolio.name), portfolio]
      : before.portfolios,
  };
  const has = (role: OtherRole) => known.scopes?.includes(`merit/${role}`) ?? false;
  const kept = roles ?? (['operator', 'auditor'] as const).filter(has);
  const scopes = scopesOf(kept, participant?.access);
  const changed: RegisteredClient = { ...known, scopes, ...(participant && { participant }) };
  // The registry first: it takes away at once. What is added comes with the next token.
  await registry.change(changed);
  await cognito.send(new UpdateUserPoolClientCommand({ ...settingsOf(UserPoolId, name, scopes), ClientId: id }));
  return changed;
}

/** Out at once; run again, it takes away what a run that was cut has left. */
export async function strikeClient(
  { cognito, gateway, dynamodb }: AwsClients,
  { UserPoolId, ParticipantsTable }: HouseOutputs,
  named: string,
): Promise<{ struck: string }> {
  const { id, name } = await clientNamed(cognito, UserPoolId, named);
  await openRegistry(openDatabase(dynamodb), ParticipantsTable).remove(id);
  const { items = [] } = await gateway.send(new GetApiKeysCommand({ nameQuery: keyNameOf(name, id) }));
  for (const { id: apiKey } of items) await gateway.send(new DeleteApiKeyCommand({ apiKey: apiKey! }));
  await cognito.send(new DeleteUserPoolClientCommand({ UserPoolId, ClientId: id }));
  return { struck: id };
}

async function clientNamed(
  cognito: AwsClients['cognito'],
  UserPoolId: string,
  named: string,
): Promise<{ id: string; name: string }> {
  const found: { id: string; name: string }[] = [];
  let NextToken: string | undefined;
  do {
    const page = new ListUserPoolClientsCommand({ UserPoolId, MaxResults: 60, ...(NextToken && { NextToken }) });
    const answer = await cognito.send(page);
    for (const { ClientId, ClientName } of answer.UserPoolClients ?? [])
      if (ClientId === named || ClientName === named) found.push({ id: ClientId!, name: ClientName! });
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  const [client, ...more] = found;
  if (client === undefined) throw new Error(`there is no client ${named}`);
  if (more.length > 0) throw new Error(`several clients are named ${named}: say the id of one`);
  return client;
}

async function run(clients: AwsClients, argv: readonly string[]): Promise<object> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      outputs: { type: 'string' },
      role: { type: 'string', multiple: true },
      access: { type: 'string' },
      strike: { type: 'boolean', default: false },
      ...portfolioOptions,
    },
  });
  const { outputs, role, access, strike, ...rest } = values;
  const [named, ...more] = positionals;
  if (named === undefined || more.length > 0) throw new Error('say one client');
  const isChanged = role !== undefined || access !== undefined || rest.zones !== undefined;
  if (strike === isChanged) throw new Error('say what to change (--role, --access, --zones), or --strike');
  const house = await readOutputs(outputs);
  if (strike) return strikeClient(clients, house, named);
  return changeClient(clients, house, named, {
    ...(role && { roles: role.map(otherRole) }),
    ...(access && { access: orderAccess(access) }),
    ...(rest.zones && { portfolio: portfolioOf(rest, rest.portfolio ?? named) }),
  });
}

if (import.meta.main) await withClients('change-client', (clients) => run(clients, process.argv.slice(2)));
