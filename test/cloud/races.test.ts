/** Races of orders that name each other (`test/support/races.ts`) over DynamoDB, S3 and SNS. */

import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { awsPorts } from '../../src/adapters/aws/ports.ts';
import type { Notice } from '../../src/auction/ports.ts';
import { start } from '../support/house.ts';
import { recordingMeter } from '../support/meter.ts';
import { byHand, raceCases, raceMarkets } from '../support/races.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type Clients, clientsOf, createBucket, createSigningKey, createTables, createTopic } from './resources.ts';

let emulator: Emulator;
let clients: Clients;
let sqs: SQSClient;
before(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator);
  sqs = new SQSClient(emulator.client);
});
after(async () => {
  sqs.destroy();
  clients.destroy();
  await emulator.stop();
});

raceCases('dynamodb', async () => {
  const topic = await createTopic(clients.sns, 'all');
  const environment = {
    ...(await createTables(clients.dynamodb, 2)),
    RESULTS_BUCKET: await createBucket(clients.s3),
    REJECTED_TOPIC_ARN: topic,
    ERRORS_TOPIC_ARN: topic,
    NOTICES_TOPIC_ARN: topic,
    WORKFLOW_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:none',
    SIGNING_KEYS: await createSigningKey(clients.kms),
  };
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID() }));
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(asked);
  await clients.sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint: Attributes!.QueueArn }));

  const heard: Notice[] = [];
  async function told(): Promise<readonly Notice[]> {
    for (;;) {
      // What was received is hidden from the next look.
      const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
      if (Messages.length === 0) return heard;
      for (const { Body } of Messages)
        heard.push(JSON.parse((JSON.parse(Body!) as { Message: string }).Message) as Notice);
    }
  }
  const clock = { now: () => new Date(start) };
  const options = { ...clients, clock, meter: recordingMeter() };
  return { ports: { ...awsPorts(environment, raceMarkets, options), workflow: byHand }, told };
});
