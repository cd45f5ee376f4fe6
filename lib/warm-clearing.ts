/**
 * Clearing made warm for the gates: a container is provisioned some minutes before each gate closes and let go some minutes after.
 *
 * The workflow then calls the alias. Outside these times the alias is an ordinary function that starts when it is called.
 */

import { TimeZone } from 'aws-cdk-lib';
import { ScalableTarget, Schedule, ServiceNamespace } from 'aws-cdk-lib/aws-applicationautoscaling';
import { Alias, type IVersion, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { msOf } from '../src/market/calendar.ts';
import type { Market } from '../src/market/market.ts';
import { gatesOf } from './clock.ts';

/**
 * How long after the gate it is kept: sealing comes first, and clearing may be asked again. Markets share the container, and the
 * first whose time is over lets it go; this is longer than an hourly gate is before the day-ahead's.
 */
export const keptMinutes = 10;

export class WarmClearing extends Construct {
  readonly alias: Alias;

  constructor(
    scope: Construct,
    id: string,
    { clear, markets, minutes }: { clear: LambdaFunction; markets: readonly Market[]; minutes: number },
  ) {
    super(scope, id);
    this.alias = new Alias(this, 'Alias', { aliasName: 'live', version: clear.currentVersion as IVersion });
    const target = new ScalableTarget(this, 'Target', {
      serviceNamespace: ServiceNamespace.LAMBDA,
      scalableDimension: 'lambda:function:ProvisionedConcurrency',
      resourceId: `function:${clear.functionName}:live`,
      minCapacity: 0,
      maxCapacity: 1,
    });
    target.node.addDependency(this.alias);
    for (const market of markets) {
      const timeZone = TimeZone.of(market.schedule.kind === 'daily' ? market.timeZone : 'Etc/UTC');
      const warm = gatesOf(market, -minutes).closes;
      const cold = isAlwaysNear(market, minutes) ? undefined : gatesOf(market, keptMinutes).closes;
      // A gate that comes at a rate has no minute of its own.
      for (const [name, expression, capacity] of [
        ['warm', warm, 1],
        ['cold', cold, 0],
      ] as const)
        if (expression?.startsWith('cron'))
          target.scaleOnSchedule(`${market.market}-${name}`, {
            schedule: Schedule.expression(expression),
            timeZone,
            minCapacity: capacity,
            maxCapacity: capacity,
          });
    }
  }
}

/** Where gates follow each other so quickly, it stays. */
const isAlwaysNear = ({ schedule }: Market, minutes: number): boolean =>
  schedule.kind === 'interval' && msOf(schedule.every) <= (minutes + keptMinutes) * 60_000;
