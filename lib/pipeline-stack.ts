/**
 * The second way to deploy, within AWS: from a push to `master` to prod.
 *
 *     source - build and test - the pipeline itself - dev - staging - approval - prod
 *
 * Each environment is deployed from the one build and then has to pass a smoke auction, once there is a client that holds them. A
 * stage that fails, or after which the alarm "the auction is late" does not stay quiet, goes back to the build it had before.
 * `buildspecs.ts` has the commands.
 */

import {
  ArnFormat,
  DefaultStackSynthesizer,
  Duration,
  RemovalPolicy,
  SecretValue,
  Stack,
  Validations,
} from 'aws-cdk-lib';
import { SlackChannelConfiguration } from 'aws-cdk-lib/aws-chatbot';
import { BuildSpec, ComputeType, LinuxArmBuildImage, PipelineProject } from 'aws-cdk-lib/aws-codebuild';
import {
  type ActionBindOptions,
  type ActionConfig,
  Artifact,
  type IAction,
  type IStage,
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
  type CodeStarConnectionsSourceActionProps,
  GitHubSourceAction,
  ManualApprovalAction,
} from 'aws-cdk-lib/aws-codepipeline-actions';
import { DetailType } from 'aws-cdk-lib/aws-codestarnotifications';
import { ManagedPolicy, PolicyStatement, type Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { BlockPublicAccess, Bucket, BucketEncryption, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledged.ts';
import { buildspecOf, environmentOrder, type Job, smokeSecret } from './buildspecs.ts';
import type { EnvironmentName } from './environments.ts';
import type { PipelineSettings } from './pipeline-settings.ts';
import { lateAlarmName } from './watching.ts';

/** Of the builds, and of the key that they lie under: what is kept without its key is lost. */
const staying = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;

/** Minutes in which the alarm has to be quiet after a deployment: an hourly auction's gate and clearing may lie within. */
const quietMinutes = 10;

/**
 * CodePipeline asks for the use of a connection by the prefix of its ARN. The CDK allows `codestar-connections` alone, which
 * connections that were made since July 2024 no longer have.
 */
class ConnectionSourceAction extends CodeStarConnectionsSourceAction {
  private readonly connectionArn: string;

  constructor(props: CodeStarConnectionsSourceActionProps) {
    super(props);
    this.connectionArn = props.connectionArn;
  }

  protected override bound(scope: Construct, stage: IStage, options: ActionBindOptions): ActionConfig {
    const actions = ['codeconnections:UseConnection'];
    options.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [this.connectionArn] }));
    return super.bound(scope, stage, options);
  }
}

export class PipelineStack extends Stack {
  private readonly settings: PipelineSettings;
  private readonly key: Key;

  constructor(scope: Construct, id: string, settings: PipelineSettings) {
    super(scope, id, { description: 'Merit, the open energy auction house: from a push to master to prod' });
    this.settings = settings;
    this.key = new Key(this, 'Key', { enableKeyRotation: true, removalPolicy: staying });
    const source = new Artifact('Source');
    const built = new Artifact('Built');
    const deployed = environmentOrder.map((environment) => this.deployment(environment, built));
    const [dev, staging, prod] = deployed;
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
        staging!,
        { stageName: 'Approval', actions: [new ManualApprovalAction({ actionName: 'Approve' })] },
        prod!,
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
      ? new ConnectionSourceAction({ ...what, connectionArn })
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
        }),
        ...(job === 'build' && {
          STACK_CONTEXT: { value: this.settings.stackContext },
          PIPELINE_CONTEXT: { value: this.settings.context },
        }),
      },
      logging: { cloudWatch: { logGroup } },
      timeout: Duration.minutes(60),
      grantReportGroupPermissions: false,
    });
    const ownLog = `/aws/codebuild/${project.projectName}:*`;
    acknowledgeWildcard(project.role as Role, this.arnOf('logs', 'log-group', ownLog), 'The streams of its own log.');
    if (job !== 'build') this.allowDeploying(project.role as Role);
    if (environment) this.smokeClient(environment).grantRead(project.role as Role);
    return new CodeBuildAction({ actionName: name, project, input, ...(output && { outputs: [output] }) });
  }

  /** The rights lie with the roles that `cdk bootstrap` made; a build may take these on. The one that tests may take on none. */
  private allowDeploying(role: Role): void {
    const { account, region } = this;
    const resources = ['deploy-role', 'file-publishing-role', 'lookup-role'].map((name) =>
      this.formatArn({
        service: 'iam',
        region: '',
        resource: 'role',
        resourceName: `cdk-${DefaultStackSynthesizer.DEFAULT_QUALIFIER}-${name}-${account}-${region}`,
      }),
    );
    role.addToPolicy(new PolicyStatement({ actions: ['sts:AssumeRole'], resources }));
  }

  /** Made here, and empty, so that reading it never fails: the client can be made only once its environment is there. */
  private smokeClient(environment: EnvironmentName): Secret {
    const secret = new Secret(this, `${environment}SmokeClient`, {
      secretName: smokeSecret(environment),
      description: `The client that holds smoke auctions in ${environment}, as npm run add-client prints it`,
      secretStringValue: SecretValue.unsafePlainText('{}'),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Cognito has no second secret of a client to rotate to: a new client is made in its place (docs/deploy.md).',
    });
    return secret;
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
      removalPolicy: staying,
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

  /**
   * The rule of a stage asks for its alarm under the pipeline's role. The alarm is a composite one, and CloudWatch says nothing of
   * those to whom may not ask for all alarms.
   */
  private allowAlarms(pipeline: Pipeline): void {
    const actions = ['cloudwatch:DescribeAlarms'];
    pipeline.role.addToPrincipalPolicy(new PolicyStatement({ actions, resources: ['*'] }));
    Validations.of(pipeline.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason:
        'cloudwatch:DescribeAlarms answers with composite alarms only where it is allowed for all; it reads, no more.',
    });
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
