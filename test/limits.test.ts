/** What bounds callers in the cloud, by the templates: usage plans, the web ACL, concurrency. What follows from them is in docs/aws.md. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { environmentNames, environments } from '../lib/environments.ts';
import { functionNames, functions } from '../lib/functions.ts';
import { publicUsageKey, refusedUsageKey } from '../lib/http-api.ts';
import { readSettings } from '../lib/settings.ts';
import { problemDetails } from '../src/api/problems.ts';
import { readEnvironment } from '../src/lambda/environment.ts';
import { synthesise, textOf } from './support/synthesised.ts';

test('no client, and all strangers together, can take what the stage has for everybody', () => {
  for (const name of environmentNames) {
    const { throttle, clientThrottle, publicThrottle, quota, publicQuota } = environments[name];
    for (const rate of ['rateLimit', 'burstLimit'] as const) {
      assert(clientThrottle[rate] * 2 < throttle[rate], `${name}: two clients leave room for others`);
      assert(publicThrottle[rate] * 10 <= throttle[rate], `${name}: strangers get a tenth at most`);
    }
    assert(publicQuota < quota);
  }
});

test('every call counts in a plan: of its client, of the strangers, or of those whose token does not hold', async () => {
  for (const environment of environmentNames) {
    const stack = await synthesise({ environment }, false);
    const { clientThrottle, publicThrottle, quota, publicQuota } = environments[environment];
    const planOf = (name: string) =>
      stack.of('AWS::ApiGateway::UsagePlan').find(([, each]) => each.Properties.UsagePlanName.endsWith(`-${name}`))!;
    const expected = {
      clients: [clientThrottle, quota],
      public: [publicThrottle, publicQuota],
      refused: [publicThrottle, publicQuota],
    } as const;
    assert.equal(stack.of('AWS::ApiGateway::UsagePlan').length, 3);
    for (const [name, [throttle, limit]] of Object.entries(expected)) {
      const [, { Properties: plan }] = planOf(name);
      assert.deepEqual(plan.Throttle, { BurstLimit: throttle.burstLimit, RateLimit: throttle.rateLimit }, name);
      assert.deepEqual(plan.Quota, { Limit: limit, Period: 'DAY' }, name);
      assert.equal(plan.ApiStages.length, 1, name);
    }
    const keys = new Map(stack.of('AWS::ApiGateway::ApiKey').map(([id, each]) => [id, each.Properties.Value]));
    const inPlans = stack
      .of('AWS::ApiGateway::UsagePlanKey')
      .map(([, { Properties: each }]) => [each.UsagePlanId.Ref, keys.get(each.KeyId.Ref)]);
    assert.deepEqual(
      new Map(inPlans as [string, string][]),
      new Map([
        [planOf('public')[0], publicUsageKey(environment)],
        [planOf('refused')[0], refusedUsageKey(environment)],
      ]),
    );
    const { Environment } = stack.one(
      'AWS::Lambda::Function',
      'FunctionName',
      `energy-auction-authorize-${environment}`,
    ).Properties;
    const { PUBLIC_USAGE_KEY, REFUSED_USAGE_KEY } = readEnvironment(Environment.Variables);
    assert.deepEqual(
      [PUBLIC_USAGE_KEY, REFUSED_USAGE_KEY],
      [publicUsageKey(environment), refusedUsageKey(environment)],
    );
    const { Outputs } = stack.template.toJSON() as { Outputs: Record<string, { Value: unknown }> };
    assert.deepEqual(Outputs.ClientPlanId?.Value, { Ref: planOf('clients')[0] });
  }
});

test('-c waf=on puts a web ACL before the stage that bounds each address; without it there is none', async () => {
  const without = await synthesise({ environment: 'prod' });
  assert.deepEqual(without.of('AWS::WAFv2::WebACL'), []);
  const stack = await synthesise({ environment: 'prod', waf: 'on' });
  const [id, { Properties: acl }] = stack.of('AWS::WAFv2::WebACL')[0]!;
  assert.deepEqual([acl.Scope, acl.DefaultAction, acl.Rules.length], ['REGIONAL', { Allow: {} }, 1]);
  const [rule] = acl.Rules;
  assert.deepEqual(rule.Action, { Block: {} });
  const { RateBasedStatement: bound } = rule.Statement;
  assert.deepEqual([bound.AggregateKeyType, bound.Limit, bound.EvaluationWindowSec], ['IP', 30_000, 300]);
  const [, { Properties: association }] = stack.of('AWS::WAFv2::WebACLAssociation')[0]!;
  assert.deepEqual(association.WebACLArn, { 'Fn::GetAtt': [id, 'Arn'] });
  assert.match(
    textOf(association.ResourceArn),
    /^arn:<AWS::Partition>:apigateway:<AWS::Region>::\/restapis\/<\w+>\/stages\/<\w+>$/,
  );
  const filtered = stack.one('AWS::ApiGateway::GatewayResponse', 'ResponseType', 'WAF_FILTERED').Properties;
  const details = problemDetails.parse(JSON.parse(filtered.ResponseTemplates['application/json']));
  assert.deepEqual([filtered.StatusCode, details.code], ['429', 'too-many-requests']);
});

test('-c concurrency=reserved keeps room for the clock and the workflow; unless said all share the account', async () => {
  const reserved = async (context: object) => {
    const stack = await synthesise({ environment: 'staging', ...context }, false);
    return Object.fromEntries(
      functionNames.map((name) => [
        name,
        stack.one('AWS::Lambda::Function', 'FunctionName', `energy-auction-${name}-staging`).Properties
          .ReservedConcurrentExecutions,
      ]),
    );
  };
  assert(Object.values(await reserved({})).every((each) => each === undefined));
  const kept = await reserved({ concurrency: 'reserved' });
  for (const name of functionNames)
    assert.equal(kept[name], 'reserved' in functions[name] ? functions[name].reserved : undefined);
  for (const name of ['keep-time', 'seal', 'clear', 'verify', 'settle', 'publish', 'notify-failure'])
    assert(kept[name] > 0, name);
  for (const name of ['authorize', 'post-orders', 'api'])
    assert.equal(kept[name], undefined, `${name} takes what is left`);
});

test('readSettings() refuses other words for them, and a web ACL behind an edge', async () => {
  const read = (context: Record<string, string>) =>
    readSettings({ getAllContext: () => ({ environment: 'dev', ...context }) });
  await assert.rejects(read({ waf: 'yes' }), /waf: there is no yes; say off or on/);
  await assert.rejects(read({ concurrency: '5' }), /concurrency: there is no 5; say shared or reserved/);
  await assert.rejects(read({ waf: 'on', cache: 'edge' }), /say cache=edge or waf=on/);
});
