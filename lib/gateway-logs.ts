/** What a gateway needs to write its logs, before its stage is made: leave to write, and a group that forgets after a time. */

import type { Stage } from 'aws-cdk-lib/aws-apigateway';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { AccountSettings } from './account-settings.ts';
import { stageName } from './http-api.ts';
import type { Settings } from './settings.ts';

export class GatewayLogs extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { settings, stage }: { readonly settings: Settings; readonly stage: Stage },
  ) {
    super(scope, id);
    const { logRetention, removalPolicy } = settings;
    // API Gateway takes no other name, and would make the group itself, without an end.
    new LogGroup(this, 'Execution', {
      logGroupName: `API-Gateway-Execution-Logs_${stage.restApi.restApiId}/${stageName}`,
      retention: logRetention,
      removalPolicy,
    });
    if (settings.accountSettings === 'own') new AccountSettings(this, 'AccountSettings');
    stage.node.addDependency(this);
  }
}
