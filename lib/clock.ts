/**
 * What wakes the house: every hour, at each market's gates, and each minute so that no gate stands open for longer.
 *
 * Every tick asks the same (`src/lambda/keep-time.ts`) and may come twice, late or not at all: the next one makes it good.
 */

import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { msOf } from '../src/market/calendar.ts';
import type { Market } from '../src/market/market.ts';
import { ofOwnAccount } from './principals.ts';
import type { Settings } from './settings.ts';

export interface ClockProps {
  readonly settings: Settings;
  /** Of the dead letters. */
  readonly key: IKey;
  readonly keepTime: IFunction;
  readonly deadLetters: IQueue;
}

export class Clock extends Construct {
  constructor(scope: Construct, id: string, { settings, key, keepTime, deadLetters }: ClockProps) {
    super(scope, id);
    const { environment, schedules } = settings;
    const target = new LambdaFunction(keepTime, { deadLetterQueue: deadLetters, maxEventAge: Duration.minutes(15) });
    new Rule(this, 'Hourly', {
      ruleName: `auction-hourly-${environment}`,
      description: 'Auctions by the hour: makes those that are due, opens and closes their gates',
      schedule: Schedule.cron({ minute: '0' }),
      targets: [target],
    });
    new Rule(this, 'Minute', {
      ruleName: `auction-minute-${environment}`,
      description: 'No gate stands open for long past its time',
      schedule: Schedule.rate(Duration.minutes(schedules.tickMinutes)),
      targets: [target],
    });

    const role = new Role(this, 'Role', { assumedBy: ofOwnAccount(this, 'scheduler.amazonaws.com') });
    role.addToPolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [keepTime.functionArn] }));
    role.addToPolicy(new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [deadLetters.queueArn] }));
    key.grant(role, 'kms:Decrypt', 'kms:GenerateDataKey');
    for (const market of settings.markets)
      for (const [gate, expression] of Object.entries(gatesOf(market)))
        new CfnSchedule(this, `${market.market}-${gate}`, {
          name: `auction-${market.market}-${gate}-${environment}`,
          description: `The gate of market ${market.market} ${gate}`,
          scheduleExpression: expression,
          scheduleExpressionTimezone: market.schedule.kind === 'daily' ? market.timeZone : 'UTC',
          flexibleTimeWindow: { mode: 'OFF' },
          target: {
            arn: keepTime.functionArn,
            roleArn: role.roleArn,
            deadLetterConfig: { arn: deadLetters.queueArn },
            retryPolicy: { maximumEventAgeInSeconds: 900, maximumRetryAttempts: 3 },
          },
        });
  }
}

const dayMs = 24 * 3_600_000;

/**
 * When a market's gates open and close, as EventBridge writes it; nothing for auctions on request.
 *
 * @param laterMinutes  so long after the gates, or before them where it is negative
 */
export function gatesOf({ schedule }: Pick<Market, 'schedule'>, laterMinutes = 0): { opens?: string; closes?: string } {
  if (schedule.kind === 'manual') return {};
  if (schedule.kind === 'daily') {
    const at = ({ time }: { time: string }) => {
      const minute = Number(time.slice(0, 2)) * 60 + Number(time.slice(3)) + laterMinutes;
      const ofDay = ((minute % 1440) + 1440) % 1440;
      return `cron(${ofDay % 60} ${Math.floor(ofDay / 60)} * * ? *)`;
    };
    return { opens: at(schedule.gateOpening), closes: at(schedule.gateClosure) };
  }
  const every = msOf(schedule.every);
  const at = (before: string) => cronBefore(every, msOf(before) - laterMinutes * 60_000);
  return { opens: at(schedule.gateOpening), closes: at(schedule.gateClosure) };
}

/** Slots that divide the day come at the same minutes of every day; others only at a rate. */
function cronBefore(everyMs: number, beforeMs: number): string {
  const minutes = Math.max(1, Math.floor(everyMs / 60_000));
  if (everyMs % 60_000 !== 0 || dayMs % everyMs !== 0) return `rate(${minutes} minute${minutes === 1 ? '' : 's'})`;
  const first = ((((-beforeMs % everyMs) + everyMs) % everyMs) / 60_000) | 0;
  if (60 % minutes === 0) {
    const each = Array.from({ length: 60 / minutes }, (_, i) => first + i * minutes);
    return `cron(${each.join(',')} * * * ? *)`;
  }
  if (minutes % 60 !== 0) return `rate(${minutes} minutes)`;
  const hours = Array.from({ length: 1440 / minutes }, (_, i) => Math.floor(first / 60) + (i * minutes) / 60);
  return `cron(${first % 60} ${hours.join(',')} * * ? *)`;
}
