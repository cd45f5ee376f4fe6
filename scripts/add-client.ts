/**
 * A client of a deployed house: in its user pool, with a usage plan of its own, and in its registry. Run by whoever has AWS
 * credentials for the account, with the outputs of the stack:
 *
 *     npm run -s add-client -- acme --outputs outputs.json --participant acme --zones MERIT          # orders of its own
 *     npm run -s add-client -- desk --outputs outputs.json --participant desk --zones MERIT --access read
 *     npm run -s add-client -- control-room --outputs outputs.json --role operator --role auditor
 *
 * Prints the client's id and secret, once, as JSON (and nothing else: `-s` keeps npm from saying what it runs). On one machine `merit participant add` and `merit client add` do the same.
 */

import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import {
  APIGatewayClient,
  CreateApiKeyCommand,
  CreateUsagePlanCommand,
  CreateUsagePlanKeyCommand,
} from '@aws-sdk/client-api-gateway';
import {
  CognitoIdentityProviderClient,
  CreateUserPoolClientCommand,
  DeleteUserPoolClientCommand,
} from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { environments } from '../lib/environments.ts';
import { stageName } from '../lib/http-api.ts';
import { type OrderAccess, type Role, roles, type Scope, scopesOfRole } from '../src/access/roles.ts';
import { openDatabase } from '../src/adapters/aws/database.ts';
import { openRegistry } from '../src/adapters/aws/participants.ts';
import { type Portfolio, portfolio } from '../src/market/portfolio.ts';

/** Of the stack, by their names there. */
export type HouseOutputs = Readonly<Record<'UserPoolId' | 'ParticipantsTable' | 'ApiId', string>>;

export interface NewClient {
  readonly name: string;
  readonly roles: readonly Exclude<Role, 'participant'>[];
  /** Who the client calls for, if it is a participant. */
  readonly participant?: {
    readonly name: string;
    readonly access: OrderAccess;
    readonly portfolios: readonly Portfolio[];
  };
}

export interface AwsClients {
  readonly cognito: CognitoIdentityProviderClient;
  readonly gateway: APIGatewayClient;
  readonly dynamodb: DynamoDBClient;
}

/** What an environment's participants may call a day, and at one time. */
const { throttle, quota } = environments.prod;

/** @throws AuctionError `conflict` for a participant that is there; nothing is left behind then */
export async function addClient(
  { cognito, gateway, dynamodb }: AwsClients,
  { UserPoolId, ParticipantsTable, ApiId }: HouseOutputs,
  { name, roles, participant }: NewClient,
): Promise<{ clientId: string; clientSecret: string; scopes: readonly Scope[] }> {
  const scopes = [
    ...(participant ? scopesOfRole('participant', participant.access) : []),
    ...roles.flatMap((role) => scopesOfRole(role)),
  ];
  const made = await cognito.send(
    new CreateUserPoolClientCommand({
      UserPoolId,
      ClientName: name,
      GenerateSecret: true,
      AllowedOAuthFlowsUserPoolClient: true,
      AllowedOAuthFlows: ['client_credentials'],
      AllowedOAuthScopes: scopes,
      AccessTokenValidity: 1,
      TokenValidityUnits: { AccessToken: 'hours' },
    }),
  );
  const { ClientId: clientId, ClientSecret: clientSecret } = made.UserPoolClient!;
  const usageKey = `usage-of-client-${clientId}`;
  try {
    await openRegistry(openDatabase(dynamodb), ParticipantsTable).add({
      client: clientId!,
      usageKey,
      ...(participant && {
        participant: {
          participant: participant.name,
          client: clientId!,
          access: participant.access,
          portfolios: participant.portfolios,
        },
      }),
    });
  } catch (error) {
    await cognito.send(new DeleteUserPoolClientCommand({ UserPoolId, ClientId: clientId }));
    throw error;
  }
  const key = await gateway.send(
    new CreateApiKeyCommand({ name: `${name}-${clientId}`, value: usageKey, enabled: true }),
  );
  const plan = await gateway.send(
    new CreateUsagePlanCommand({
      name: `${name}-${clientId}`,
      throttle,
      quota: { limit: quota, period: 'DAY' },
      apiStages: [{ apiId: ApiId, stage: stageName }],
    }),
  );
  await gateway.send(new CreateUsagePlanKeyCommand({ usagePlanId: plan.id!, keyId: key.id!, keyType: 'API_KEY' }));
  return { clientId: clientId!, clientSecret: clientSecret!, scopes };
}

async function readOutputs(file: string): Promise<HouseOutputs> {
  const stacks = Object.values(JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>);
  const house = stacks.find((outputs) => outputs.UserPoolId && outputs.ParticipantsTable && outputs.ApiId);
  if (house === undefined) throw new Error(`${file} has no stack with UserPoolId, ParticipantsTable and ApiId`);
  return house as unknown as HouseOutputs;
}

function newClientOf(argv: readonly string[]): { client: NewClient; outputs: string } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      outputs: { type: 'string' },
      role: { type: 'string', multiple: true, default: [] },
      participant: { type: 'string' },
      portfolio: { type: 'string' },
      zones: { type: 'string' },
      buy: { type: 'string' },
      sell: { type: 'string' },
      access: { type: 'string', default: 'write' },
    },
  });
  const { outputs, participant, zones, access, buy, sell } = values;
  const [name, ...more] = positionals;
  if (name === undefined || more.length > 0) throw new Error('say one name for the client');
  if (outputs === undefined) throw new Error(`say --outputs with the file of cdk deploy --outputs-file`);
  const wanted = values.role.map((role) => {
    if (role === 'participant' || !(roles as readonly string[]).includes(role))
      throw new Error(`--role ${role}: say operator or auditor; a participant is made by --participant`);
    return role as Exclude<Role, 'participant'>;
  });
  if (participant === undefined && wanted.length === 0) throw new Error('say --participant or --role');
  if (participant === undefined) return { client: { name, roles: wanted }, outputs };
  if (zones === undefined) throw new Error('a participant needs --zones');
  if (access !== 'read' && access !== 'write') throw new Error(`--access ${access}: say read or write`);
  const powerLimits = {
    ...(buy !== undefined && { buy: Number(buy) }),
    ...(sell !== undefined && { sell: Number(sell) }),
  };
  const parsed = portfolio.safeParse({
    name: values.portfolio ?? participant,
    zones: zones.split(',').map((zone) => zone.trim()),
    ...(Object.keys(powerLimits).length > 0 && { powerLimits }),
  });
  if (!parsed.success)
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return {
    client: { name, roles: wanted, participant: { name: participant, access, portfolios: [parsed.data] } },
    outputs,
  };
}

async function main(): Promise<void> {
  const { client, outputs } = newClientOf(process.argv.slice(2));
  const house = await readOutputs(outputs);
  const clients = {
    cognito: new CognitoIdentityProviderClient({}),
    gateway: new APIGatewayClient({}),
    dynamodb: new DynamoDBClient({}),
  };
  try {
    console.log(JSON.stringify(await addClient(clients, house, client), undefined, 2));
  } finally {
    for (const each of Object.values(clients)) each.destroy();
  }
}

if (import.meta.main)
  await main().catch((error: Error) => {
    console.error(`add-client: ${error.message}`);
    process.exitCode = 1;
  });
