/** Every port over AWS, wired: made once for each container of a function. */

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import type { Ports } from '../../auction/ports.ts';
import type { Market } from '../../market/market.ts';
import { openArchive } from './archive.ts';
import { openDatabase } from './database.ts';
import { openNotices } from './notices.ts';
import { openSigner } from './signer.ts';
import { awsStores, patience, type StoresEnvironment, type StoresOptions } from './stores.ts';
import { openWorkflow } from './workflow.ts';

/** What the adapters are told by their environment. */
export interface AwsEnvironment extends StoresEnvironment {
  readonly RESULTS_BUCKET: string;
  readonly REJECTED_TOPIC_ARN: string;
  readonly ERRORS_TOPIC_ARN: string;
  readonly NOTICES_TOPIC_ARN: string;
  readonly WORKFLOW_ARN: string;
  /** Ids of the keys of evidence, with commas between them; the last one signs. */
  readonly SIGNING_KEYS: string;
}

export interface AwsOptions extends StoresOptions {
  readonly s3?: S3Client;
  readonly sns?: SNSClient;
  readonly sfn?: SFNClient;
  readonly kms?: KMSClient;
}

/** A function lives for 890 s at most (`lib/functions.ts`); what is left after the search is for reading and writing. */
const longestSearchMs = 600_000;

export function awsPorts(environment: AwsEnvironment, markets: readonly Market[], options: AwsOptions): Ports {
  const {
    dynamodb = new DynamoDBClient(patience),
    s3 = new S3Client({ maxAttempts: 4 }),
    sns = new SNSClient({ maxAttempts: 4 }),
    sfn = new SFNClient({ maxAttempts: 4 }),
    kms = new KMSClient({ maxAttempts: 4 }),
  } = options;
  const stores = awsStores(environment, markets, { ...options, dynamodb });
  return {
    ...stores,
    archive: openArchive(s3, environment.RESULTS_BUCKET),
    notices: openNotices({
      client: sns,
      topics: {
        'order-rejected': environment.REJECTED_TOPIC_ARN,
        'order-left-out': environment.REJECTED_TOPIC_ARN,
        'auction-failed': environment.ERRORS_TOPIC_ARN,
        'auction-diagnosed': environment.ERRORS_TOPIC_ARN,
        'auction-cancelled': environment.NOTICES_TOPIC_ARN,
        'auction-settled': environment.NOTICES_TOPIC_ARN,
      },
      database: openDatabase(dynamodb),
      table: environment.INTAKE_TABLE,
      clock: stores.clock,
    }),
    signer: openSigner(kms, environment.SIGNING_KEYS.split(',')),
    workflow: openWorkflow(sfn, environment.WORKFLOW_ARN),
    longestSearchMs,
  };
}
