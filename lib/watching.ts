/**
 * What watches an environment: alarms, the dashboard, the budget. It names what it watches and holds on to nothing, so it stands within
 * the house's stack or in one of its own, and a threshold is changed without touching the auction.
 */

import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Alarm, AlarmRule, AlarmState, CompositeAlarm, type IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { EnvironmentName } from './environments.ts';
import { errorsTopicName } from './notices.ts';
import type { Settings } from './settings.ts';
import { Spending } from './spending.ts';
import { alarmsOf } from './watching/alarms.ts';
import { addDashboard } from './watching/dashboard.ts';
import { measuresOf } from './watching/measures.ts';

/** The composite alarm "the auction is late" of an environment. */
export const lateAlarmName = (environment: EnvironmentName): string => `auction-late-${environment}`;

/** Where an alarm's chapter is. */
export const chapterOf = (name: string): string => `docs/runbook.md#${name}`;

export class Watching extends Construct {
  constructor(scope: Construct, id: string, { settings }: { readonly settings: Settings }) {
    super(scope, id);
    const { environment } = settings;
    const topicArn = Stack.of(this).formatArn({
      service: 'sns',
      resource: errorsTopicName(environment),
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
    const errors = Topic.fromTopicArn(this, 'Errors', topicArn);
    const told = new SnsAction(errors);
    const measures = measuresOf(this, settings);
    const late: IAlarm[] = [];
    const others: IAlarm[] = [];
    for (const [name, plan] of Object.entries(alarmsOf(settings, measures))) {
      const alarm = new Alarm(this, name, {
        alarmName: `${name}-${environment}`,
        alarmDescription: `${plan.means} ${chapterOf(name)}`,
        metric: plan.metric,
        comparisonOperator: plan.when,
        threshold: plan.threshold,
        evaluationPeriods: plan.periods ?? 1,
        treatMissingData: plan.missing,
      });
      if (plan.late) late.push(alarm);
      else {
        alarm.addAlarmAction(told);
        alarm.addOkAction(told);
        others.push(alarm);
      }
    }
    const composite = new CompositeAlarm(this, 'AuctionLate', {
      compositeAlarmName: lateAlarmName(environment),
      alarmDescription: `The auction is late. ${chapterOf('auction-late')}`,
      alarmRule: AlarmRule.anyOf(...late.map((alarm) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM))),
    });
    composite.addAlarmAction(told);
    composite.addOkAction(told);
    addDashboard(this, settings, measures, [composite, ...late, ...others]);
    new Spending(this, 'Spending', { settings, errors });
  }
}
