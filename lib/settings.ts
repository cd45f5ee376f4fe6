/**
 * What differs between environments, and what whoever deploys may choose: `cdk deploy -c environment=staging -c market=hourly`.
 *
 * `cdk.json` says `dev`, so that `cdk synth` works as it is; an app without it has to be told.
 */

import { fileURLToPath } from 'node:url';
import { RemovalPolicy } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Node } from 'constructs';
import type { Market } from '../src/market/market.ts';
import { readMarkets } from '../src/settings.ts';

interface Sizes {
  /** Dev is thrown away; what others hold stays when a stack goes. */
  readonly removalPolicy: RemovalPolicy;
  readonly logRetention: RetentionDays;
  /** Logs that the intake of an auction is spread over; a partition takes 1,000 writes a second. */
  readonly intakeShards: number;
  /** Requests a second, and how many at once. */
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  /** Requests a day under one API key. */
  readonly quota: number;
}

const environments = {
  dev: {
    removalPolicy: RemovalPolicy.DESTROY,
    logRetention: RetentionDays.ONE_WEEK,
    intakeShards: 2,
    throttle: { rateLimit: 50, burstLimit: 100 },
    quota: 100_000,
  },
  staging: {
    removalPolicy: RemovalPolicy.RETAIN,
    logRetention: RetentionDays.ONE_MONTH,
    intakeShards: 4,
    throttle: { rateLimit: 200, burstLimit: 400 },
    quota: 1_000_000,
  },
  prod: {
    removalPolicy: RemovalPolicy.RETAIN,
    logRetention: RetentionDays.ONE_YEAR,
    intakeShards: 8,
    throttle: { rateLimit: 500, burstLimit: 1000 },
    quota: 10_000_000,
  },
} as const satisfies Record<string, Sizes>;

export type EnvironmentName = keyof typeof environments;
export const environmentNames = Object.keys(environments) as EnvironmentName[];

export interface Settings extends Sizes {
  readonly environment: EnvironmentName;
  /** The default one first. */
  readonly markets: readonly Market[];
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
  const environment = text('environment');
  if (environment === undefined || !isEnvironment(environment))
    throw new Error(
      `context environment: ${environment === undefined ? 'missing' : `there is no ${environment}`}; ` +
        `say -c environment=${environmentNames.join(' or -c environment=')}`,
    );
  const marketsFolder = text('markets') ?? fileURLToPath(new URL('../markets', import.meta.url));
  const permissionsBoundary = text('permissionsBoundary');
  return {
    ...environments[environment],
    environment,
    markets: await readMarkets(marketsFolder, text('market')),
    ...(permissionsBoundary && { permissionsBoundary }),
    dashboardOrigin: text('dashboardOrigin') ?? '*',
  };
}

const isEnvironment = (name: string): name is EnvironmentName => Object.hasOwn(environments, name);
