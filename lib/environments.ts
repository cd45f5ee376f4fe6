/**
 * The environments, and all that differs between them, in one table. `settings.ts` reads the choice and lets some of it be
 * overruled by context; the constructs read settings and never ask for an environment's name.
 */

import { RemovalPolicy } from 'aws-cdk-lib';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ContextError } from './context.ts';

export interface Sizes {
  /** Dev is thrown away; what others hold stays when a stack goes, but not when its first deployment fails and is undone. */
  readonly removalPolicy: RemovalPolicy;
  /** Of the tables, against a call that deletes them. */
  readonly deletionProtection: boolean;
  /** Of the stack as a whole. */
  readonly terminationProtection: boolean;
  /** Days back to which the tables can be restored, to the second. */
  readonly recoveryDays: number;
  readonly logRetention: RetentionDays;
  /** Logs that the intake of an auction is spread over; a partition takes 1,000 writes a second. */
  readonly intakeShards: number;
  /** Requests a second, and how many at once, that each method of the API takes of all callers together. */
  readonly throttle: Rate;
  /** The same of one client, a part of that: none can keep the others out. */
  readonly clientThrottle: Rate;
  /** The same of all calls without a token together, and again of all whose token does not hold: strangers get little. */
  readonly publicThrottle: Rate;
  /** Requests a day of one client. */
  readonly quota: number;
  /** And of such strangers. */
  readonly publicQuota: number;
  readonly schedules: Schedules;
  /** Dollars a month beyond which the alarm addresses hear of it, and at 80 % and by forecast before. */
  readonly budget: number;
  /** From how long after its gate on an auction without an outcome is late. */
  readonly lateMinutes: number;
  /** Whether there has to be somebody to hear alarms. */
  readonly watched: boolean;
}

export interface Rate {
  readonly rateLimit: number;
  readonly burstLimit: number;
}

export interface Schedules {
  /** How often the clock looks for gates that are due. */
  readonly tickMinutes: number;
  /** How often a canary auction is held; 0 for never. */
  readonly canaryMinutes: number;
  /** How long before a gate closes clearing is made warm; 0 for never. */
  readonly warmMinutes: number;
}

export const environments = {
  dev: {
    removalPolicy: RemovalPolicy.DESTROY,
    deletionProtection: false,
    terminationProtection: false,
    recoveryDays: 1,
    logRetention: RetentionDays.ONE_WEEK,
    intakeShards: 2,
    throttle: { rateLimit: 50, burstLimit: 100 },
    clientThrottle: { rateLimit: 20, burstLimit: 40 },
    publicThrottle: { rateLimit: 5, burstLimit: 10 },
    quota: 100_000,
    publicQuota: 20_000,
    schedules: { tickMinutes: 1, canaryMinutes: 0, warmMinutes: 0 },
    budget: 25,
    lateMinutes: 15,
    watched: false,
  },
  staging: {
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    deletionProtection: true,
    terminationProtection: false,
    recoveryDays: 7,
    logRetention: RetentionDays.ONE_MONTH,
    intakeShards: 4,
    throttle: { rateLimit: 200, burstLimit: 400 },
    clientThrottle: { rateLimit: 50, burstLimit: 100 },
    publicThrottle: { rateLimit: 10, burstLimit: 20 },
    quota: 1_000_000,
    publicQuota: 100_000,
    schedules: { tickMinutes: 1, canaryMinutes: 60, warmMinutes: 0 },
    budget: 100,
    lateMinutes: 15,
    watched: false,
  },
  prod: {
    removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    deletionProtection: true,
    terminationProtection: true,
    recoveryDays: 35,
    logRetention: RetentionDays.ONE_YEAR,
    intakeShards: 8,
    throttle: { rateLimit: 500, burstLimit: 1000 },
    clientThrottle: { rateLimit: 100, burstLimit: 200 },
    publicThrottle: { rateLimit: 25, burstLimit: 50 },
    quota: 10_000_000,
    publicQuota: 500_000,
    schedules: { tickMinutes: 1, canaryMinutes: 0, warmMinutes: 5 },
    budget: 500,
    lateMinutes: 15,
    watched: true,
  },
} as const satisfies Record<string, Sizes>;

export type EnvironmentName = keyof typeof environments;
export const environmentNames = Object.keys(environments) as EnvironmentName[];

/** @throws ContextError for an environment that is unknown, naming the valid ones */
export function environmentNamed(name: string): EnvironmentName {
  if (Object.hasOwn(environments, name)) return name as EnvironmentName;
  const valid = environmentNames.map((each) => `-c environment=${each}`).join(' or ');
  throw new ContextError(`context environment: there is no ${name}; say ${valid}`);
}
