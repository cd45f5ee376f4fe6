/**
 * The alarms, in one table: what each watches, from when on it rings, and whether the auction is late then. Each has a chapter of its
 * name in docs/runbook.md, which says what it means, how to look and how to mend.
 */

import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type FunctionName, functionNames, functions } from '../functions.ts';
import type { Settings } from '../settings.ts';
import type { Measures } from './measures.ts';

export interface AlarmPlan {
  readonly means: string;
  readonly metric: IMetric;
  readonly when: ComparisonOperator;
  readonly threshold: number;
  /** Periods of the metric in a row. */
  readonly periods?: number;
  /** What silence means: nothing happened, or nothing works. */
  readonly missing: TreatMissingData;
  /** Whether it is part of "the auction is late", which tells in its place, and after which a deployment goes back. */
  readonly late?: true;
}

const {
  GREATER_THAN_THRESHOLD: above,
  GREATER_THAN_OR_EQUAL_TO_THRESHOLD: from,
  LESS_THAN_THRESHOLD: below,
} = ComparisonOperator;
const { NOT_BREACHING: fine, BREACHING: bad } = TreatMissingData;

const answering: readonly FunctionName[] = ['authorize', 'post-orders', 'api', 'keep-time'];
const working = functionNames.filter((name) => !answering.includes(name));

/** By name, in the order of the runbook. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of alarms, each with its threshold and what to do
export function alarmsOf(settings: Settings, measures: Measures): Readonly<Record<string, AlarmPlan>> {
  const { house, lambda, clear, badEnds, topics, tables, api, deadLetters } = measures;
  const { lateMinutes, schedules } = settings;
  const lateSeconds = lateMinutes * 60;
  const once = { when: from, threshold: 1, missing: fine } as const;
  return {
    // Not part of "late": it may be failed until a new version is there, which its alarm must not send back.
    'auction-failed': {
      means: 'An auction has failed, and nobody has restarted it.',
      // Measured each minute, or a little more than a minute after the last time: five of them have one at least.
      metric: house('auctions_failed_now', { statistic: Stats.MAXIMUM, period: Duration.minutes(5) }),
      ...once,
    },
    'auction-waiting': {
      means: `An auction has no outcome ${lateMinutes} minutes after its gate closed.`,
      metric: house('oldest_unsettled_seconds', { statistic: Stats.MAXIMUM }),
      when: above,
      threshold: lateSeconds,
      missing: fine,
      late: true,
    },
    'result-late': {
      means: `An auction was settled more than ${lateMinutes} minutes after its gate closed.`,
      metric: house('gate_to_result_seconds', { statistic: Stats.MAXIMUM }),
      when: above,
      threshold: lateSeconds,
      missing: fine,
      late: true,
    },
    'gate-overdue': {
      means: 'A gate should have been opened or closed more than two minutes ago.',
      metric: house('gates_overdue_seconds', { statistic: Stats.MAXIMUM }),
      when: above,
      threshold: 120,
      missing: fine,
      late: true,
    },
    'clock-silent': {
      means: 'Nobody asks the house for the time: gates neither open nor close.',
      metric: lambda('Invocations', ['keep-time'], Duration.minutes(5)),
      when: below,
      threshold: 1,
      missing: bad,
      late: true,
    },
    'execution-failed': {
      means: 'An execution of the workflow failed, ran out of time or was aborted.',
      metric: badEnds(),
      ...once,
      late: true,
    },
    'clearing-retries': {
      means: 'Clearing is asked again and again and has no result.',
      metric: house('clearing_retries', { period: Duration.minutes(5) }),
      when: from,
      threshold: 5,
      missing: fine,
    },
    'result-with-gap': {
      means: 'A result was published whose welfare may be more than a thousandth below the best.',
      metric: house('clearing_gap', { statistic: Stats.MAXIMUM }),
      when: above,
      threshold: 0.001,
      missing: fine,
    },
    'result-refused': {
      means: 'The verifier rejected a result of the engine.',
      metric: house('results_refused'),
      ...once,
    },
    'house-faults': { means: 'The house met a fault of its own.', metric: house('faults'), ...once },
    // A sum of an alarm has ten metrics at most, so the functions are watched in two groups.
    'function-errors': {
      means: 'A function of the API or the clock failed.',
      metric: lambda('Errors', answering),
      ...once,
    },
    'task-errors': { means: 'A task of the workflow failed.', metric: lambda('Errors', working), ...once },
    'function-throttled': {
      means: 'A function of the API or the clock was not started: too many run at one time.',
      metric: lambda('Throttles', answering),
      ...once,
    },
    'task-throttled': {
      means: 'A task of the workflow was not started: too many run at one time.',
      metric: lambda('Throttles', working),
      ...once,
    },
    'clearing-slow': {
      means: 'A call of clearing took most of the time that a function may take.',
      metric: clear('Duration', Stats.MAXIMUM),
      when: above,
      threshold: functions.clear.seconds * 1000 * 0.8,
      missing: fine,
    },
    'notices-undelivered': {
      means: 'Somebody who subscribed did not get a notice.',
      metric: topics('NumberOfNotificationsFailed'),
      ...once,
    },
    'dead-letters': {
      means: 'Something that nobody waited for failed for good, and lies in the queue of dead letters.',
      metric: deadLetters('ApproximateNumberOfMessagesVisible'),
      ...once,
    },
    'table-throttled': {
      means: 'A table turned requests away.',
      metric: tables('ReadThrottleEvents', 'WriteThrottleEvents'),
      ...once,
    },
    'api-errors': { means: 'The API answered 5xx.', metric: api('5XXError', Stats.SUM), ...once },
    'api-slow': {
      means: 'One request in a hundred took more than five seconds, for a quarter of an hour.',
      metric: api('Latency', Stats.percentile(99), Duration.minutes(5)),
      when: above,
      threshold: 5000,
      periods: 3,
      missing: fine,
    },
    ...(schedules.canaryMinutes > 0 && {
      'canary-failed': {
        means: 'A canary auction did not end as it had to.',
        metric: house('canary_auctions', { label: 'failed' }),
        ...once,
      },
      'canary-silent': {
        means: 'No canary auction has ended well in the time of two.',
        metric: house('canary_auctions', { label: 'settled', period: Duration.minutes(2 * schedules.canaryMinutes) }),
        when: below,
        threshold: 1,
        missing: bad,
      },
    }),
  };
}
