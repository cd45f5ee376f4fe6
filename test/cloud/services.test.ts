/** Archive and notices over S3 and SNS: what only they can get wrong, lost answers and topics that take half a batch. */

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, type TestContext, test } from 'node:test';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { openArchive } from '../../src/adapters/aws/archive.ts';
import { openDatabase } from '../../src/adapters/aws/database.ts';
import { openNotices } from '../../src/adapters/aws/notices.ts';
import type { Notice } from '../../src/auction/ports.ts';
import { chance } from '../../src/cli/demo/random.ts';
import { toldOf } from '../support/told.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { injectFaults } from './faults.ts';
import { type Clients, clientsOf, createBucket, createTables, createTopic } from './resources.ts';

let emulator: Emulator;
let clients: Clients;
let sqs: SQSClient;
before(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator);
  sqs = new SQSClient(emulator.client);
});
after(async () => {
  clients.destroy();
  sqs.destroy();
  await emulator.stop();
});

function lossyS3(t: TestContext): S3Client {
  const s3 = new S3Client({ ...emulator.client, forcePathStyle: true, maxAttempts: 2 });
  t.after(() => s3.destroy());
  return s3;
}

test('write() whose answer was lost is a no-op when it is tried again', async (t) => {
  const bucket = await createBucket(clients.s3);
  const s3 = lossyS3(t);
  const { counts, heal } = injectFaults(s3, chance(1), { unanswered: 1 }, ['PutObjectCommand']);
  const archive = openArchive(s3, bucket);
  await assert.rejects(archive.write('books/a1.json', 'one'), { code: 'unavailable' });
  assert.equal(counts.unanswered, 2);
  heal();
  await archive.write('books/a1.json', 'one');
  await assert.rejects(archive.write('books/a1.json', 'other'), { code: 'conflict' });
  assert.equal(await archive.read('books/a1.json'), 'one');
});

test('an archive that throttles is unavailable, and one that has no such bucket is our own fault', async (t) => {
  const s3 = lossyS3(t);
  const { heal } = injectFaults(s3, chance(1), { throttled: 1 });
  const archive = openArchive(s3, 'no-such-bucket');
  await assert.rejects(archive.read('a'), { code: 'unavailable' });
  await assert.rejects(archive.write('a', 'x'), { code: 'unavailable' });
  await assert.rejects(archive.list(''), { code: 'unavailable' });
  heal();
  await assert.rejects(archive.write('a', 'x'), { name: 'NoSuchBucket' });
});

test('locate() gives an address that fetches the object as it is, without the house', async () => {
  const archive = openArchive(clients.s3, await createBucket(clients.s3));
  const text = JSON.stringify({ é: 'x'.repeat(100_000) });
  await archive.write('books/a1.json', text);
  const { url, bytes } = (await archive.locate!('books/a1.json'))!;
  assert.equal(bytes, Buffer.byteLength(text));
  assert.match(url, /X-Amz-Expires=300&/);
  const response = await fetch(url);
  assert.deepEqual([response.headers.get('content-type'), await response.text()], ['application/json', text]);
  assert.equal(await archive.locate!('books/a2.json'), undefined);
});

test('list() has more keys than one answer holds', async () => {
  const archive = openArchive(clients.s3, await createBucket(clients.s3));
  const keys = Array.from({ length: 1001 }, (_, i) => `orders/page-${String(i).padStart(5, '0')}.json`);
  await Promise.all(keys.map((key) => archive.write(key, '{}')));
  assert.deepEqual(await archive.list('orders/'), keys);
});

const rejected = (id: string): Notice => ({
  id,
  kind: 'order-rejected',
  ...toldOf('a1'),
  participant: 'p',
  record_id: id,
  status: 'rejected',
  reason: { code: 'out_of_the_money', distance: 5, missedSurplus: 0, binding: [] },
});

/** Three topics, each with a queue that hears it. */
async function openTopics(t: TestContext) {
  const { INTAKE_TABLE: table } = await createTables(clients.dynamodb, 1);
  const sns = new SNSClient({ ...emulator.client, maxAttempts: 1 });
  t.after(() => sns.destroy());
  const topics = {
    'order-rejected': await createTopic(sns, 'rejected'),
    'order-left-out': await createTopic(sns, 'left-out'),
    'auction-failed': await createTopic(sns, 'errors'),
    'auction-diagnosed': await createTopic(sns, 'diagnoses'),
    'auction-settled': await createTopic(sns, 'notices'),
    'auction-cancelled': await createTopic(sns, 'cancellations'),
  };
  const queues = Object.fromEntries(
    await Promise.all(Object.entries(topics).map(async ([kind, topic]) => [kind, await queueOf(topic)] as const)),
  );
  const clock = { now: () => new Date() };
  const notices = openNotices({ client: sns, topics, database: openDatabase(clients.dynamodb), table, clock });
  return { sns, notices, received: (kind: Notice['kind']) => receivedIn(queues[kind]!) };
}

async function queueOf(topic: string): Promise<string> {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: randomUUID() }));
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] });
  const { Attributes } = await sqs.send(asked);
  const subscription = { TopicArn: topic, Protocol: 'sqs', Endpoint: Attributes!.QueueArn };
  await clients.sns.send(new SubscribeCommand(subscription));
  return QueueUrl!;
}

interface Message {
  readonly Message: string;
  readonly MessageAttributes: Readonly<Record<string, { readonly Value: string }>>;
}

/** All that lies in a queue. Delivery in the emulator is over when publishing is. */
async function receivedIn(QueueUrl: string): Promise<{ notice: Notice; attributes: Record<string, string> }[]> {
  const received: { notice: Notice; attributes: Record<string, string> }[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }));
    if (Messages.length === 0) return received;
    for (const { Body } of Messages) {
      const { Message: text, MessageAttributes: values } = JSON.parse(Body!) as Message;
      const attributes = Object.fromEntries(Object.entries(values).map(([name, { Value }]) => [name, Value]));
      received.push({ notice: JSON.parse(text) as Notice, attributes });
    }
    const Entries = Messages.map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId, ReceiptHandle }));
    await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
  }
}

test('send() tells each notice to the topic of its kind, with attributes to filter by, and once', async (t) => {
  const { notices, received } = await openTopics(t);
  const failed: Notice = { id: 'auction-failed:a1:1', kind: 'auction-failed', ...toldOf('a1'), cause: 'broken' };
  const settled: Notice = { id: 'auction-settled:a1', kind: 'auction-settled', ...toldOf('a1'), orders: 3 };
  await notices.send([rejected('n1'), failed, settled, rejected('n1')]);
  await notices.send([rejected('n1'), settled]);
  assert.deepEqual(await received('order-rejected'), [
    {
      notice: rejected('n1'),
      attributes: { id: 'n1', kind: 'order-rejected', auction: 'a1', state: 'final', sequence: '15', participant: 'p' },
    },
  ]);
  assert.deepEqual(
    (await received('auction-failed')).map(({ notice }) => notice),
    [failed],
  );
  assert.deepEqual(
    (await received('auction-settled')).map(({ notice }) => notice),
    [settled],
  );
});

test('send() tells what a topic did not take of a batch again, until each notice is told', async (t) => {
  const { sns, notices, received } = await openTopics(t);
  const { counts } = injectFaults(sns, chance(7), { partial: 0.7 });
  const all = Array.from({ length: 57 }, (_, i) => rejected(`n${i}`));
  await notices.send(all);
  assert.deepEqual(
    (await received('order-rejected')).map(({ notice }) => notice.id).sort(),
    all.map(({ id }) => id).sort(),
  );
  assert(counts.partial > 2, `${counts.partial} partial batches`);
});

test('send() fails when a topic takes nothing, and tells the rest when it is called again', async (t) => {
  const { sns, notices, received } = await openTopics(t);
  await notices.send([rejected('n1')]);
  const faults = injectFaults(sns, chance(1), { throttled: 1 });
  await assert.rejects(notices.send([rejected('n1'), rejected('n2')]), { code: 'unavailable' });
  faults.heal();
  await notices.send([rejected('n1'), rejected('n2')]);
  assert.deepEqual((await received('order-rejected')).map(({ notice }) => notice.id).sort(), ['n1', 'n2']);
});
