/** The auction house on AWS, put together from its duties: each is a construct in a file of its own. */

import { Annotations, CfnOutput, PermissionsBoundary, Stack } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Environment } from '../src/lambda/environment.ts';
import { Access } from './access.ts';
import { Canary } from './canary.ts';
import { Clock } from './clock.ts';
import { EdgeCache } from './edge-cache.ts';
import { Functions } from './functions.ts';
import { GatewayLogs } from './gateway-logs.ts';
import { HttpApi, publicUsageKey, refusedUsageKey } from './http-api.ts';
import { Notices } from './notices.ts';
import { grantDuties } from './permissions.ts';
import type { Settings } from './settings.ts';
import { Signing } from './signing.ts';
import { Storage } from './storage.ts';
import { WarmClearing } from './warm-clearing.ts';
import { Watching } from './watching.ts';
import { WebAcl } from './web-acl.ts';
import { Workflow, workflowArn } from './workflow.ts';

export class EnergyAuctionStack extends Stack {
  constructor(scope: Construct, id: string, { settings }: { readonly settings: Settings }) {
    super(scope, id, {
      description: `Merit, the open energy auction house (${settings.environment})`,
      terminationProtection: settings.terminationProtection,
      ...(settings.permissionsBoundary && {
        permissionsBoundary: PermissionsBoundary.fromName(settings.permissionsBoundary),
      }),
    });
    if (settings.watched && settings.alarmAddresses.length === 0)
      Annotations.of(this).addWarningV2(
        'merit:unwatched',
        `nobody hears the alarms of ${settings.environment}; say -c alarmAddresses=who@example.org`,
      );
    const storage = new Storage(this, 'Storage', settings);
    const notices = new Notices(this, 'Notices', { settings, key: storage.key });
    const { deadLetters } = notices;
    const access = new Access(this, 'Access', settings);
    const signing = new Signing(this, 'Signing', settings);
    const environment: Environment = {
      ENVIRONMENT: settings.environment,
      ORDERS_TABLE: storage.orders.tableName,
      INTAKE_TABLE: storage.intake.tableName,
      AUCTIONS_TABLE: storage.auctions.tableName,
      RESULTS_BUCKET: storage.bucket.bucketName,
      LOG_BUCKET: storage.bucket.bucketName,
      REJECTED_TOPIC_ARN: notices.rejected.topicArn,
      ERRORS_TOPIC_ARN: notices.errors.topicArn,
      NOTICES_TOPIC_ARN: notices.settled.topicArn,
      WORKFLOW_ARN: workflowArn(this, settings),
      SIGNING_KEYS: signing.ids,
      INTAKE_SHARDS: String(settings.intakeShards),
      PARTICIPANTS_TABLE: storage.participants.tableName,
      TOKEN_ISSUER: access.issuer,
      TOKEN_KEYS_URL: access.keysUrl,
      PUBLIC_USAGE_KEY: publicUsageKey(settings.environment),
      REFUSED_USAGE_KEY: refusedUsageKey(settings.environment),
      DASHBOARD_ORIGIN: settings.dashboardOrigin,
    };
    const shared = { settings, environment, deadLetters };
    const functions = new Functions(this, 'Functions', shared);
    const { byName } = functions;
    const house = {
      storage,
      signing,
      notices,
      workflowArn: workflowArn(this, settings),
      executionsArn: workflowArn(this, settings, 'executions'),
    };
    grantDuties(functions, house);
    if (settings.schedules.canaryMinutes > 0) new Canary(this, 'Canary', { ...shared, house });
    const { warmMinutes: minutes } = settings.schedules;
    const warm =
      minutes > 0 && new WarmClearing(this, 'Warm', { clear: byName.clear, markets: settings.markets, minutes });
    new Workflow(this, 'Workflow', { settings, functions, ...(warm && { warm: warm.alias as IFunction }) });
    new Clock(this, 'Clock', { settings, key: storage.key, keepTime: byName['keep-time'], deadLetters });
    const http = new HttpApi(this, 'HttpApi', {
      settings,
      authorize: byName.authorize,
      postOrders: byName['post-orders'],
      api: byName.api,
    });
    new GatewayLogs(this, 'GatewayLogs', { settings, stage: http.api.deploymentStage });
    if (settings.watching === 'within') new Watching(this, 'Watching', { settings });

    if (settings.waf) new WebAcl(this, 'WebAcl', { settings, api: http.api });
    if (settings.edgeCache) {
      const { distribution } = new EdgeCache(this, 'EdgeCache', { settings, api: http.api });
      const value = `https://${distribution.domainName}/`;
      new CfnOutput(this, 'EdgeUrl', { value, description: 'The API with published results from the edge' });
    }
    new CfnOutput(this, 'Url', { value: http.api.url, description: 'The API' });
    new CfnOutput(this, 'TokenUrl', {
      value: `${access.domain.baseUrl()}/oauth2/token`,
      description: 'Where clients get their tokens (client credentials)',
    });
    new CfnOutput(this, 'ApiId', { value: http.api.restApiId });
    new CfnOutput(this, 'ClientPlanId', { value: http.clientPlan.usagePlanId });
    new CfnOutput(this, 'UserPoolId', { value: access.pool.userPoolId });
    new CfnOutput(this, 'ParticipantsTable', { value: storage.participants.tableName });
    new CfnOutput(this, 'ResultsBucket', { value: storage.bucket.bucketName });
    this.tellTopics(notices);
    new CfnOutput(this, 'DeadLetters', { value: deadLetters.queueUrl });
    new CfnOutput(this, 'WorkflowArn', { value: workflowArn(this, settings) });
  }

  private tellTopics(notices: Notices): void {
    new CfnOutput(this, 'RejectedTopic', {
      value: notices.rejected.topicArn,
      description: 'Subscribe to hear of rejects',
    });
    new CfnOutput(this, 'ErrorsTopic', {
      value: notices.errors.topicArn,
      description: 'Subscribe to hear of failures',
    });
    new CfnOutput(this, 'SettledTopic', {
      value: notices.settled.topicArn,
      description: 'Subscribe to hear of results',
    });
  }
}
