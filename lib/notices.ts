/** What the house tells: topics for rejected orders, for failures and for settled auctions, and a queue for what could not be told or started. */

import { ArnFormat, Duration, Stack, Validations } from 'aws-cdk-lib';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { LoggingProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledged.ts';
import { ofOwnAccount } from './principals.ts';
import type { Settings } from './settings.ts';

const topics = ['rejected-orders', 'auction-errors', 'settled-auctions'] as const;
const topicNameOf = (topic: (typeof topics)[number], environment: string): string => `${topic}-${environment}`;
export const topicNamesOf = (environment: string): string[] => topics.map((topic) => topicNameOf(topic, environment));
/** Where failures, alarms and the budget are told. */
export const errorsTopicName = (environment: string): string => topicNameOf('auction-errors', environment);
export const deadLettersNameOf = (environment: string): string => `dead-letters-${environment}`;

export class Notices extends Construct {
  readonly rejected: Topic;
  readonly errors: Topic;
  readonly settled: Topic;
  /** Of everything asynchronous: ticks that failed, deliveries that did not arrive. */
  readonly deadLetters: Queue;
  private readonly deliveryLog: Role;

  constructor(scope: Construct, id: string, props: { readonly settings: Settings; readonly key: IKey }) {
    super(scope, id);
    const { settings, key } = props;
    // A role is handed to a topic by the account it is of, and nobody else; that SNS says for whom it takes this one on is not written anywhere.
    this.deliveryLog = new Role(this, 'DeliveryLog', { assumedBy: new ServicePrincipal('sns.amazonaws.com') });
    this.rejected = this.topic('Rejected', topicNameOf('rejected-orders', settings.environment), key, settings);
    this.errors = this.topic('Errors', errorsTopicName(settings.environment), key, settings);
    for (const address of settings.alarmAddresses) this.errors.addSubscription(new EmailSubscription(address));
    this.settled = this.topic('Settled', topicNameOf('settled-auctions', settings.environment), key, settings);
    this.deadLetters = new Queue(this, 'DeadLetters', {
      queueName: deadLettersNameOf(settings.environment),
      encryption: QueueEncryption.KMS,
      encryptionMasterKey: key,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      removalPolicy: settings.removalPolicy,
    });
    Validations.of(this.deadLetters).acknowledge({
      id: 'AwsSolutions-SQS3',
      reason: 'It is the dead letter queue of the stack; whoever reads it decides what is done again.',
    });
    const watchers = ['budgets.amazonaws.com', 'cloudwatch.amazonaws.com'].map((service) =>
      ofOwnAccount(this, service),
    );
    this.errors.addToResourcePolicy(
      new PolicyStatement({ principals: watchers, actions: ['sns:Publish'], resources: [this.errors.topicArn] }),
    );
    // Those who put something under the key without a role of ours: deliveries of topics, the budget and alarms, ticks that found no
    // function. Of events AWS says that its use of a key carries no account: with the condition such ticks would be lost.
    const events = new ServicePrincipal('events.amazonaws.com');
    for (const service of [ofOwnAccount(this, 'sns.amazonaws.com'), ...watchers, events])
      key.grant(service, 'kms:Decrypt', 'kms:GenerateDataKey');
  }

  private topic(id: string, topicName: string, masterKey: IKey, { logRetention, removalPolicy }: Settings): Topic {
    const topic = new Topic(this, id, {
      topicName,
      masterKey,
      enforceSSL: true,
      loggingConfigs: [LoggingProtocol.SQS, LoggingProtocol.HTTP, LoggingProtocol.LAMBDA].map((protocol) => ({
        protocol,
        failureFeedbackRole: this.deliveryLog,
        successFeedbackRole: this.deliveryLog,
        successFeedbackSampleRate: 100,
      })),
    });
    const { region, account } = Stack.of(this);
    // SNS names the groups itself, and would make them without an end: sns/{region}/{account}/{topic}, and /Failure below it.
    for (const [kind, below] of [
      ['Delivered', ''],
      ['Undelivered', '/Failure'],
    ] as const)
      new LogGroup(this, `${id}${kind}`, {
        logGroupName: `sns/${region}/${account}/${topicName}${below}`,
        retention: logRetention,
        removalPolicy,
      });
    const group = Stack.of(this).formatArn({
      service: 'logs',
      resource: 'log-group',
      resourceName: `sns/${region}/${account}/${topicName}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.deliveryLog.addToPolicy(
      new PolicyStatement({
        effect: Effect.ALLOW,
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [group],
      }),
    );
    acknowledgeWildcard(
      this.deliveryLog,
      group,
      'A topic has two log groups, which SNS makes: its name, and /Failure below it.',
    );
    return topic;
  }
}
