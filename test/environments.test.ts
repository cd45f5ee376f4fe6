/** What is chosen by context: environments, and what may be overruled. The templates of each are in `energy-auction-stack.test.ts`. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentNames, environments } from '../lib/environments.ts';
import { readSettings } from '../lib/settings.ts';
import { type Properties, synthesise, textOf } from './support/synthesised.ts';

const read = (context: Record<string, string>) => readSettings({ tryGetContext: (key: string) => context[key] });

test('only dev lets its data go; prod is protected twice, kept longest, watched, and warm at the gate', () => {
  const rows = environmentNames.map((name) => {
    const { removalPolicy, deletionProtection, terminationProtection, watched } = environments[name];
    return [name, removalPolicy, deletionProtection, terminationProtection, watched];
  });
  assert.deepEqual(rows, [
    ['dev', 'destroy', false, false, false],
    ['staging', 'retain', true, false, false],
    ['prod', 'retain', true, true, true],
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
  ];
  for (const [context, message] of refused) await assert.rejects(read({ environment: 'dev', ...context }), message);
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
    const watching = await synthesise({ environment }, false, 'watching');
    const { Properties } = watching.of('AWS::Budgets::Budget')[0]![1];
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
