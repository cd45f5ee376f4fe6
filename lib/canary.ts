/** A canary auction every so often, where an environment says so: whether the house works is known before somebody needs it. */

import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { type FunctionsProps, makeFunction } from './functions.ts';
import { canaryDuty, grantDuty, type House } from './permissions.ts';

export class Canary extends Construct {
  constructor(scope: Construct, id: string, { house, ...props }: FunctionsProps & { readonly house: House }) {
    super(scope, id);
    const { settings, deadLetters } = props;
    const canary = makeFunction(this, 'canary', props);
    grantDuty(canary, canaryDuty, house);
    new Rule(this, 'Rule', {
      ruleName: `auction-canary-${settings.environment}`,
      description: 'Holds a small auction to see whether the house works',
      schedule: Schedule.rate(Duration.minutes(settings.schedules.canaryMinutes)),
      // One that comes late would only be in the way of the next.
      targets: [new LambdaFunction(canary, { deadLetterQueue: deadLetters, retryAttempts: 0 })],
    });
  }
}
