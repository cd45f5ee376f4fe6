/**
 * The second way to deploy, within AWS: from a push to `master` to prod.
 *
 *     source - build and test - the pipeline itself - dev - approval - staging - prod
 *
 * Each environment is deployed from the one build and then has to pass a smoke auction. A stage that fails, or after which the
 * alarm "the auction is late" does not stay quiet, goes back to the build it had before. `buildspecs.ts` has the commands.
 */

import { ArnFormat, Duration, RemovalPolicy, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import { SlackChannelConfiguration } from 'aws-cdk-lib/aws-chatbot';
import {
  BuildEnvironmentVariableType,
  BuildSpec,
  ComputeType,
  LinuxArmBuildImage,
  PipelineProject,
} from 'aws-cdk-lib/aws-codebuild';
import {
  Artifact,
  type IAction,
  Pipeline,
  PipelineNotificationEvents,
  PipelineType,
  Result,
  Rule,
  type StageOptions,
} from 'aws-cdk-lib/aws-codepipeline';
import {
  CodeBuildAction,
  CodeStarConnectionsSourceAction,
  GitHubSourceAction,
  ManualApprovalAction,
} from 'aws-cdk-lib/aws-codepipeline-actions';
import { DetailType } from 'aws-cdk-lib/aws-codestarnotifications';
import { ManagedPolicy, PolicyStatement, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledged.ts';
import { buildspecOf, environmentOrder, type Job } from './buildspecs.ts';
import type { EnvironmentName } from './environments.ts';
import type { PipelineSettings } from './pipeline-settings.ts';
import { lateAlarmName } from './watching-stack.ts';

/** Minutes in which the alarm has to be quiet after a deployment: an hourly auction's gate and clearing may lie within. */
const quietMinutes = 10;

/** In Secrets Manager: what `scripts/add-client.ts` printed for the client that holds smoke auctions. */
export const smokeSecret = (environment: EnvironmentName): string => `merit/smoke/${environment}`;

export class PipelineStack extends Stack {
  private readonly settings: PipelineSettings;
  private readonly key: Key;

  constructor(scope: Construct, id: string, settings: PipelineSettings) {
    super(scope, id, { description: 'Merit, the open energy auction house: from a push to master to prod' });
    this.settings = settings;
    this.key = new Key(this, 'Key', { enableKeyRotation: true, removalPolicy: RemovalPolicy.DESTROY });
    const source = new Artifact('Source');
    const built = new Artifact('Built');
    const deployed = environmentOrder.map((environment) => this.deployment(environment, built));
    const [dev, ...further] = deployed;
    const artifacts = this.artifacts();
    const pipeline = new Pipeline(this, 'Pipeline', {
      pipelineName: 'merit',
      pipelineType: PipelineType.V2,
      artifactBucket: artifacts as IBucket,
      restartExecutionOnUpdate: true,
      stages: [
        { stageName: 'Source', actions: [this.source(source)] },
        { stageName: 'Build', actions: [this.job('build', 'Build', source, built)] },
        { stageName: 'Pipeline', actions: [this.job('mutate', 'Pipeline', built)] },
        dev!,
        { stageName: 'Approval', actions: [new ManualApprovalAction({ actionName: 'Approve' })] },
        ...further,
      ],
    });
    this.allowAlarms(pipeline);
    this.tell(pipeline);
    this.acknowledge(artifacts);
  }

  private source(output: Artifact): IAction {
    const { owner, repository, connectionArn, tokenSecret } = this.settings;
    const what = { actionName: 'Source', owner, repo: repository, branch: 'master', output };
    return connectionArn !== undefined
      ? new CodeStarConnectionsSourceAction({ ...what, connectionArn })
      : new GitHubSourceAction({ ...what, oauthToken: SecretValue.secretsManager(tokenSecret!) });
  }

  /** Deploys and tries one environment; goes back where that fails or the alarm does not stay quiet. */
  private deployment(environment: EnvironmentName, built: Artifact): StageOptions {
    const quiet = new Rule({
      name: `Quiet-${environment}`,
      provider: 'CloudWatchAlarm',
      version: '1',
      configuration: { AlarmName: lateAlarmName(environment), WaitTime: String(quietMinutes) },
    });
    return {
      stageName: environment,
      actions: [this.job('deploy', environment, built, undefined, environment)],
      onFailure: { result: Result.ROLLBACK },
      onSuccess: { conditions: [{ result: Result.ROLLBACK, rules: [quiet] }] },
    };
  }

  private job(job: Job, name: string, input: Artifact, output?: Artifact, environment?: EnvironmentName): IAction {
    const logGroup = new LogGroup(this, `${name}Log`, {
      logGroupName: `/aws/codebuild/merit-${name.toLowerCase()}`,
      retention: RetentionDays.THREE_MONTHS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const project = new PipelineProject(this, `${name}Project`, {
      projectName: `merit-${name.toLowerCase()}`,
      encryptionKey: this.key,
      environment: { buildImage: LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0, computeType: ComputeType.MEDIUM },
      buildSpec: BuildSpec.fromObject(buildspecOf(job, output && ['**/*'])),
      environmentVariables: {
        ...(environment && {
          ENVIRONMENT: { value: environment },
          MERIT_CLIENT_ID: {
            type: BuildEnvironmentVariableType.SECRETS_MANAGER,
            value: `${smokeSecret(environment)}:clientId`,
          },
          MERIT_CLIENT_SECRET: {
            type: BuildEnvironmentVariableType.SECRETS_MANAGER,
            value: `${smokeSecret(environment)}:clientSecret`,
          },
        }),
        ...(job === 'build' && { STACK_CONTEXT: { value: this.settings.stackContext } }),
        ...(job === 'mutate' && { PIPELINE_CONTEXT: { value: this.settings.context } }),
      },
      logging: { cloudWatch: { logGroup } },
      timeout: Duration.minutes(60),
      grantReportGroupPermissions: false,
    });
    const ownLog = `/aws/codebuild/${project.projectName}:*`;
    acknowledgeWildcard(project.role as Role, this.arnOf('logs', 'log-group', ownLog), 'The streams of its own log.');
    if (job !== 'build') this.allowDeploying(project.role as Role);
    return new CodeBuildAction({ actionName: name, project, input, ...(output && { outputs: [output] }) });
  }

  /** The rights lie with the roles that `cdk bootstrap` made; a build may take those on. The one that tests has none. */
  private allowDeploying(role: Role): void {
    const roles = this.formatArn({ service: 'iam', region: '', resource: 'role', resourceName: 'cdk-*' });
    role.addToPolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources: [roles] }));
    acknowledgeWildcard(role, roles, 'The four roles of the bootstrap, whose names end in account and region.');
  }

  private artifacts(): Bucket {
    const bucket = new Bucket(this, 'Artifacts', {
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      // What a stage goes back to has to be there still.
      lifecycleRules: [{ expiration: Duration.days(180), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds builds of public sources, read by the pipeline alone, whose runs are logged.',
    });
    return bucket;
  }

  private arnOf(service: string, resource: string, resourceName: string): string {
    return this.formatArn({ service, resource, resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  }

  /** The rule of a stage asks for its alarm under the pipeline's role. */
  private allowAlarms(pipeline: Pipeline): void {
    pipeline.role.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['cloudwatch:DescribeAlarms'],
        resources: environmentOrder.map((environment) => this.arnOf('cloudwatch', 'alarm', lateAlarmName(environment))),
      }),
    );
  }

  /** A topic hears what becomes of each run and what waits for approval; Slack hears the topic. */
  private tell(pipeline: Pipeline): void {
    const { slackWorkspace, slackChannel } = this.settings;
    const topic = new Topic(this, 'Outcome', { topicName: 'merit-pipeline', masterKey: this.key, enforceSSL: true });
    this.key.grant(new ServicePrincipal('codestar-notifications.amazonaws.com'), 'kms:Decrypt', 'kms:GenerateDataKey');
    pipeline.notifyOn('Told', topic, {
      detailType: DetailType.FULL,
      events: [
        PipelineNotificationEvents.PIPELINE_EXECUTION_SUCCEEDED,
        PipelineNotificationEvents.PIPELINE_EXECUTION_FAILED,
        PipelineNotificationEvents.MANUAL_APPROVAL_NEEDED,
      ],
    });
    if (slackWorkspace === undefined || slackChannel === undefined) return;
    new SlackChannelConfiguration(this, 'Slack', {
      slackChannelConfigurationName: 'merit-pipeline',
      slackWorkspaceId: slackWorkspace,
      slackChannelId: slackChannel,
      notificationTopics: [topic],
      // From Slack nothing can be done but look.
      guardrailPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AWSCodePipeline_ReadOnlyAccess')],
    });
  }

  /** What the CDK grants to read and write one bucket under one key; each action is named, the bucket is this one alone. */
  private acknowledge(artifacts: Bucket): void {
    const reason = 'The grant of the CDK to read and write the artifacts, which get their names as the pipeline runs.';
    const actions =
      'kms:GenerateDataKey* kms:ReEncrypt* s3:Abort* s3:DeleteObject* s3:GetBucket* s3:GetObject* s3:List*';
    for (const action of actions.split(' '))
      Validations.of(this).acknowledge({ id: `AwsSolutions-IAM5[Action::${action}]`, reason });
    acknowledgeWildcard(this, artifacts.arnForObjects('*'), reason);
  }
}
