/**
 * Each step of the workflow over AWS, killed at every request it makes to the tables, the bucket, the topics and the key, right
 * before and right after it is done, and run again: as Step Functions does. Nothing is lost, nothing is there twice, nobody rejected goes untold.
 */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type AwsEnvironment, awsPorts } from '../../src/adapters/aws/ports.ts';
import { closeGate, findAuction } from '../../src/auction/auctions.ts';
import { cancelOrder } from '../../src/auction/intake/cancel-order.ts';
import { findOrder, listOrders } from '../../src/auction/intake/find-order.ts';
import type { Notice, Ports } from '../../src/auction/ports.ts';
import type { PageReference } from '../../src/auction/steps/clear-auction.ts';
import { type TaskName, tasks } from '../../src/auction/steps/tasks.ts';
import { readBook, readResult } from '../../src/auction/views/results.ts';
import { checkIntake } from '../../src/book/check-intake.ts';
import { hold, start, submit, testMarket, tradingOrders } from '../support/house.ts';
import { recordingMeter } from '../support/meter.ts';
import { byHand } from '../support/races.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { killAt, killed } from './faults.ts';
import {
  type Clients,
  clientsOf,
  createBucket,
  createSigningKey,
  createTables,
  createTopic,
  newDynamo,
} from './resources.ts';

let emulator: Emulator;
let clients: Clients;
before(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator);
});
after(async () => {
  clients.destroy();
  await emulator.stop();
});

const clock = { now: () => new Date(start) };
const markets = [testMarket()];

/** A process that dies at its request number `request`, before or after it is done. */
function mortalPorts(environment: AwsEnvironment, request: number, isDone: boolean): { ports: Ports; end(): void } {
  const { client } = emulator;
  const mortal = {
    dynamodb: newDynamo(client, 1),
    s3: new S3Client({ ...client, forcePathStyle: true, maxAttempts: 1 }),
    sns: new SNSClient({ ...client, maxAttempts: 1 }),
    kms: new KMSClient({ ...client, maxAttempts: 1 }),
  };
  const all = Object.values(mortal);
  killAt(all, request, isDone);
  const ports = { ...awsPorts(environment, markets, { ...mortal, clock, meter: recordingMeter() }), workflow: byHand };
  const end = () => {
    for (const each of all) each.destroy();
  };
  return { ports, end };
}

/** @returns the step's answer, and how often it was killed before it came to an end */
async function runToTheEnd(environment: AwsEnvironment, task: TaskName, input: object) {
  let kills = 0;
  for (let request = 1; ; request++) {
    for (const isDone of [false, true]) {
      const { ports, end } = mortalPorts(environment, request, isDone);
      try {
        return { answer: await tasks[task](ports, input), kills };
      } catch (error) {
        if (!(error as Error).message.includes(killed)) throw error;
        kills++;
      } finally {
        end();
      }
    }
  }
}

test('a step that is killed anywhere is run again, and every order has one outcome in the end', async (t) => {
  const environment: AwsEnvironment = {
    ...(await createTables(clients.dynamodb, 2)),
    RESULTS_BUCKET: await createBucket(clients.s3),
    REJECTED_TOPIC_ARN: await createTopic(clients.sns, 'rejected'),
    ERRORS_TOPIC_ARN: await createTopic(clients.sns, 'errors'),
    NOTICES_TOPIC_ARN: await createTopic(clients.sns, 'notices'),
    WORKFLOW_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:none',
    SIGNING_KEYS: await createSigningKey(clients.kms),
  };
  const told = await queueOf(environment.REJECTED_TOPIC_ARN);
  const ports = { ...awsPorts(environment, markets, { ...clients, clock, meter: recordingMeter() }), workflow: byHand };
  await hold(ports);
  await submit(ports);
  const more = Array.from({ length: 5 }, (_, i) => ({ record_id: `more-${i}`, side: 'sell', price: 95 + i, power: 1 }));
  for (const order of more) await submit(ports, [order]);
  await cancelOrder(ports, 'p', 'more-0');
  await closeGate(ports, 'a');

  const counts: string[] = [];
  const run = async (task: TaskName, input: object = { auction: 'a', run: 1 }) => {
    const { answer, kills } = await runToTheEnd(environment, task, input);
    counts.push(`${task} ${kills}`);
    return answer;
  };
  await run('SealBook');
  const { book } = await findAuction(ports, 'a');
  const { pages } = (await run('Clear', { auction: 'a', run: 1, attempt: 1 })) as { pages: PageReference[] };
  await run('Verify');
  for (const page of pages) await run('SettlePage', page);
  await run('Publish');
  t.diagnostic(`killed: ${counts.join(', ')}`);

  const settled = await findAuction(ports, 'a');
  assert.equal(settled.state, 'settled');
  assert.deepEqual(settled.book, book);
  assert.deepEqual(checkIntake(await readBook(ports, 'a')), []);
  const ids = [...tradingOrders, ...more.slice(1)].map(({ record_id }) => record_id).sort();
  assert.deepEqual((await readResult(ports, 'a')).orders.map(({ record_id }) => record_id).sort(), ids);
  const outcomes = new Map((await listOrders(ports, 'a')).map((order) => [order.record_id, order.outcome?.status]));
  assert.equal(outcomes.get('more-0'), undefined);
  assert.equal((await findOrder(ports, 'p', 'load')).outcome?.status, 'accepted');
  const rejected = ids.filter((id) => outcomes.get(id) === 'rejected');
  assert.deepEqual(rejected, ['more-1', 'more-2', 'more-3', 'more-4', 'peaker']);
  assert.deepEqual([...new Set(await toldIn(told))].sort(), rejected);
});

async function queueOf(topic: string): Promise<{ sqs: SQSClient; QueueUrl: string }> {
  const sqs = new SQSClient(emulator.client);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID() }));
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(asked);
  await clients.sns.send(new SubscribeCommand({ TopicArn: topic, Protocol: 'sqs', Endpoint: Attributes!.QueueArn }));
  return { sqs, QueueUrl: QueueUrl! };
}

/** The record_ids that were told, in no order, some perhaps twice. What was received is hidden from the next look. */
async function toldIn({ sqs, QueueUrl }: { sqs: SQSClient; QueueUrl: string }): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) break;
    for (const { Body } of Messages) {
      const notice = JSON.parse((JSON.parse(Body!) as { Message: string }).Message) as Notice;
      if (notice.kind === 'order-rejected') ids.push(notice.record_id);
    }
  }
  sqs.destroy();
  return ids;
}
