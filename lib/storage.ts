/** What must not be lost: orders, their intake and auctions in tables, books and results in a bucket; all under one key. */

import { Aws, type CfnResource, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { AttributeType, BillingMode, type ITable, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  HttpMethods,
  type IBucket,
  ObjectLockRetention,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

const tables = ['orders', 'intake', 'auctions', 'participants'] as const;
type TableName = (typeof tables)[number];
type Named = Pick<Settings, 'environment' | 'restoredTables'>;
const tableNameOf = (table: TableName, { environment, restoredTables }: Named): string =>
  [table, environment, ...(restoredTables === undefined ? [] : [restoredTables])].join('-');
export const tableNamesOf = (settings: Named): string[] => tables.map((table) => tableNameOf(table, settings));

export class Storage extends Construct {
  readonly key: Key;
  readonly orders: ITable;
  readonly intake: ITable;
  readonly auctions: ITable;
  readonly participants: ITable;
  readonly bucket: Bucket;
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.settings = settings;
    const { environment, removalPolicy } = settings;
    this.key = new Key(this, 'Key', {
      alias: `energy-auction-${environment}`,
      description: 'Orders, results and notices of the energy auction',
      enableKeyRotation: true,
      removalPolicy,
    });
    // The key of an order is its auction, participant and record_id: a record_id is unique only within these.
    this.orders = this.table('orders', { partitionKey: 'record_id', timeToLiveAttribute: 'ttl' });
    // Only what is of no use after some days has a time to live here: notes of what was told, traces of cut requests.
    this.intake = this.table('intake', { partitionKey: 'pk', sortKey: 'sk', timeToLiveAttribute: 'ttl' });
    this.auctions = this.table('auctions', { partitionKey: 'pk', sortKey: 'sk' });
    this.participants = this.table('participants', { partitionKey: 'pk' });
    this.bucket = this.results();
    this.endEmptyingLog();
  }

  private table(
    name: TableName,
    { partitionKey, sortKey, ...rest }: { partitionKey: string; sortKey?: string; timeToLiveAttribute?: string },
  ): ITable {
    const { removalPolicy, deletionProtection, recoveryDays, restoredTables } = this.settings;
    const id = `${name[0]!.toUpperCase()}${name.slice(1)}`;
    const tableName = tableNameOf(name, this.settings);
    // It is there: DynamoDB has restored it, and no stack can. Its settings are made by hand (docs/restore.md).
    if (restoredTables !== undefined) return Table.fromTableName(this, id, tableName) as ITable;
    const text = (attribute: string) => ({ name: attribute, type: AttributeType.STRING });
    return new Table(this, id, {
      tableName,
      partitionKey: text(partitionKey),
      ...(sortKey && { sortKey: text(sortKey) }),
      ...rest,
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true, recoveryPeriodInDays: recoveryDays },
      deletionProtection,
      removalPolicy,
    }) as ITable;
  }

  private results(): Bucket {
    const { environment, removalPolicy, lockDays } = this.settings;
    const common = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy,
      autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
    };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...common,
      bucketName: `order-results-logs-${environment}-${Aws.ACCOUNT_ID}`,
      encryption: BucketEncryption.S3_MANAGED, // S3 delivers access logs to no bucket with a key of ours
      versioned: false,
      lifecycleRules: [{ expiration: Duration.days(90), abortIncompleteMultipartUploadAfter: Duration.days(1) }],
    });
    Validations.of(accessLogs).acknowledge({
      id: 'AwsSolutions-S1',
      reason: 'It holds the access logs of the results bucket; logging its own deliveries would never end.',
    });
    return new Bucket(this, 'Results', {
      ...common,
      bucketName: `order-results-${environment}-${Aws.ACCOUNT_ID}`,
      encryption: BucketEncryption.KMS,
      encryptionKey: this.key,
      bucketKeyEnabled: true,
      versioned: true,
      // Governance: who has leave to bypass it may, and nobody in this stack has.
      ...(lockDays !== undefined && {
        objectLockDefaultRetention: ObjectLockRetention.governance(Duration.days(lockDays)),
      }),
      serverAccessLogsBucket: accessLogs as IBucket,
      serverAccessLogsPrefix: 'order-results/',
      // Books and results stay for good and get cheaper with age; their keys are written once, so old versions are accidents.
      lifecycleRules: [
        {
          id: 'cheaper-with-age',
          transitions: [
            { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(30) },
            { storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL, transitionAfter: Duration.days(120) },
          ],
        },
        { id: 'old-versions', noncurrentVersionExpiration: Duration.days(30), expiredObjectDeleteMarker: true },
        { id: 'cut-uploads', abortIncompleteMultipartUploadAfter: Duration.days(1) },
        // What was too large for an answer is fetched from here, and made anew when it is asked for again.
        { id: 'copies-of-answers', prefix: 'answers/', expiration: Duration.days(7) },
      ],
      // A page that is sent here by the API has no origin of its own left; whoever has an address may fetch what is there.
      cors: [{ allowedMethods: [HttpMethods.GET], allowedOrigins: ['*'] }],
    });
  }

  /** Where buckets go with their stack, the CDK has a function that empties them, whose log would be kept without an end. */
  private endEmptyingLog(): void {
    const { environment, logRetention, removalPolicy } = this.settings;
    const emptying = Stack.of(this).node.tryFindChild('Custom::S3AutoDeleteObjectsCustomResourceProvider');
    if (emptying === undefined) return;
    const log = new LogGroup(this, 'EmptyingLog', {
      logGroupName: `/aws/lambda/energy-auction-empty-buckets-${environment}`,
      retention: logRetention,
      removalPolicy,
    });
    const handler = emptying.node.findChild('Handler') as CfnResource;
    handler.addPropertyOverride('LoggingConfig.LogGroup', log.logGroupName);
  }

  /** What reading and writing under the key takes; the tables, the bucket, the topics and the queue all lie under it. */
  grantKey(grantee: IGrantable): void {
    this.key.grant(grantee, 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey');
  }
}
