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
import { lateAlarmName } from '../lib/watching-stack.ts';
import type { Properties, Resource } from './support/synthesised.ts';

const connection = 'arn:aws:codeconnections:eu-central-1:123456789012:connection/1';
const connected = { repository: 'merit/house', connection, slackWorkspace: 'T1', slackChannel: 'C1' };

const settingsOf = (context: Record<string, string>) =>
  readPipelineSettings({ tryGetContext: (key: string) => context[key] });

/** cdk-nag goes over it; what it finds fails the synthesis. */
function pipelineOf(context: Record<string, string>) {
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

test('source, build, the pipeline itself, dev, approval, staging, prod; a change of the pipeline starts the run anew', () => {
  const { pipeline, stages } = pipelineOf(connected);
  assert.deepEqual(
    stages.map(({ Name }) => Name),
    ['Source', 'Build', 'Pipeline', 'dev', 'Approval', 'staging', 'prod'],
  );
  assert.deepEqual(environmentOrder, environmentNames);
  assert.equal(pipeline.PipelineType, 'V2');
  assert.equal(pipeline.RestartExecutionOnUpdate, true);
  assert.equal(stages[4]!.Actions[0].ActionTypeId.Category, 'Approval');
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
  const { of } = pipelineOf({ ...connected, alarmAddresses: 'a@example.org,b@example.org' });
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
    const said = project.Environment.EnvironmentVariables.map((each: Properties) => `${each.Name}=${each.Value}`);
    const expected = {
      build: /^STACK_CONTEXT=-c alarmAddresses=a@example.org,b@example.org$/,
      mutate: /^PIPELINE_CONTEXT=-c repository=merit\/house -c connection=arn:\S+ -c slackWorkspace=T1 /,
      deploy: new RegExp(
        `^ENVIRONMENT=${name},MERIT_CLIENT_ID=merit/smoke/${name}:clientId,MERIT_CLIENT_SECRET=merit/smoke/${name}:clientSecret$`,
      ),
    };
    assert.match(said.join(), expected[job]);
    const role = project.ServiceRole['Fn::GetAtt'][0];
    const policies = JSON.stringify(of('AWS::IAM::Policy').filter(([, p]) => p.Properties.Roles[0].Ref === role));
    assert.equal(policies.includes('sts:AssumeRole'), job !== 'build', name);
    assert.equal(policies.includes('secretsmanager:GetSecretValue'), job === 'deploy', name);
  }
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
