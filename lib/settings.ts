/** What whoever deploys may choose by context: `cdk deploy -c environment=staging -c market=hourly`. No environment is the default. */

import { fileURLToPath } from 'node:url';
import type { Node } from 'constructs';
import type { Market } from '../src/market/market.ts';
import { readMarkets } from '../src/settings.ts';
import { type EnvironmentName, environmentNamed, environments, type Sizes } from './environments.ts';

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
}

/** @throws Error for an environment that is missing or unknown, naming the valid ones; AuctionError `invalid-market` */
export async function readSettings(context: Pick<Node, 'tryGetContext'>): Promise<Settings> {
  const text = (key: string): string | undefined => {
    const value: unknown = context.tryGetContext(key);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw new Error(`context ${key}: expected a text, found ${JSON.stringify(value)}`);
    return value;
  };
  const environment = environmentNamed(text('environment'));
  const sizes: Sizes = environments[environment];
  const marketsFolder = text('markets') ?? fileURLToPath(new URL('../markets', import.meta.url));
  const permissionsBoundary = text('permissionsBoundary');
  const edgeCache = oneOf('cache', text('cache'), ['none', 'edge']) === 'edge';
  const waf = oneOf('waf', text('waf'), ['off', 'on']) === 'on';
  // The gateway would see the addresses of the edge in the place of its callers', and block it.
  if (edgeCache && waf) throw new Error('context waf: an edge is before the gateway; say cache=edge or waf=on');
  return {
    ...sizes,
    environment,
    markets: await readMarkets(marketsFolder, text('market')),
    alarmAddresses: addresses(text('alarmAddresses')),
    budget: number('budget', text('budget'), 1) ?? sizes.budget,
    schedules: {
      ...sizes.schedules,
      warmMinutes: number('warmMinutes', text('warmMinutes'), 0) ?? sizes.schedules.warmMinutes,
    },
    expressWorkflow: oneOf('workflow', text('workflow'), ['standard', 'express']) === 'express',
    edgeCache,
    waf,
    reservedConcurrency: oneOf('concurrency', text('concurrency'), ['shared', 'reserved']) === 'reserved',
    ...(permissionsBoundary && { permissionsBoundary }),
    dashboardOrigin: text('dashboardOrigin') ?? '*',
  };
}

/** As `a@example.org,b@example.org`. */
function addresses(text: string | undefined): string[] {
  const all = text?.split(',').map((each) => each.trim()) ?? [];
  const wrong = all.find((each) => !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(each));
  if (wrong !== undefined) throw new Error(`context alarmAddresses: ${JSON.stringify(wrong)} is no mail address`);
  return all;
}

function number(key: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text) || Number(text) < least)
    throw new Error(`context ${key}: expected a whole number from ${least} on, found ${JSON.stringify(text)}`);
  return Number(text);
}

/** The first of them unless said. */
function oneOf(key: string, text: string | undefined, valid: readonly string[]): string {
  if (text !== undefined && !valid.includes(text))
    throw new Error(`context ${key}: there is no ${text}; say ${valid.join(' or ')}`);
  return text ?? valid[0]!;
}
