/** The auction on one page: what comes in, what comes out and how fast, then the services below it. */

import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Column,
  Dashboard,
  GraphWidget,
  type IAlarm,
  type IMetric,
  PeriodOverride,
  Row,
  Stats,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { Settings } from '../settings.ts';
import type { Measures } from './measures.ts';

const graph = (title: string, left: readonly IMetric[], right: readonly IMetric[] = []): GraphWidget =>
  new GraphWidget({ title, left: [...left], right: [...right], width: 8, height: 6 });

export function addDashboard(
  scope: Construct,
  { environment }: Settings,
  measures: Measures,
  alarms: readonly IAlarm[],
): Dashboard {
  const { house, houseBy, lambda, eachFunction, coldStarts, states, topics, eachTable, tables, api, deadLetters } =
    measures;
  const dashboard = new Dashboard(scope, 'Dashboard', {
    dashboardName: `energy-auction-${environment}`,
    defaultInterval: Duration.hours(6),
    periodOverride: PeriodOverride.INHERIT,
  });
  const worst = { statistic: Stats.MAXIMUM };
  dashboard.addWidgets(
    new Row(
      new TextWidget({
        markdown: `# The auction, ${environment}\nWhat each alarm means and how to mend it: docs/runbook.md`,
        width: 24,
        height: 2,
      }),
    ),
    new Row(new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24, height: 4 })),
    new Row(
      graph(
        'Intake rate and orders',
        [house('orders_received')],
        [house('orders_replaced'), house('orders_cancelled')],
      ),
      graph('Submissions refused, by code', [houseBy('submissions_refused')]),
      graph('Intake, ms', [
        house('intake_milliseconds', { statistic: Stats.percentile(50) }),
        house('intake_milliseconds', { statistic: Stats.percentile(99) }),
      ]),
    ),
    new Row(
      graph('Gate to result, s; gates overdue', [
        house('gate_to_result_seconds', worst),
        house('oldest_unsettled_seconds', worst),
        house('gates_overdue_seconds', worst),
      ]),
      graph('Auctions', [house('auctions_settled'), house('auctions_failed'), house('auctions_failed_now', worst)]),
      graph('Orders accepted; rejected by reason', [house('orders_accepted')], [houseBy('orders_rejected')]),
    ),
    new Row(
      graph(
        'Clearing, ms, and retries; programs solved again, doubtful',
        [house('clearing_milliseconds', worst)],
        [house('clearing_retries'), house('programs_solved_again'), house('programs_doubtful')],
      ),
      graph(
        'Gap of results; results refused',
        [house('clearing_gap', worst)],
        [house('results_refused'), house('checkpoints_refused')],
      ),
      graph('Notices by kind; undelivered', [houseBy('notices_sent')], [topics('NumberOfNotificationsFailed')]),
    ),
    new Row(
      graph(
        'Executions',
        [states('ExecutionsStarted'), states('ExecutionsSucceeded')],
        [states('ExecutionsFailed'), states('ExecutionsTimedOut'), states('ExecutionThrottled')],
      ),
      graph('Lambda errors and faults', [lambda('Errors'), house('faults')], [lambda('Throttles')]),
      graph('Lambda duration, ms', eachFunction('Duration', Stats.percentile(99))),
    ),
    new Row(
      graph('Cold starts', coldStarts()),
      new Column(
        graph('DynamoDB capacity', eachTable('ConsumedWriteCapacityUnits'), eachTable('ConsumedReadCapacityUnits')),
      ),
      graph('DynamoDB throttles', [tables('ReadThrottleEvents', 'WriteThrottleEvents')]),
    ),
    new Row(
      graph('API', [api('Count')], [api('4XXError'), api('5XXError')]),
      graph('API latency, ms', [api('Latency', Stats.percentile(50)), api('Latency', Stats.percentile(99))]),
      graph(
        'Dead letters and their age, s',
        [deadLetters('ApproximateNumberOfMessagesVisible')],
        [deadLetters('ApproximateAgeOfOldestMessage')],
      ),
    ),
  );
  return dashboard;
}
