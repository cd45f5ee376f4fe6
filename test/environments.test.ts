/** What is chosen by context: environments, and what may be overruled. The templates of each are in `energy-auction-stack.test.ts`. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ContextError } from '../lib/context.ts';
import { environmentNames, environments } from '../lib/environments.ts';
import { readSettings, settingKeys, validSettingKeys } from '../lib/settings.ts';
import { type Properties, type Synthesised, synthesise, textOf } from './support/synthesised.ts';

const read = (context: Record<string, unknown>) => readSettings({ getAllContext: () => context });

test('only dev lets its data go; prod is protected twice, kept longest, watched, and warm at the gate', () => {
  const rows = environmentNames.map((name) => {
    const { removalPolicy, deletionProtection, terminationProtection, watched } = environments[name];
    return [name, removalPolicy, deletionProtection, terminationProtection, watched];
  });
  assert.deepEqual(rows, [
    ['dev', 'destroy', false, false, false],
    ['staging', 'retain-on-update-or-delete', true, false, false],
    ['prod', 'retain-on-update-or-delete', true, true, true],
  ]);
  const { dev, staging, prod } = environments;
  for (const key of ['recoveryDays', 'logRetention', 'intakeShards', 'quota', 'budget'] as const)
    assert(dev[key] < staging[key] && staging[key] < prod[key], key);
  assert.deepEqual(
    environmentNames.map((name) => environments[name].schedules.canaryMinutes),
    [0, 60, 0],
  );
});

test('readSettings() takes mail addresses, budget and options from context, and refuses what it does not know', async () => {
  const { schedules, ...settings } = await read({
    environment: 'staging',
    alarmAddresses: 'night@example.org, day@example.org',
    budget: '40',
    warmMinutes: '3',
    workflow: 'express',
    cache: 'edge',
  });
  assert.deepEqual(settings.alarmAddresses, ['night@example.org', 'day@example.org']);
  assert.deepEqual(
    [settings.budget, schedules.warmMinutes, settings.expressWorkflow, settings.edgeCache],
    [40, 3, true, true],
  );
  const refused: [Record<string, string>, RegExp][] = [
    [{ alarmAddresses: 'night' }, /alarmAddresses: "night" is no mail address/],
    [{ budget: '0' }, /budget: expected a whole number from 1 on, found "0"/],
    [{ warmMinutes: 'soon' }, /warmMinutes: expected a whole number from 0 on/],
    [{ workflow: 'fast' }, /workflow: there is no fast; say standard or express/],
    [{ cache: 'on' }, /cache: there is no on; say none or edge/],
    [{ watching: 'yes' }, /watching: there is no yes; say within or apart or none/],
    [{ accountSettings: 'no' }, /accountSettings: there is no no; say own or apart/],
    [{ environment: 'prod', deletionProtection: 'no' }, /deletionProtection: there is no no; say on or off/],
    [{ lockDays: '30' }, /lockDays: the data of dev goes with its stack, which a lock would forbid/],
    [{ restoredTables: 'a/b' }, /restoredTables: "a\/b" is no end of a table's name/],
  ];
  for (const [context, message] of refused) await assert.rejects(read({ environment: 'dev', ...context }), message);
});

test('readSettings(): dev where no environment is named; another one is refused by the names of those there are', async () => {
  for (const context of [{}, { environment: '' }]) assert.equal((await read(context)).environment, 'dev');
  const valid =
    /^context environment: there is no \w+; say -c environment=dev or -c environment=staging or -c environment=prod$/;
  for (const environment of ['production', 'toString'])
    await assert.rejects(
      read({ environment }),
      (error: Error) => error instanceof ContextError && valid.test(error.message),
    );
});

test('readSettings() refuses a key that nobody reads, and lets those of the CDK pass', async () => {
  const cdk = {
    '@aws-cdk/core:x': true,
    'aws:cdk:bundling-stacks': [],
    'availability-zones:account=1:region=2': ['a'],
  };
  const mistyped: Record<string, unknown>[] = [
    { alarmAdresses: 'a@example.org' },
    { 'prod.alarmAdresses': 'a@example.org' },
    { 'production.budget': '1' },
    { 'prod.environment': 'dev' },
    { stack: {} },
  ];
  await read(cdk);
  for (const context of mistyped)
    await assert.rejects(read({ ...cdk, ...context }), {
      name: 'ContextError',
      message: `context ${Object.keys(context)[0]}: there is no such key; say ${validSettingKeys}`,
    });
  await assert.rejects(read({ budget: 3 }), /context budget: expected a text, found 3/);
});

test('readSettings(): what is said for one environment alone holds there, and goes before what is said for all', async () => {
  const context = { alarmAddresses: 'all@example.org', 'prod.alarmAddresses': 'night@example.org', 'dev.budget': '7' };
  const told = async (environment: string) => {
    const { alarmAddresses, budget } = await read({ ...context, environment });
    return [...alarmAddresses, budget];
  };
  assert.deepEqual(await told('dev'), ['all@example.org', 7]);
  assert.deepEqual(await told('prod'), ['night@example.org', environments.prod.budget]);
});

test('docs/deploy.md has each key that can be said, and no other', () => {
  const text = readFileSync(new URL('../docs/deploy.md', import.meta.url), 'utf8');
  const rows = /\| context +\| what .*?\n\n/s.exec(text)![0].split('\n').slice(2);
  const keys = rows.flatMap((row) => [...(row.split('|')[1]?.matchAll(/`(\w+)[=`]/g) ?? [])].map(([, key]) => key));
  assert.deepEqual(keys, settingKeys.slice(1));
});

test('prod says so when nobody would hear its alarms', async () => {
  const warning = /nobody hears the alarms of prod/;
  assert.match((await synthesise({ environment: 'prod' }, false)).warnings.join('\n'), warning);
  const { warnings } = await synthesise({ environment: 'prod', alarmAddresses: 'night@example.org' }, false);
  assert.doesNotMatch(warnings.join('\n'), warning);
  assert.doesNotMatch((await synthesise({ environment: 'dev' }, false)).warnings.join('\n'), warning);
});

test('each environment has a budget that counts what carries its tag and is told to the errors topic, as are addresses', async () => {
  for (const environment of environmentNames) {
    const stack = await synthesise({ environment, alarmAddresses: 'night@example.org' }, false);
    const { Properties } = stack.of('AWS::Budgets::Budget')[0]![1];
    assert.equal(Properties.Budget.BudgetLimit.Amount, environments[environment].budget);
    assert.deepEqual(Properties.Budget.CostFilters, { TagKeyValue: [`user:environment$${environment}`] });
    const topics = stack
      .of('AWS::SNS::Topic')
      .filter(([, each]) => each.Properties.TopicName === `auction-errors-${environment}`);
    const address = { Ref: topics[0]![0] };
    assert.deepEqual(
      Properties.NotificationsWithSubscribers.map((each: Properties) => [
        each.Notification.NotificationType,
        each.Notification.Threshold,
        textOf(each.Subscribers[0].Address).split(':').at(-1),
      ]),
      [
        ['ACTUAL', 80, `auction-errors-${environment}`],
        ['ACTUAL', 100, `auction-errors-${environment}`],
        ['FORECASTED', 100, `auction-errors-${environment}`],
      ],
    );
    const policies = JSON.stringify(stack.of('AWS::SNS::TopicPolicy'));
    assert.match(policies, /"Service":\["budgets.amazonaws.com","cloudwatch.amazonaws.com"\]/);
    const [, subscription] = stack.of('AWS::SNS::Subscription')[0]!;
    assert.deepEqual(
      [subscription.Properties.Protocol, subscription.Properties.Endpoint, subscription.Properties.TopicArn],
      ['email', 'night@example.org', address],
    );
  }
});

test('with -c workflow=express the pages of a settlement are express executions, the auction itself never is', async () => {
  for (const [workflow, expected] of [
    ['standard', 'STANDARD'],
    ['express', 'EXPRESS'],
  ] as const) {
    const { Properties } = (await synthesise({ environment: 'dev', workflow }, false)).of(
      'AWS::StepFunctions::StateMachine',
    )[0]![1];
    assert.equal(Properties.StateMachineType, 'STANDARD');
    const { States } = JSON.parse(Properties.DefinitionString);
    assert.equal(States.SettlePages.ItemProcessor.ProcessorConfig.ExecutionType, expected);
  }
});

test("with -c cache=edge published data is kept at the edge by the house's word, and each caller's apart", async () => {
  const stack = await synthesise({ environment: 'prod', cache: 'edge' });
  const [policyId, policy] = stack.of('AWS::CloudFront::CachePolicy')[0]!;
  const {
    DefaultTTL,
    MinTTL,
    MaxTTL,
    ParametersInCacheKeyAndForwardedToOrigin: key,
  } = policy.Properties.CachePolicyConfig;
  assert.deepEqual([DefaultTTL, MinTTL, MaxTTL], [0, 0, 31_536_000]);
  assert.deepEqual(key.HeadersConfig, { HeaderBehavior: 'whitelist', Headers: ['Authorization', 'Origin'] });
  assert.equal(key.QueryStringsConfig.QueryStringBehavior, 'all');
  const { DistributionConfig: distribution } = stack.of('AWS::CloudFront::Distribution')[0]![1].Properties;
  assert.deepEqual(
    distribution.CacheBehaviors.map((each: Properties) => [each.PathPattern, each.CachePolicyId, each.AllowedMethods]),
    ['prices', 'flows', 'curves'].map((what) => [`auctions/*/${what}`, { Ref: policyId }, ['GET', 'HEAD', 'OPTIONS']]),
  );
  const managedCachingDisabled = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad';
  assert.equal(distribution.DefaultCacheBehavior.CachePolicyId, managedCachingDisabled);
  for (const { ErrorCachingMinTTL } of distribution.CustomErrorResponses) assert.equal(ErrorCachingMinTTL, 0);
  assert.match(JSON.stringify(distribution.Origins[0].DomainName), /execute-api/);
  assert.match(JSON.stringify(distribution.Origins[0].OriginPath), /DeploymentStagev1/);
  assert.ok(stack.template.toJSON().Outputs.EdgeUrl);
  assert.deepEqual((await synthesise({ environment: 'prod' }, false)).of('AWS::CloudFront::Distribution'), []);
});

test('clearing is warm around each gate where an environment says so, and the workflow calls what is warm', async () => {
  const { of, template } = await synthesise({ environment: 'prod' });
  const [, target] = of('AWS::ApplicationAutoScaling::ScalableTarget')[0]!;
  const actions = target.Properties.ScheduledActions.map((each: Properties) => [
    each.ScheduledActionName,
    each.Schedule,
    each.Timezone,
    each.ScalableTargetAction.MinCapacity,
  ]);
  assert.deepEqual(actions, [
    ['hourly-warm', 'cron(50 * * * ? *)', 'Etc/UTC', 1],
    ['hourly-cold', 'cron(5 * * * ? *)', 'Etc/UTC', 0],
    ['day-ahead-warm', 'cron(55 11 * * ? *)', 'Europe/Brussels', 1],
    ['day-ahead-cold', 'cron(10 12 * * ? *)', 'Europe/Brussels', 0],
  ]);
  const [alias] = of('AWS::Lambda::Alias')[0]!;
  const [, machine] = of('AWS::StepFunctions::StateMachine')[0]!;
  assert.deepEqual(machine.Properties.DefinitionSubstitutions.ClearFunctionArn, { Ref: alias });
  const invoked = JSON.stringify(Object.values(template.findResources('AWS::IAM::Policy')));
  assert(invoked.includes(`{"Ref":"${alias}"}`), 'the workflow may call it');
  const cold = await synthesise({ environment: 'dev' }, false);
  assert.equal(cold.of('AWS::Lambda::Alias').length, 0);
});

test('what watches the house is within its stack, apart, or not there; the house is the same', async () => {
  const within = await synthesise({ environment: 'dev' }, false);
  const apart = await synthesise({ environment: 'dev', watching: 'apart' }, false);
  const alarms = await synthesise({ environment: 'dev' }, false, 'watching');
  const none = await synthesise({ environment: 'dev', watching: 'none' }, false);
  const typesOf = (stack: Synthesised) => Object.values(stack.resources).map(({ Type }) => Type);
  const isWatching = (type: string) => /^AWS::(CloudWatch|Budgets)::/.test(type);
  assert.deepEqual(typesOf(apart), typesOf(none));
  assert.deepEqual(
    typesOf(within).filter((type) => !isWatching(type)),
    typesOf(apart),
  );
  assert.deepEqual(typesOf(within).filter(isWatching).sort(), typesOf(alarms).sort());
  assert.ok(typesOf(alarms).length > 15);
});

test('a first deployment can be without protection against deletion, so that all of it can be undone', async () => {
  const { of, settings } = await synthesise({ environment: 'prod', deletionProtection: 'off' }, false);
  assert.equal(settings.terminationProtection, false);
  for (const [, { Properties }] of of('AWS::DynamoDB::Table'))
    assert.equal(Properties.DeletionProtectionEnabled, false);
  assert.equal(of('AWS::Cognito::UserPool')[0]![1].Properties.DeletionProtection, 'INACTIVE');
});

/**
 * "Object Lock ... default retention ... every new object placed in the specified bucket" (CloudFormation Template Reference,
 * AWS::S3::Bucket ObjectLockConfiguration). The bucket of access logs must not have it: "S3 buckets with Object Lock can't be used as
 * destination buckets for server access logs" (S3 User Guide, Object Lock considerations).
 */
test('with -c lockDays books and results cannot be deleted for so long; their access logs can', async () => {
  const { of } = await synthesise({ environment: 'prod', lockDays: '400' }, false);
  const locks = of('AWS::S3::Bucket').map(
    ([
      ,
      {
        Properties: { BucketName, ObjectLockEnabled, ObjectLockConfiguration },
      },
    ]) => [textOf(BucketName), ObjectLockEnabled, ObjectLockConfiguration?.Rule.DefaultRetention],
  );
  assert.deepEqual(locks, [
    ['order-results-logs-prod-<AWS::AccountId>', undefined, undefined],
    ['order-results-prod-<AWS::AccountId>', true, { Mode: 'GOVERNANCE', Days: 400 }],
  ]);
});

/** A restored table is a new one under another name: "The recovery process restores to a new DynamoDB table" (DynamoDB Developer Guide). */
test('with -c restoredTables the house works on those tables, and the stack has none of its own', async () => {
  const { of } = await synthesise({ environment: 'prod', restoredTables: '2026-11-28' }, false);
  assert.deepEqual(of('AWS::DynamoDB::Table'), []);
  const names = ['orders', 'intake', 'auctions', 'participants'].map((name) => `${name}-prod-2026-11-28`);
  const functions = of('AWS::Lambda::Function');
  for (const [, { Properties }] of functions) {
    const { ORDERS_TABLE, INTAKE_TABLE, AUCTIONS_TABLE, PARTICIPANTS_TABLE } = Properties.Environment.Variables;
    assert.deepEqual([ORDERS_TABLE, INTAKE_TABLE, AUCTIONS_TABLE, PARTICIPANTS_TABLE], names);
  }
  const granted = of('AWS::IAM::Policy').flatMap(([, { Properties }]) =>
    (Properties.PolicyDocument.Statement as Properties[]).filter(({ Action }) => /dynamodb:/.test(String(Action))),
  );
  assert.ok(granted.length > 10);
  for (const { Resource } of granted)
    for (const arn of [Resource].flat()) assert.match(textOf(arn), /:table\/\w+-prod-2026-11-28$/);
  const watched = of('AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
    JSON.stringify(Properties.Metrics ?? ''),
  );
  for (const name of names) assert.ok(watched.join().includes(`"${name}"`), `nothing watches ${name}`);
});
