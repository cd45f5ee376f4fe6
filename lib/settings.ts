/**
 * What whoever deploys may choose by context: `cdk deploy -c environment=staging -c market=hourly`, or for one environment alone where
 * several are deployed alike: `-c prod.budget=900`.
 */

import { fileURLToPath } from 'node:url';
import { RemovalPolicy } from 'aws-cdk-lib';
import type { Market } from '../src/market/market.ts';
import { readMarkets } from '../src/settings.ts';
import { type Context, ContextError, type ContextNode, oneOf, readContext, wholeNumber } from './context.ts';
import { type EnvironmentName, environmentNamed, environmentNames, environments, type Sizes } from './environments.ts';

export interface Settings extends Sizes {
  readonly environment: EnvironmentName;
  /** The default one first. */
  readonly markets: readonly Market[];
  /** Mail addresses that hear of failures, alarms and the budget. */
  readonly alarmAddresses: readonly string[];
  /** Whether the workflow's executions are express ones: cheaper where auctions are many, and without a history. */
  readonly expressWorkflow: boolean;
  /** Whether published results are kept at the edge. */
  readonly edgeCache: boolean;
  /** Whether a web ACL bounds the requests of one address. */
  readonly waf: boolean;
  /** Whether functions that must not starve have concurrency of their own: an account needs 100 besides. */
  readonly reservedConcurrency: boolean;
  /** Name of a managed policy that bounds every role of the stack. */
  readonly permissionsBoundary?: string;
  /** Where the dashboard is served from. Any origin unless said: no cookies are used, whoever calls brings a key. */
  readonly dashboardOrigin: string;
  /** What watches the house: in its stack, in one of its own, or nothing. */
  readonly watching: 'within' | 'apart' | 'none';
  /** Whether the stack sets what API Gateway wants of an account, or `bin/account.ts` has. */
  readonly accountSettings: 'own' | 'apart';
  /** The tables are those that were restored under these names: `orders-prod-SUFFIX` and so on. They are not the stack's. */
  readonly restoredTables?: string;
  /** How many keys evidence has been signed with; the last one signs. */
  readonly signingKeys: number;
  /** Days in which nobody can delete or replace what is put into the results bucket. */
  readonly lockDays?: number;
}

/**
 * The keys of all that can be chosen, in the order of docs/deploy.md. The one list: what is not in it is refused, and what is in it is
 * handed on by both pipelines.
 */
const choices = [
  'alarmAddresses',
  'budget',
  'warmMinutes',
  'workflow',
  'cache',
  'waf',
  'concurrency',
  'markets',
  'market',
  'dashboardOrigin',
  'permissionsBoundary',
  'watching',
  'accountSettings',
  'deletionProtection',
  'lockDays',
  'signingKeys',
  'restoredTables',
] as const;
type Choice = (typeof choices)[number];
type OfOne = `${EnvironmentName}.${Choice}`;

export const settingKeys = ['environment', ...choices] as const;
/** Those that an app of several environments takes. */
export const settingKeysOfSeveral: readonly (Choice | OfOne)[] = [
  ...choices,
  ...environmentNames.flatMap((name) => choices.map((key): OfOne => `${name}.${key}`)),
];
export const validSettingKeys = `${settingKeys.join(', ')}, or for one environment alone prod.budget and the like`;

/** Where none is named. */
export const defaultEnvironment: EnvironmentName = 'dev';

/** The environment, and what was said for it alone or for all. @throws ContextError as `readContext`, and for an unknown environment */
function readChoices(node: ContextNode): { environment: EnvironmentName; text: Context<Choice> } {
  const said = readContext(node, ['environment', ...settingKeysOfSeveral], validSettingKeys);
  const environment = environmentNamed(said('environment') ?? defaultEnvironment);
  return { environment, text: (key) => said(`${environment}.${key}`) ?? said(key) };
}

/** @throws ContextError for a key or value that is wrong, naming the valid ones; AuctionError `invalid-market` */
export async function readSettings(node: ContextNode): Promise<Settings> {
  const { environment, text } = readChoices(node);
  const sizes: Sizes = environments[environment];
  const marketsFolder = text('markets') ?? fileURLToPath(new URL('../markets', import.meta.url));
  const permissionsBoundary = text('permissionsBoundary');
  const restoredTables = suffix(text('restoredTables'));
  const lockDays = wholeNumber('lockDays', text('lockDays'), 1);
  const isProtected = oneOf('deletionProtection', text('deletionProtection'), ['on', 'off']) === 'on';
  if (lockDays !== undefined && sizes.removalPolicy === RemovalPolicy.DESTROY)
    throw new ContextError(
      `context lockDays: the data of ${environment} goes with its stack, which a lock would forbid`,
    );
  const edgeCache = oneOf('cache', text('cache'), ['none', 'edge']) === 'edge';
  const waf = oneOf('waf', text('waf'), ['off', 'on']) === 'on';
  // The gateway would see the addresses of the edge in the place of its callers', and block it.
  if (edgeCache && waf) throw new ContextError('context waf: an edge is before the gateway; say cache=edge or waf=on');
  return {
    ...sizes,
    environment,
    markets: await readMarkets(marketsFolder, text('market')),
    alarmAddresses: addresses(text('alarmAddresses')),
    budget: wholeNumber('budget', text('budget'), 1) ?? sizes.budget,
    schedules: {
      ...sizes.schedules,
      warmMinutes: wholeNumber('warmMinutes', text('warmMinutes'), 0) ?? sizes.schedules.warmMinutes,
    },
    expressWorkflow: oneOf('workflow', text('workflow'), ['standard', 'express']) === 'express',
    edgeCache,
    waf,
    reservedConcurrency: oneOf('concurrency', text('concurrency'), ['shared', 'reserved']) === 'reserved',
    ...(permissionsBoundary && { permissionsBoundary }),
    dashboardOrigin: text('dashboardOrigin') ?? '*',
    watching: oneOf('watching', text('watching'), ['within', 'apart', 'none']),
    accountSettings: oneOf('accountSettings', text('accountSettings'), ['own', 'apart']),
    deletionProtection: sizes.deletionProtection && isProtected,
    terminationProtection: sizes.terminationProtection && isProtected,
    signingKeys: wholeNumber('signingKeys', text('signingKeys'), 1) ?? 1,
    ...(lockDays !== undefined && { lockDays }),
    ...(restoredTables !== undefined && { restoredTables }),
  };
}

/** As `a@example.org,b@example.org`. */
function addresses(text: string | undefined): string[] {
  const all = text?.split(',').map((each) => each.trim()) ?? [];
  const wrong = all.find((each) => !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(each));
  if (wrong !== undefined)
    throw new ContextError(`context alarmAddresses: ${JSON.stringify(wrong)} is no mail address`);
  return all;
}

/** Of a table's name: letters, digits, `_`, `-` and `.`. */
function suffix(text: string | undefined): string | undefined {
  if (text !== undefined && !/^[\w.-]{1,40}$/.test(text))
    throw new ContextError(`context restoredTables: ${JSON.stringify(text)} is no end of a table's name`);
  return text;
}
