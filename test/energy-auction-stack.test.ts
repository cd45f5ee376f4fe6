/**
 * The stack's template in each environment: resources, names, properties, policies. Above all what no emulator shows: keys,
 * lifecycles, logs, who may do what. Functions are not bundled here; `test/cloud/` deploys the stack as it is.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import validateWorkflow from 'asl-validator';
import { environmentNames } from '../lib/environments.ts';
import { functionNames, functions } from '../lib/functions.ts';
import { tasks as taskFunctions } from '../lib/workflow.ts';
import { routesOf } from '../src/api/app.ts';
import { problemDetails, problemTypes } from '../src/api/problems.ts';
import type { Ports } from '../src/auction/ports.ts';
import { tasks } from '../src/auction/steps/tasks.ts';
import { readEnvironment } from '../src/lambda/environment.ts';
import { type Properties, type Resource, type Synthesised, synthesise, textOf } from './support/synthesised.ts';

/**
 * What becomes of data when its stack goes.
 *
 * "RetainExceptOnCreate behaves like Retain for stack operations, except for the stack operation that initially creates the resource. If the
 * stack operation that created the resource is rolled back, CloudFormation deletes the resource." It can be said of any resource.
 * (CloudFormation Template Reference, DeletionPolicy attribute.)
 */
const kept = (environment: string): string => (environment === 'dev' ? 'Delete' : 'RetainExceptOnCreate');

/** One case for each environment. */
function each(name: string, check: (stack: Synthesised, environment: string, t: TestContext) => void): void {
  for (const environment of environmentNames)
    test(`${environment}: ${name}`, async (t) => check(await synthesise({ environment }), environment, t));
}

each(
  'the tables have their names, keys and time to live, are encrypted by our key and can be restored',
  (stack, env) => {
    const expected = {
      orders: { keys: ['record_id'], ttl: 'ttl' },
      intake: { keys: ['pk', 'sk'], ttl: 'ttl' },
      auctions: { keys: ['pk', 'sk'], ttl: undefined },
      participants: { keys: ['pk'], ttl: undefined },
    };
    assert.equal(stack.of('AWS::DynamoDB::Table').length, Object.keys(expected).length);
    for (const [name, { keys, ttl }] of Object.entries(expected)) {
      const { Properties: table, DeletionPolicy } = stack.one('AWS::DynamoDB::Table', 'TableName', `${name}-${env}`);
      assert.deepEqual(
        table.KeySchema.map((key: Properties) => [key.KeyType, key.AttributeName]),
        keys.map((key, i) => [i === 0 ? 'HASH' : 'RANGE', key]),
      );
      assert.deepEqual(table.TimeToLiveSpecification, ttl && { AttributeName: ttl, Enabled: true });
      assert.equal(table.BillingMode, 'PAY_PER_REQUEST');
      assert.equal(table.SSESpecification.SSEType, 'KMS');
      assert.equal(table.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled, true);
      assert.equal(table.PointInTimeRecoverySpecification.RecoveryPeriodInDays, stack.settings.recoveryDays);
      assert.equal(table.DeletionProtectionEnabled ?? false, env !== 'dev');
      assert.equal(DeletionPolicy, kept(env));
    }
  },
);

each('services use the key and the clock’s role for this account alone, where AWS says that they name it', ({ of }) => {
  const ofAccount = { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } };
  const [[, { Properties: key }]] = of('AWS::KMS::Key') as [ReturnType<typeof of>[number]];
  const found = new Map<string, unknown>();
  for (const { Principal, Condition } of key.KeyPolicy.Statement)
    for (const service of [Principal.Service].flat())
      if (['sns', 'cloudwatch', 'budgets', 'events'].includes(service?.split('.')[0])) found.set(service, Condition);
  assert.deepEqual(Object.fromEntries(found), {
    'sns.amazonaws.com': ofAccount,
    'budgets.amazonaws.com': ofAccount,
    'cloudwatch.amazonaws.com': ofAccount,
    'events.amazonaws.com': undefined,
  });
  const trusts = of('AWS::IAM::Role').map(([, { Properties: role }]) => role.AssumeRolePolicyDocument.Statement[0]);
  const clock = trusts.find(({ Principal }) => Principal.Service === 'scheduler.amazonaws.com');
  assert.deepEqual(clock.Condition, ofAccount);
});

each('the key of what is stored rotates, the one that signs is of Ed25519', ({ of }) => {
  const [stored, signing, ...others] = of('AWS::KMS::Key').map(([, { Properties }]) => Properties);
  assert.equal(stored!.EnableKeyRotation, true);
  assert.deepEqual([signing!.KeySpec, signing!.KeyUsage], ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY']);
  assert.deepEqual(others, []);
});

/** What each function may do with which of the keys that sign, by their numbers. */
function signingOf(stack: Synthesised, env: string): Record<string, string[]> {
  const found = functionNames.map((name): [string, string[]] => {
    const statements = statementsOf(stack, roleOf(stack, name, env));
    const used = statements.flatMap(({ actions, resources }) =>
      resources.flatMap((resource) => {
        const number = /<SigningKey(\d)/.exec(resource)?.[1];
        return number === undefined ? [] : actions.map((action) => `${action} ${number}`);
      }),
    );
    return [name, used.sort()];
  });
  return Object.fromEntries(found.filter(([, used]) => used.length > 0));
}

each('who seals, verifies and answers signs, and nobody else may', (stack, env) => {
  const signs = ['kms:GetPublicKey 1', 'kms:Sign 1'];
  assert.deepEqual(signingOf(stack, env), { api: signs, seal: signs, verify: signs });
});

test('with -c signingKeys=2 the second key signs, and the first stays for what it signed', async () => {
  const stack = await synthesise({ environment: 'prod', signingKeys: '2' });
  const signs = ['kms:GetPublicKey 2', 'kms:Sign 2'];
  assert.deepEqual(signingOf(stack, 'prod'), { api: ['kms:GetPublicKey 1', ...signs], seal: signs, verify: signs });
  const { SIGNING_KEYS } = readEnvironment(functionOf(stack, 'api', 'prod').Environment.Variables);
  assert.match(textOf(SIGNING_KEYS), /^<SigningKey1\w+>,<SigningKey2\w+>$/);
});

each(
  'results lie in a versioned, encrypted, private bucket with lifecycle rules; only dev empties it',
  (stack, env) => {
    const buckets = new Map(stack.of('AWS::S3::Bucket').map(([, b]) => [textOf(b.Properties.BucketName), b]));
    const bucket = buckets.get(`order-results-${env}-<AWS::AccountId>`);
    assert(bucket);
    const { Properties: results } = bucket;
    assert.equal(results.VersioningConfiguration.Status, 'Enabled');
    const [encryption] = results.BucketEncryption.ServerSideEncryptionConfiguration;
    assert.equal(encryption.ServerSideEncryptionByDefault.SSEAlgorithm, 'aws:kms');
    assert.equal(encryption.BucketKeyEnabled, true);
    const rules = results.LifecycleConfiguration.Rules as Properties[];
    assert.deepEqual(
      rules.map((rule) => [rule.Id, rule.Status]),
      ['cheaper-with-age', 'old-versions', 'cut-uploads', 'copies-of-answers'].map((id) => [id, 'Enabled']),
    );
    assert.deepEqual(
      rules.filter((rule) => rule.ExpirationInDays !== undefined).map((rule) => rule.Prefix),
      ['answers/'],
      'books and results are never deleted by age',
    );
    assert.deepEqual(results.CorsConfiguration.CorsRules, [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'] }]);
    for (const [name, { Properties, DeletionPolicy }] of buckets) {
      assert.deepEqual(
        new Set(Object.values(Properties.PublicAccessBlockConfiguration)),
        new Set([true]),
        `${name} is private`,
      );
      assert.equal(DeletionPolicy, kept(env));
    }
    const policies = stack.of('AWS::S3::BucketPolicy').map(([, p]) => JSON.stringify(p.Properties.PolicyDocument));
    assert.equal(policies.length, buckets.size);
    for (const policy of policies) {
      assert.match(policy, /"Condition":\{"Bool":\{"aws:SecureTransport":"false"\}\},"Effect":"Deny"/);
      assert.match(policy, /"Condition":\{"NumericLessThan":\{"s3:TlsVersion":1\.2\}\},"Effect":"Deny"/);
    }
    assert.equal(stack.of('Custom::S3AutoDeleteObjects').length, env === 'dev' ? 2 : 0);
  },
);

each('topics are encrypted, take TLS only and log their deliveries', (stack, env) => {
  const topics = ['rejected-orders', 'auction-errors', 'settled-auctions'];
  assert.equal(stack.of('AWS::SNS::Topic').length, topics.length);
  for (const name of topics) {
    const { Properties: topic } = stack.one('AWS::SNS::Topic', 'TopicName', `${name}-${env}`);
    assert(topic.KmsMasterKeyId);
    const logged = topic.DeliveryStatusLogging as Properties[];
    assert.deepEqual(logged.map((each) => each.Protocol).sort(), ['http/s', 'lambda', 'sqs']);
    for (const each of logged) assert(each.SuccessFeedbackRoleArn && each.FailureFeedbackRoleArn);
  }
  const policies = JSON.stringify(stack.of('AWS::SNS::TopicPolicy'));
  assert.equal(policies.match(/aws:SecureTransport/g)?.length, topics.length);
});

each('whatever is started without waiting ends in the dead letter queue when it fails', (stack, env) => {
  const queues = stack.of('AWS::SQS::Queue');
  assert.equal(queues.length, 1);
  const [id, { Properties: queue }] = queues[0]!;
  assert.equal(queue.QueueName, `dead-letters-${env}`);
  assert(queue.KmsMasterKeyId);
  const target = { 'Fn::GetAtt': [id, 'Arn'] };
  for (const name of functionNames)
    assert.deepEqual(functionOf(stack, name, env).DeadLetterConfig, { TargetArn: target });
  for (const [, rule] of stack.of('AWS::Events::Rule'))
    for (const each of rule.Properties.Targets) assert.deepEqual(each.DeadLetterConfig, { Arn: target });
  for (const [, schedule] of stack.of('AWS::Scheduler::Schedule'))
    assert.deepEqual(schedule.Properties.Target.DeadLetterConfig, { Arn: target });
});

const functionOf = (stack: Synthesised, name: string, env: string): Properties =>
  stack.one('AWS::Lambda::Function', 'FunctionName', `energy-auction-${name}-${env}`).Properties;

each(
  'functions run on Node 24 and ARM, are traced, keep their logs for a time, and know their environment',
  (stack, env) => {
    for (const name of functionNames) {
      const { Environment, ...made } = functionOf(stack, name, env);
      assert.deepEqual(
        [made.Runtime, made.Architectures, made.Handler, made.TracingConfig, made.MemorySize, made.Timeout],
        [
          'nodejs24.x',
          ['arm64'],
          'index.handler',
          { Mode: 'Active' },
          functions[name].memoryMb,
          functions[name].seconds,
        ],
      );
      const environment = readEnvironment(Environment.Variables);
      assert.equal(environment.ENVIRONMENT, env);
      assert.deepEqual(environment.RESULTS_BUCKET, environment.LOG_BUCKET);
      assert.equal(
        textOf(environment.WORKFLOW_ARN),
        `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:energy-auction-${env}`,
      );
    }
  },
);

each(
  'what stays when the stack goes does not stay when its first deployment fails, so that a second can be made',
  (stack, env) => {
    const stateful = ['DynamoDB::Table', 'S3::Bucket', 'KMS::Key', 'Logs::LogGroup', 'SQS::Queue', 'Cognito::UserPool'];
    for (const type of [...stateful, 'StepFunctions::StateMachine']) {
      const found = stack.of(`AWS::${type}`);
      assert(found.length > 0, type);
      for (const [id, { DeletionPolicy, UpdateReplacePolicy }] of found) {
        assert.equal(DeletionPolicy, kept(env), id);
        assert.equal(UpdateReplacePolicy, env === 'dev' ? 'Delete' : 'Retain', id);
      }
    }
  },
);

/**
 * "Amazon SNS creates CloudWatch log groups ... sns/<region>/<account-id>/<topic-name>" (SNS Developer Guide, Prerequisites for delivery
 * status logging); "API Gateway automatically creates and manages a CloudWatch Logs log group. The log group is named
 * API-Gateway-Execution-Logs_{rest-api-id}/{stage_name}" (API Gateway Developer Guide, Execution logging for REST APIs). Neither
 * would ever forget; so they are made before.
 */
each('every log has an end: of functions, workflow, gateway, deliveries, and of what the CDK adds', (stack, env) => {
  const days = { dev: 7, staging: 30, prod: 365 }[env];
  const groups = new Map(stack.of('AWS::Logs::LogGroup').map(([id, group]) => [id, group]));
  for (const [id, { Properties }] of groups) assert.equal(Properties.RetentionInDays, days, id);
  for (const [id, { Properties }] of stack.of('AWS::Lambda::Function'))
    assert(groups.has(Properties.LoggingConfig?.LogGroup.Ref), `${id} has no log of its own`);
  const names = [...groups.values()].map(({ Properties }) => textOf(Properties.LogGroupName));
  for (const topic of ['rejected-orders', 'auction-errors', 'settled-auctions'])
    for (const below of ['', '/Failure'])
      assert(names.includes(`sns/<AWS::Region>/<AWS::AccountId>/${topic}-${env}${below}`), `${topic}${below}`);
  const [[gateway]] = stack.of('AWS::ApiGateway::RestApi') as [[string, unknown]];
  const execution = [...groups].find(
    ([, { Properties }]) => textOf(Properties.LogGroupName) === `API-Gateway-Execution-Logs_<${gateway}>/v1`,
  );
  const [, stage] = stack.of('AWS::ApiGateway::Stage')[0]!;
  assert(stage.DependsOn?.includes(execution![0]), 'the stage would make it itself');
});

/**
 * "To avoid overwriting other roles, you should only have one AWS::ApiGateway::Account resource per region per account" and "When you
 * delete a stack containing this resource, API Gateway can still assume the provided IAM role" (CloudFormation Template Reference,
 * AWS::ApiGateway::Account): as long as there is that role.
 */
each('the role for the logs of all gateways of the account outlives the stack', (stack) => {
  const [[id, account]] = stack.of('AWS::ApiGateway::Account') as [[string, Resource]];
  const role = account.Properties.CloudWatchRoleArn['Fn::GetAtt'][0];
  for (const each of [account, stack.resources[role]!])
    assert.deepEqual([each.DeletionPolicy, each.UpdateReplacePolicy], ['Retain', 'Retain']);
  const [, stage] = stack.of('AWS::ApiGateway::Stage')[0]!;
  assert(stage.DependsOn?.includes(id), 'a stage with logs needs the role');
});

test('with -c accountSettings=apart the stack leaves the account alone', async () => {
  const { of } = await synthesise({ environment: 'prod', accountSettings: 'apart' });
  assert.deepEqual(of('AWS::ApiGateway::Account'), []);
});

each('stack errors in logs name lines of the sources', (stack) => {
  for (const [id, { Properties }] of stack.of('AWS::Lambda::Function'))
    if (Properties.FunctionName)
      assert.equal(Properties.Environment.Variables.NODE_OPTIONS, '--enable-source-maps', id);
});

/** Quotas of CloudFormation: 500 resources and 1 MB a template (CloudFormation User Guide, quotas). */
each('house and what watches it are one stack, far below what a stack may have', (stack, env, t) => {
  assert.equal(stack.of('AWS::CloudWatch::CompositeAlarm').length, 1);
  const count = Object.keys(stack.resources).length;
  const bytes = JSON.stringify(stack.template.toJSON(), undefined, 1).length;
  t.diagnostic(`${env}: ${count} resources, ${Math.round(bytes / 1000)} kB`);
  assert(count < 400, `${count} resources`);
  assert(bytes < 750_000, `${bytes} bytes`);
});

/** Statements of the role's own policies. */
function statementsOf(stack: Synthesised, role: string): { actions: string[]; resources: string[] }[] {
  const policies = stack
    .of('AWS::IAM::Policy')
    .filter(([, p]) => JSON.stringify(p.Properties.Roles).includes(`"${role}"`));
  return policies.flatMap(([, policy]) =>
    (policy.Properties.PolicyDocument.Statement as Properties[]).map(({ Effect, Action, Resource }) => {
      assert.equal(Effect, 'Allow');
      return { actions: [Action].flat() as string[], resources: ([Resource].flat() as unknown[]).map(textOf) };
    }),
  );
}

const roleOf = (stack: Synthesised, name: string, env: string): string =>
  functionOf(stack, name, env).Role['Fn::GetAtt'][0] as string;

/** Which services a function may write to, by the resource's own name. */
const mayWrite: Record<(typeof functionNames)[number], string[]> = {
  authorize: [],
  'post-orders': ['Intake', 'Orders'],
  api: ['Auctions', 'Intake', 'Orders', 'Settled', 'StartExecution', 'answers', 'exclusions', 'networks'],
  seal: ['Auctions', 'Intake', 'Rejected', 'books'],
  clear: ['Auctions', 'checkpoints', 'orders', 'results'],
  verify: ['Auctions'],
  settle: ['Intake', 'Rejected', 'orders'],
  publish: ['Auctions', 'Intake', 'Settled'],
  'notify-failure': ['Auctions', 'Errors', 'Intake'],
  diagnose: ['Auctions', 'Errors', 'Intake', 'diagnoses'],
  'keep-time': ['Auctions', 'Errors', 'Intake', 'Orders', 'Settled', 'StartExecution', 'networks'],
};
const writing = /^(dynamodb:(Put|Update|Delete|BatchWrite)|s3:Put|sns:Publish|states:Start)/;

each('each function may write what is its to write, and no role has more than its job', (stack, env) => {
  for (const name of functionNames) {
    const written = statementsOf(stack, roleOf(stack, name, env))
      .filter(({ actions }) => actions.some((action) => writing.test(action)))
      .flatMap(({ actions, resources }) =>
        resources.map((resource) =>
          actions.includes('states:StartExecution')
            ? 'StartExecution'
            : (/<(?:Storage|Notices)(Orders|Intake|Auctions|Rejected|Errors|Settled)/.exec(resource)?.[1] ??
              /\/(\w+)\/\*$/.exec(resource)?.[1] ??
              resource),
        ),
      );
    assert.deepEqual([...new Set(written)].sort(), mayWrite[name], name);
  }
});

each('no policy has an action for everything, and none is for all resources but traces and log delivery', (stack) => {
  for (const [id, policy] of stack.of('AWS::IAM::Policy'))
    for (const { Action, Resource } of policy.Properties.PolicyDocument.Statement) {
      const actions = [Action].flat() as string[];
      assert(!actions.some((action) => action.includes('*')), `${id}: ${actions}`);
      if (([Resource].flat() as unknown[]).map(textOf).includes('*'))
        for (const action of actions) assert.match(action, /^(xray|logs):/, `${id} allows ${action} for all`);
    }
});

each('the workflow is the file, with functions for its placeholders and the map distributed', (stack, env) => {
  const { Properties: machine } = stack.one(
    'AWS::StepFunctions::StateMachine',
    'StateMachineName',
    `energy-auction-${env}`,
  );
  const file = readFileSync(new URL('../workflow/auction.asl.json', import.meta.url), 'utf8');
  assert.equal(machine.DefinitionString, file);
  const { SettlementMode, ...arns } = machine.DefinitionSubstitutions;
  assert.equal(SettlementMode, 'DISTRIBUTED');
  assert.deepEqual(Object.keys(taskFunctions).sort(), Object.keys(tasks).sort());
  assert.deepEqual(
    Object.keys(arns).sort(),
    Object.keys(tasks)
      .map((task) => `${task}FunctionArn`)
      .sort(),
  );
  assert.equal(machine.StateMachineType, 'STANDARD');
  assert.deepEqual(machine.TracingConfiguration, { Enabled: true });
  assert.equal(machine.LoggingConfiguration.Level, 'ALL');
  const placeholders = { ...arns, SettlementMode };
  const definition = JSON.parse(
    file.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
      assert(name in placeholders, `nothing is put in for ${name}`);
      return name === 'SettlementMode' ? SettlementMode : `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
    }),
  ) as object;
  const validated = validateWorkflow(definition);
  assert(validated.isValid, validated.errorsText());
});

each('each task of the workflow waits at least as long as its function may run', (stack, env) => {
  const file = JSON.parse(readFileSync(new URL('../workflow/auction.asl.json', import.meta.url), 'utf8'));
  const states = { ...file.States, ...file.States.SettlePages.ItemProcessor.States };
  for (const [task, name] of Object.entries(taskFunctions))
    assert(functionOf(stack, name, env).Timeout < states[task].TimeoutSeconds, task);
});

each('the house is woken every hour, every minute, and at the gates of its markets', (stack, env) => {
  const rules = Object.fromEntries(
    stack.of('AWS::Events::Rule').map(([, r]) => [r.Properties.Name, r.Properties.ScheduleExpression]),
  );
  assert.deepEqual(rules, {
    [`auction-hourly-${env}`]: 'cron(0 * * * ? *)',
    [`auction-minute-${env}`]: 'rate(1 minute)',
    ...(env === 'staging' && { 'auction-canary-staging': 'rate(1 hour)' }),
  });
  const schedules = stack
    .of('AWS::Scheduler::Schedule')
    .map(([, { Properties: s }]) => [s.Name, `${s.ScheduleExpression} ${s.ScheduleExpressionTimezone}`]);
  assert.deepEqual(Object.fromEntries(schedules), {
    [`auction-hourly-opens-${env}`]: 'cron(0 * * * ? *) UTC',
    [`auction-hourly-closes-${env}`]: 'cron(55 * * * ? *) UTC',
    [`auction-day-ahead-opens-${env}`]: 'cron(0 8 * * ? *) Europe/Brussels',
    [`auction-day-ahead-closes-${env}`]: 'cron(0 12 * * ? *) Europe/Brussels',
  });
});

/** Methods of the gateway by `POST /orders`. */
function methodsOf(stack: Synthesised): Map<string, Properties> {
  const paths = new Map<string, string>();
  const pathOf = (id: string): string => {
    const known = paths.get(id);
    if (known !== undefined) return known;
    const { Properties } = stack.resources[id]!;
    const parent = Properties.ParentId.Ref === undefined ? '' : pathOf(Properties.ParentId.Ref);
    paths.set(id, `${parent}/${Properties.PathPart}`);
    return `${parent}/${Properties.PathPart}`;
  };
  return new Map(
    stack.of('AWS::ApiGateway::Method').map(([, { Properties }]) => {
      const path = Properties.ResourceId.Ref === undefined ? '/' : pathOf(Properties.ResourceId.Ref);
      return [`${Properties.HttpMethod} ${path}`, Properties];
    }),
  );
}

const functionCalledBy = (stack: Synthesised, method: Properties): string => {
  const id = /<(\w+)\.Arn>/.exec(textOf(method.Integration.Uri))?.[1];
  assert(id);
  return stack.resources[id]!.Properties.FunctionName as string;
};

each('every route of the API is there and asks for a key; POST /orders has a function of its own', (stack, env) => {
  const methods = methodsOf(stack);
  const routes = routesOf({} as Ports);
  for (const { method, path } of routes) {
    const name = `${method.toUpperCase()} ${path}`;
    const made = methods.get(name);
    assert(made, `${name} is missing`);
    const expected = name === 'POST /orders' ? 'post-orders' : 'api';
    assert.equal(functionCalledBy(stack, made), `energy-auction-${expected}-${env}`, name);
    assert(methods.has(`ANY ${path}`), `other methods of ${path} have no answer`);
  }
  assert(methods.has('ANY /{proxy+}'));
  for (const [name, made] of methods)
    if (name.startsWith('OPTIONS ')) assert.equal(made.Integration.Type, 'MOCK');
    else assert.equal(made.ApiKeyRequired, true, `${name} works without a key`);
});

each('bodies have models made of the schemas, in words that the gateway knows', (stack) => {
  const models = new Map(stack.of('AWS::ApiGateway::Model').map(([, { Properties: m }]) => [m.Name, m.Schema]));
  assert.deepEqual([...models.keys()].sort(), [
    'CancelAuction',
    'ChangeNetwork',
    'CreateAuction',
    'ReplaceOrder',
    'RestartAuction',
    'SubmitOrders',
  ]);
  for (const schema of models.values()) {
    assert.equal(schema.$schema, 'http://json-schema.org/draft-04/schema#');
    assert.doesNotMatch(JSON.stringify(schema), /"(\$defs|const|prefixItems|examples|exclusiveMinimum)":/);
  }
  const { properties } = models.get('CreateAuction').definitions.AuctionRequest;
  assert.equal(properties.id.pattern, '^[a-z0-9][a-z0-9-]{0,63}$');
  assert.equal(models.get('SubmitOrders').definitions.OrderSubmission.oneOf.length, 5);
  const checksBody = (name: string) =>
    stack.resources[methodsOf(stack).get(name)!.RequestValidatorId.Ref]!.Properties.ValidateRequestBody;
  assert.equal(checksBody('POST /auctions'), true);
  assert.equal(checksBody('POST /orders'), false, 'the house names order and field, the gateway cannot');
  assert.equal(checksBody('POST /auctions/{id}/cancel'), false, 'its body may be left out');
});

each('what the gateway refuses are problem details', (stack) => {
  const responses = stack.of('AWS::ApiGateway::GatewayResponse');
  assert(responses.length > 10);
  for (const [, { Properties: response }] of responses) {
    const details = problemDetails.parse(JSON.parse(response.ResponseTemplates['application/json']));
    assert.equal(response.StatusCode, String(details.status), response.ResponseType);
    assert.equal(problemTypes[details.code].status, details.status);
    assert.equal(response.ResponseParameters['gatewayresponse.header.Content-Type'], "'application/problem+json'");
    assert.equal(response.ResponseParameters['gatewayresponse.header.Access-Control-Allow-Origin'], "'*'");
  }
});

each('the stage is throttled, traced, measured and writes JSON access logs', (stack) => {
  const { throttle } = stack.settings;
  const { Properties: stage } = stack.of('AWS::ApiGateway::Stage')[0]![1];
  const [settings] = stage.MethodSettings;
  assert.equal(settings.ThrottlingRateLimit, throttle.rateLimit);
  assert.equal(settings.ThrottlingBurstLimit, throttle.burstLimit);
  assert.equal(settings.DataTraceEnabled, false);
  assert.equal(settings.MetricsEnabled, true);
  assert.equal(stage.TracingEnabled, true);
  assert(stage.AccessLogSetting.DestinationArn);
  const line = JSON.parse(stage.AccessLogSetting.Format) as Record<string, string>;
  for (const field of ['requestId', 'method', 'path', 'status', 'ms', 'apiKeyId']) assert(line[field], field);
});

test('readSettings(): an unknown default market fails', async () => {
  await assert.rejects(synthesise({ environment: 'dev', market: 'weekly' }, false), /no market weekly/);
});

test('a permissions boundary by context bounds every role', async () => {
  const { of } = await synthesise({ environment: 'dev', permissionsBoundary: 'team-boundary' }, false);
  const roles = of('AWS::IAM::Role');
  assert(roles.length > functionNames.length);
  for (const [id, role] of roles) assert.match(textOf(role.Properties.PermissionsBoundary ?? ''), /team-boundary$/, id);
});

test('readEnvironment() names every variable that is missing', () => {
  assert.throws(() => readEnvironment({ ORDERS_TABLE: 'orders-dev', INTAKE_SHARDS: '' }), /ENVIRONMENT.*INTAKE_SHARDS/);
});
