/** The pipeline's template: its stages and their order, what each build may do, and what becomes of a failure. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { App, Validations } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { commands, environmentOrder } from '../lib/buildspecs.ts';
import { environmentNames } from '../lib/environments.ts';
import { readPipelineSettings } from '../lib/pipeline-settings.ts';
import { PipelineStack } from '../lib/pipeline-stack.ts';
import { settingKeysOfSeveral } from '../lib/settings.ts';
import { lateAlarmName } from '../lib/watching.ts';
import { type Properties, type Resource, textOf } from './support/synthesised.ts';

const connection = 'arn:aws:codeconnections:eu-central-1:123456789012:connection/1';
const connected = { repository: 'merit/house', connection, slackWorkspace: 'T1', slackChannel: 'C1' };

const settingsOf = (context: Record<string, string>) => readPipelineSettings({ getAllContext: () => context });

type Of = ReturnType<typeof pipelineOf>['of'];

/** What a role is allowed. */
const statementsOf = (of: Of, role: string): Properties[] =>
  of('AWS::IAM::Policy')
    .filter(([, { Properties }]) => Properties.Roles.some(({ Ref }: { Ref: string }) => Ref === role))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement);

const made = new Map<string, ReturnType<typeof synthesise>>();

/** cdk-nag goes over it; what it finds fails the synthesis. */
function pipelineOf(context: Record<string, string>) {
  const key = JSON.stringify(context);
  const pipeline = made.get(key) ?? synthesise(context);
  made.set(key, pipeline);
  return pipeline;
}

function synthesise(context: Record<string, string>) {
  const outdir = mkdtempSync(join(tmpdir(), 'merit-pipeline-'));
  try {
    const app = new App({ outdir });
    const stack = new PipelineStack(app, 'merit-pipeline', settingsOf(context));
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
    app.synth();
    const { Resources } = Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource> };
    const of = (type: string) => Object.entries(Resources).filter(([, each]) => each.Type === type);
    const pipeline = of('AWS::CodePipeline::Pipeline')[0]![1].Properties;
    return { of, pipeline, stages: pipeline.Stages as Properties[] };
  } finally {
    rmSync(outdir, { recursive: true });
  }
}

test('source, build, the pipeline itself, dev, staging, approval, prod; a change of the pipeline starts the run anew', () => {
  const { pipeline, stages } = pipelineOf(connected);
  assert.deepEqual(
    stages.map(({ Name }) => Name),
    ['Source', 'Build', 'Pipeline', 'dev', 'staging', 'Approval', 'prod'],
  );
  assert.deepEqual(environmentOrder, environmentNames);
  assert.equal(pipeline.PipelineType, 'V2');
  assert.equal(pipeline.RestartExecutionOnUpdate, true);
  assert.equal(stages[5]!.Actions[0].ActionTypeId.Category, 'Approval');
});

test('the source is master, over a connection, or with a token of Secrets Manager', () => {
  const [source] = pipelineOf(connected).stages[0]!.Actions;
  assert.deepEqual(
    [source.Configuration.ConnectionArn, source.Configuration.FullRepositoryId, source.Configuration.BranchName],
    [connection, 'merit/house', 'master'],
  );
  const [byToken] = pipelineOf({ repository: 'merit/house', tokenSecret: 'github' }).stages[0]!.Actions;
  assert.deepEqual([byToken.Configuration.Owner, byToken.Configuration.Repo], ['merit', 'house']);
  assert.equal(byToken.Configuration.Branch, 'master');
  assert.match(byToken.Configuration.OAuthToken, /^\{\{resolve:secretsmanager:github:/);
});

/**
 * "Actions and resources for the codestar-connections service prefix remain available. When specifying a resource in the IAM policy, the
 * service prefix needs to match that of the resource" and "Beginning July 1, 2024, the console creates connections with codeconnections in
 * the resource ARN." (Developer Tools console User Guide, Connections rename.)
 */
test('the source may use its connection by the prefix of its ARN, old or new', () => {
  for (const service of ['codeconnections', 'codestar-connections']) {
    const arn = `arn:aws:${service}:eu-central-1:123456789012:connection/1`;
    const { of, stages } = pipelineOf({ ...connected, connection: arn });
    const role = stages[0]!.Actions[0].RoleArn['Fn::GetAtt'][0];
    const allowed = statementsOf(of, role).filter(({ Resource }) => Resource === arn);
    assert.deepEqual(
      allowed.flatMap(({ Action }) => Action),
      ['codeconnections:UseConnection', 'codestar-connections:UseConnection'],
    );
  }
});

/**
 * "To use this operation and return information about composite alarms, you must be signed on with the cloudwatch:DescribeAlarms permission
 * that is scoped to *. You can't return information about composite alarms if your cloudwatch:DescribeAlarms permission has a narrower
 * scope." (CloudWatch API Reference, DescribeAlarms.)
 */
test('the pipeline sees the composite alarm that it waits for', () => {
  const { of, pipeline } = pipelineOf(connected);
  const role = pipeline.RoleArn['Fn::GetAtt'][0];
  const allowed = statementsOf(of, role).filter(({ Action }) => [Action].flat().includes('cloudwatch:DescribeAlarms'));
  assert.deepEqual(
    allowed.map(({ Action, Resource }) => [Action, Resource]),
    [['cloudwatch:DescribeAlarms', '*']],
  );
});

/**
 * What a stage can go back to: "your pipeline stage will auto-rollback only after there is a successful pipeline execution in the
 * pipeline stage" (CodePipeline User Guide, Configure a stage for automatic rollback); so a first deployment that fails is a failure. The
 * rule's states are left out, as in AWS's own example: "roll back the changes if a CloudWatch alarm goes into ALARM state within 60
 * minutes" (what it is for: What's New, August 2024; CodePipeline User Guide, CloudWatchAlarm rule).
 */
test('a deployment that fails, or is followed by the alarm that the auction is late, goes back', () => {
  for (const stage of pipelineOf(connected).stages) {
    const environment = environmentNames.find((name) => name === stage.Name);
    assert.deepEqual(stage.OnFailure, environment && { Result: 'ROLLBACK' });
    const [condition] = stage.OnSuccess?.Conditions ?? [];
    assert.equal(condition?.Result, environment && 'ROLLBACK');
    assert.equal(condition?.Rules[0].RuleTypeId.Provider, environment && 'CloudWatchAlarm');
    assert.equal(condition?.Rules[0].Configuration.AlarmName, environment && lateAlarmName(environment));
  }
});

test('each project runs the commands of its job; only those that deploy may take on roles', () => {
  const chosen = { ...connected, alarmAddresses: 'a@example.org,b@example.org', 'prod.budget': '900' };
  const { of } = pipelineOf(chosen);
  const settings = settingsOf(chosen);
  const jobs = { build: 'build', pipeline: 'mutate', dev: 'deploy', staging: 'deploy', prod: 'deploy' } as const;
  for (const [name, job] of Object.entries(jobs)) {
    const [, { Properties: project }] = of('AWS::CodeBuild::Project').find(
      ([, each]) => each.Properties.Name === `merit-${name}`,
    )!;
    const { phases } = JSON.parse(project.Source.BuildSpec);
    assert.deepEqual(phases.install.commands, commands[job].install);
    assert.deepEqual(phases.build.commands, commands[job].build);
    assert.equal(project.EncryptionKey['Fn::GetAtt'][1], 'Arn');
    assert.equal(project.Environment.PrivilegedMode, false);
    const said = (project.Environment.EnvironmentVariables ?? []).map(
      (each: Properties) => `${each.Name}=${each.Value}`,
    );
    const expected = {
      build: [`STACK_CONTEXT=${settings.stackContext}`, `PIPELINE_CONTEXT=${settings.context}`],
      mutate: [],
      deploy: [`ENVIRONMENT=${name}`],
    };
    assert.deepEqual(said, expected[job]);
    const statements = statementsOf(of, project.ServiceRole['Fn::GetAtt'][0]);
    const rolesOf = (action: string) =>
      statements.filter(({ Action }) => [Action].flat().includes(action)).flatMap(({ Resource }) => Resource);
    const roles = ['deploy-role', 'file-publishing-role', 'lookup-role'].map(
      (role) => `arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-hnb659fds-${role}-<AWS::AccountId>-<AWS::Region>`,
    );
    assert.deepEqual(rolesOf('sts:AssumeRole').map(textOf), job === 'build' ? [] : roles, name);
    const secrets = of('AWS::SecretsManager::Secret').filter(
      ([, each]) => each.Properties.Name === `merit/smoke/${name}`,
    );
    assert.deepEqual(
      rolesOf('secretsmanager:GetSecretValue').map(textOf),
      secrets.map(([id]) => `<${id}>`),
      name,
    );
    assert.equal(secrets.length, job === 'deploy' ? 1 : 0);
  }
});

/**
 * A variable of type SECRETS_MANAGER is read before the first command: "Phase context status code: Decrypted Variables Error Message" is
 * what a build in DOWNLOAD_SOURCE ends with where it cannot be. The command of the smoke auction reads it, after the deployment.
 */
test('no build needs a secret to begin; the secrets are there, and empty', () => {
  const { of } = pipelineOf(connected);
  for (const [, { Properties }] of of('AWS::CodeBuild::Project'))
    for (const { Type } of Properties.Environment.EnvironmentVariables ?? []) assert.equal(Type, 'PLAINTEXT');
  for (const [, { Properties }] of of('AWS::SecretsManager::Secret')) assert.equal(Properties.SecretString, '{}');
  assert.match(commands.deploy.build.join(), /--secret "merit\/smoke\/\$ENVIRONMENT" --skip-without-client$/);
});

test('where deploying is allowed, no script of a dependency runs but that of the package node', () => {
  for (const job of ['mutate', 'deploy'] as const) {
    assert.deepEqual(commands[job].install, ['npm ci --ignore-scripts', 'npm rebuild node']);
    // What was made by the build is deployed as it is: no app of ours is run.
    for (const command of commands[job].build)
      if (command.includes('cdk ')) assert.match(command, /--app "?cdk\.out\//);
  }
});

test('every choice of an environment is handed on, for all or for one of them', () => {
  const chosen = Object.fromEntries(settingKeysOfSeveral.map((key, i) => [key, `v${i}`]));
  const { stackContext, context } = settingsOf({ ...connected, ...chosen });
  const options = Object.entries(chosen).map(([key, value]) => `-c ${key}=${value}`);
  assert.equal(stackContext, options.join(' '));
  assert.equal(
    context,
    [...Object.entries(connected).map(([key, value]) => `-c ${key}=${value}`), ...options].join(' '),
  );
  assert.equal(settingsOf(connected).stackContext, '');
  assert.throws(() => settingsOf({ ...connected, environment: 'dev' }), /context environment: there is no such key/);
  assert.throws(() => settingsOf({ ...connected, alarmAdresses: 'a' }), /context alarmAdresses: there is no such key/);
});

test('runs and approvals are told to a topic, which Slack hears', () => {
  const { of } = pipelineOf(connected);
  const [, rule] = of('AWS::CodeStarNotifications::NotificationRule')[0]!;
  assert.deepEqual(rule.Properties.EventTypeIds.sort(), [
    'codepipeline-pipeline-manual-approval-needed',
    'codepipeline-pipeline-pipeline-execution-failed',
    'codepipeline-pipeline-pipeline-execution-succeeded',
  ]);
  const [topic] = of('AWS::SNS::Topic')[0]!;
  assert.deepEqual(rule.Properties.Targets[0].TargetAddress, { Ref: topic });
  const [, slack] = of('AWS::Chatbot::SlackChannelConfiguration')[0]!;
  assert.deepEqual(slack.Properties.SnsTopicArns, [{ Ref: topic }]);
  assert.deepEqual([slack.Properties.SlackWorkspaceId, slack.Properties.SlackChannelId], ['T1', 'C1']);
});

test('logs are kept for a time, artifacts are encrypted and private', () => {
  const { of } = pipelineOf(connected);
  assert.equal(of('AWS::Logs::LogGroup').length, of('AWS::CodeBuild::Project').length);
  for (const [, { Properties }] of of('AWS::Logs::LogGroup')) assert.equal(Properties.RetentionInDays, 90);
  const [, bucket] = of('AWS::S3::Bucket')[0]!;
  const [encryption] = bucket.Properties.BucketEncryption.ServerSideEncryptionConfiguration;
  assert.equal(encryption.ServerSideEncryptionByDefault.SSEAlgorithm, 'aws:kms');
  assert.deepEqual(new Set(Object.values(bucket.Properties.PublicAccessBlockConfiguration)), new Set([true]));
  const [, key] = of('AWS::KMS::Key')[0]!;
  for (const { DeletionPolicy, UpdateReplacePolicy } of [bucket, key])
    assert.deepEqual(
      [DeletionPolicy, UpdateReplacePolicy],
      ['RetainExceptOnCreate', 'Retain'],
      'both stay, or neither',
    );
});

test('readPipelineSettings() says what is missing, and takes nothing that a shell would read', () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ connection }, /say -c repository=owner\/name/],
    [{ repository: 'house', connection }, /say -c repository=owner\/name/],
    [{ repository: 'a/b' }, /either -c connection=ARN or -c tokenSecret=NAME/],
    [{ repository: 'a/b', connection, tokenSecret: 't' }, /either/],
    [{ repository: 'a/b', connection, slackChannel: 'C1' }, /both -c slackWorkspace=ID/],
    [{ repository: 'a/b;id', connection }, /context repository: expected letters/],
    [{ repository: 'a/$(id)', connection }, /context repository: expected letters/],
  ];
  for (const [context, message] of refused) assert.throws(() => settingsOf(context), message);
});
