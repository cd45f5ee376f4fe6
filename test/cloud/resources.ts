/** Tables, bucket and topics for the adapters' tests, as the stack makes them; a fresh set for each test. */

import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { CreateTopicCommand, SNSClient } from '@aws-sdk/client-sns';
import type { StoresEnvironment } from '../../src/adapters/aws/stores.ts';
import type { Emulator } from './emulator.ts';

/** Clients with the connections they share; destroy them when the emulator stops. */
export function clientsOf({ client }: Emulator) {
  const clients = {
    dynamodb: newDynamo(client),
    s3: new S3Client({ ...client, forcePathStyle: true }),
    sns: new SNSClient(client),
    sfn: new SFNClient(client),
    kms: new KMSClient(client),
  };
  const destroy = () => {
    for (const each of Object.values(clients)) each.destroy();
  };
  return { ...clients, destroy };
}
export type Clients = ReturnType<typeof clientsOf>;

/** A client of one test alone, which may put faults into it. */
export const newDynamo = (client: DynamoDBClientConfig, maxAttempts = 3): DynamoDBClient =>
  new DynamoDBClient({ ...client, maxAttempts });

export async function createTable(dynamodb: DynamoDBClient, name: string, ...keys: string[]): Promise<string> {
  const TableName = `${name}-${randomUUID().slice(0, 8)}`;
  await dynamodb.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' as const })),
      KeySchema: keys.map((AttributeName, i) => ({
        AttributeName,
        KeyType: i === 0 ? ('HASH' as const) : ('RANGE' as const),
      })),
    }),
  );
  return TableName;
}

export async function createTables(dynamodb: DynamoDBClient, shards: number): Promise<StoresEnvironment> {
  return {
    ORDERS_TABLE: await createTable(dynamodb, 'orders', 'record_id'),
    INTAKE_TABLE: await createTable(dynamodb, 'intake', 'pk', 'sk'),
    AUCTIONS_TABLE: await createTable(dynamodb, 'auctions', 'pk', 'sk'),
    INTAKE_SHARDS: String(shards),
  };
}

export async function createBucket(s3: S3Client): Promise<string> {
  const bucket = `results-${randomUUID()}`;
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

export async function createTopic(sns: SNSClient, name: string): Promise<string> {
  const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `${name}-${randomUUID()}` }));
  return TopicArn!;
}

/** @returns its id */
export async function createSigningKey(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(
    new CreateKeyCommand({ KeySpec: 'ECC_NIST_EDWARDS25519', KeyUsage: 'SIGN_VERIFY' }),
  );
  return KeyMetadata!.KeyId!;
}
