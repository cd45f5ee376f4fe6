/** What the scripts that make and change clients of a deployed house share: the outputs of its stack, portfolios, settings at Cognito. */

import { readFile } from 'node:fs/promises';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import {
  CognitoIdentityProviderClient,
  type CreateUserPoolClientCommandInput,
} from '@aws-sdk/client-cognito-identity-provider';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type OrderAccess, type Role, roles, type Scope, scopesOfRole } from '../src/access/roles.ts';
import { type Portfolio, portfolio } from '../src/market/portfolio.ts';

/** Of the stack, by their names there. */
export type HouseOutputs = Readonly<Record<'UserPoolId' | 'ParticipantsTable' | 'ClientPlanId', string>>;

export interface AwsClients {
  readonly cognito: CognitoIdentityProviderClient;
  readonly gateway: APIGatewayClient;
  readonly dynamodb: DynamoDBClient;
}

export type OtherRole = Exclude<Role, 'participant'>;

export const keyNameOf = (name: string, clientId: string): string => `${name}-${clientId}`;
export const usageKeyOf = (clientId: string): string => `usage-of-client-${clientId}`;

/** What a client of that name may do, in the words of its tokens. */
export const scopesOf = (roles: readonly OtherRole[], access?: OrderAccess): Scope[] => [
  ...(access === undefined ? [] : scopesOfRole('participant', access)),
  ...roles.flatMap((role) => scopesOfRole(role)),
];

/** A client of the user pool: what is not said in a change Cognito takes back. */
export const settingsOf = (
  UserPoolId: string,
  ClientName: string,
  scopes: readonly Scope[],
): Omit<CreateUserPoolClientCommandInput, 'GenerateSecret'> => ({
  UserPoolId,
  ClientName,
  AllowedOAuthFlowsUserPoolClient: true,
  AllowedOAuthFlows: ['client_credentials'],
  AllowedOAuthScopes: [...scopes],
  AccessTokenValidity: 1,
  TokenValidityUnits: { AccessToken: 'hours' },
});

/** Run something with clients for AWS as the shell has credentials for it, and end as a command does. */
export async function withClients(command: string, work: (clients: AwsClients) => Promise<unknown>): Promise<void> {
  const clients = {
    cognito: new CognitoIdentityProviderClient({}),
    gateway: new APIGatewayClient({}),
    dynamodb: new DynamoDBClient({}),
  };
  try {
    console.log(JSON.stringify(await work(clients), undefined, 2));
  } catch (error) {
    console.error(`${command}: ${(error as Error).message}`);
    process.exitCode = 1;
  } finally {
    for (const each of Object.values(clients)) each.destroy();
  }
}

export async function readOutputs(file: string | undefined): Promise<HouseOutputs> {
  if (file === undefined) throw new Error('say --outputs with the file of cdk deploy --outputs-file');
  const stacks = Object.values(JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>);
  const house = stacks.find((outputs) => outputs.UserPoolId && outputs.ParticipantsTable && outputs.ClientPlanId);
  if (house === undefined) throw new Error(`${file} has no stack with UserPoolId, ParticipantsTable and ClientPlanId`);
  return house as unknown as HouseOutputs;
}

/** Of both commands, as `parseArgs` takes them. */
export const portfolioOptions = {
  portfolio: { type: 'string' },
  zones: { type: 'string' },
  buy: { type: 'string' },
  sell: { type: 'string' },
} as const;

interface PortfolioValues {
  readonly portfolio?: string | undefined;
  readonly zones?: string | undefined;
  readonly buy?: string | undefined;
  readonly sell?: string | undefined;
}

/** @param participant  what the portfolio is called unless said */
export function portfolioOf({ portfolio: name, zones, buy, sell }: PortfolioValues, participant: string): Portfolio {
  if (zones === undefined) throw new Error('a portfolio needs --zones');
  const powerLimits = {
    ...(buy !== undefined && { buy: Number(buy) }),
    ...(sell !== undefined && { sell: Number(sell) }),
  };
  const parsed = portfolio.safeParse({
    name: name ?? participant,
    zones: zones.split(',').map((zone) => zone.trim()),
    ...(Object.keys(powerLimits).length > 0 && { powerLimits }),
  });
  if (!parsed.success)
    throw new Error(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '));
  return parsed.data;
}

export const otherRole = (role: string): OtherRole => {
  if (role === 'participant' || !(roles as readonly string[]).includes(role))
    throw new Error(`--role ${role}: say operator or auditor; a participant is made by --participant`);
  return role as OtherRole;
};

export function orderAccess(access: string): OrderAccess {
  if (access !== 'read' && access !== 'write') throw new Error(`--access ${access}: say read or write`);
  return access;
}
