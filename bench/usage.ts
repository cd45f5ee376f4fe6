/**
 * What the deployed house uses of AWS for requests and auctions: units of DynamoDB, requests to S3 and SNS, bytes and milliseconds, counted
 * at the clients of the real adapters over the emulator. `lib/cost/usage.json` keeps the last whole run; docs/cost.md is made from it.
 *
 * Each use is taken at two sizes; the line through both says what is used once and what is used for each order.
 */

import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createLocalJWKSet, exportJWK, SignJWT } from 'jose';
import { counted, type Line, type Usage } from '../lib/cost/model.ts';
import { checkToken } from '../src/access/tokens.ts';
import { openDatabase } from '../src/adapters/aws/database.ts';
import { openRegistry } from '../src/adapters/aws/participants.ts';
import { awsPorts } from '../src/adapters/aws/ports.ts';
import { createAuction } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import type { Ports } from '../src/auction/ports.ts';
import type { ClearingAnswer } from '../src/auction/steps/clear-auction.ts';
import { tasks } from '../src/auction/steps/tasks.ts';
import { readMarkets } from '../src/settings.ts';
import { startEmulator } from '../test/cloud/emulator.ts';
import {
  clientsOf,
  createBucket,
  createSigningKey,
  createTable,
  createTables,
  createTopic,
} from '../test/cloud/resources.ts';
import { recordingMeter } from '../test/support/meter.ts';

const file = new URL('../lib/cost/usage.json', import.meta.url);

export async function benchUsage(smoke: boolean): Promise<void> {
  const emulator = await startEmulator();
  const clients = clientsOf(emulator);
  const now = nothing();
  try {
    const markets = await readMarkets(fileURLToPath(new URL('../markets', import.meta.url)));
    const ports = awsPorts(
      {
        ...(await createTables(clients.dynamodb, 2)),
        RESULTS_BUCKET: await createBucket(clients.s3),
        REJECTED_TOPIC_ARN: await createTopic(clients.sns, 'rejected'),
        ERRORS_TOPIC_ARN: await createTopic(clients.sns, 'errors'),
        NOTICES_TOPIC_ARN: await createTopic(clients.sns, 'settled'),
        WORKFLOW_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:none',
        SIGNING_KEYS: await createSigningKey(clients.kms),
      },
      markets,
      { ...clients, meter: recordingMeter() },
    );
    const table = await createTable(clients.dynamodb, 'participants', 'pk');
    const authorize = await authorizing(openRegistry(openDatabase(clients.dynamodb), table));

    for (const client of [clients.dynamodb, clients.s3, clients.sns]) countAt(client, now);
    const [small, large] = smoke ? [20, 60] : [1000, 5000];
    const rounds = smoke ? 1 : 5;
    const auctions = [small!, large!].map(() => new Map<string, Usage[]>());
    const requests = [1, 500].map((): Usage[] => []);
    const authorized: Usage[] = [];
    for (let round = -1; round < rounds; round++) {
      const isWarm = round >= 0; // the first round is not counted
      const used = async (note: Usage[], act: () => Promise<unknown>) => {
        Object.assign(now, nothing());
        const before = performance.now();
        await act();
        if (isWarm) note.push({ ...now, ms: performance.now() - before });
      };
      for (let i = 0; i < 20; i++) await used(authorized, authorize);
      for (const [at, batch] of [1, 500].entries()) {
        const id = await open(ports, `requests-${batch}-${round + 1}`);
        for (let i = 0; i < (smoke ? 2 : 10); i++) await used(requests[at]!, () => submit(ports, id, `r${i}`, batch));
      }
      for (const [at, size] of [small!, large!].entries()) {
        const id = await open(ports, `auction-${size}-${round + 1}`);
        for (let i = 0; i < size; i += 500) await submit(ports, id, `o${i}`, Math.min(500, size - i));
        const auction = (await ports.auctions.find(id))!;
        await ports.auctions.advance(auction, { ...auction, state: 'closed' });
        const run = { auction: id, run: 1 };
        const step = (name: string, act: () => Promise<unknown>) => {
          const note = auctions[at]!.get(name) ?? [];
          auctions[at]!.set(name, note);
          return used(note, act);
        };
        await step('seal', () => tasks.SealBook(ports, run));
        let pages: readonly { readonly key: string }[] = [];
        await step('clear', async () => {
          const answer = (await tasks.Clear(ports, { ...run, attempt: 1 })) as ClearingAnswer;
          if (!answer.results) throw new Error('clearing has not ended');
          pages = answer.pages;
        });
        await step('verify', () => tasks.Verify(ports, run));
        await step('settle', async () => {
          for (const { key } of pages) await tasks.SettlePage(ports, { ...run, key });
        });
        await step('publish', () => tasks.Publish(ports, run));
      }
    }
    const lines: Record<string, Line> = {
      authorize: { once: median(authorized), perOrder: nothing() },
      'post-orders': through(1, median(requests[0]!), 500, median(requests[1]!)),
      ...Object.fromEntries(
        [...auctions[0]!.keys()].map((name) => [
          name,
          through(small!, median(auctions[0]!.get(name)!), large!, median(auctions[1]!.get(name)!)),
        ]),
      ),
    };
    for (const part of ['once', 'perOrder'] as const) {
      console.log(part === 'once' ? 'used once, a request or an auction' : 'used for each order');
      console.table(Object.fromEntries(Object.entries(lines).map(([name, line]) => [name, line[part]])));
    }
    if (!smoke) await writeFile(file, `${JSON.stringify({ orders: [small, large], lines }, null, 2)}\n`);
  } finally {
    clients.destroy();
    await emulator.stop();
  }
}

async function open(ports: Ports, id: string): Promise<string> {
  await createAuction(ports, { id, market: 'hourly', gateClosure: new Date(Date.now() + 3_600_000).toISOString() });
  return id;
}

/** Half of the orders are out of the money. */
const submit = (ports: Ports, auction: string, name: string, count: number) =>
  submitOrders(
    ports,
    { participant: 'local' },
    {
      auction,
      orders: Array.from({ length: count }, (_, i) => ({
        record_id: `${name}-${i}`,
        side: i % 2 === 0 ? 'sell' : 'buy',
        price: 20 + (i % 50),
        power: 1 + (i % 9),
      })),
    },
  );

/** A token as Cognito gives it, checked, and its client looked up. */
async function authorizing(registry: ReturnType<typeof openRegistry>): Promise<() => Promise<void>> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const issuer = 'https://issuer.example.org/pool';
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'RS256', use: 'sig' }] });
  const token = await new SignJWT({ client_id: 'c', token_use: 'access', scope: 'merit/participant' })
    .setProtectedHeader({ alg: 'RS256', kid: 'k' })
    .setIssuer(issuer)
    .setSubject('c')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  return async () => {
    await checkToken(token, { issuer, keys, tokenUse: 'access' });
    await registry.get('c');
  };
}

const nothing = (): Usage => Object.fromEntries(counted.map((each) => [each, 0])) as Usage;

function median(usages: readonly Usage[]): Usage {
  const of = (name: keyof Usage) => usages.map((each) => each[name]).sort((a, b) => a - b)[usages.length >> 1]!;
  return Object.fromEntries(counted.map((name) => [name, round(of(name))])) as Usage;
}

/** Never below nothing: where the larger run was no dearer, all is used once. */
function through(small: number, a: Usage, large: number, b: Usage): Line {
  const line = { once: nothing(), perOrder: nothing() };
  for (const name of counted) {
    line.perOrder[name] = round(Math.max(0, (b[name] - a[name]) / (large - small)));
    line.once[name] = round(Math.max(0, a[name] - small * line.perOrder[name]));
  }
  return line;
}

const round = (value: number): number => Number(value.toPrecision(4));

// biome-ignore lint/suspicious/noExplicitAny: commands of every service pass here
type Command = any;

/** A write unit is a kB begun, a read unit 4 kB begun; in a transaction each counts twice. */
function countAt({ middlewareStack }: { readonly middlewareStack: unknown }, now: Usage): void {
  (middlewareStack as DynamoDBClient['middlewareStack']).add(
    (next, context) => async (args) => {
      const answer = await next(args);
      count(context.commandName ?? '', args.input as Command, answer.output as Command, now);
      return answer;
    },
    { step: 'initialize', name: 'countUsage' },
  );
}

function count(command: string, input: Command, output: Command, now: Usage): void {
  const write = (item: Command, times = 1) => {
    now.writeUnits += times * Math.max(1, Math.ceil(bytesOf(item) / 1024));
    now.tableBytes += bytesOf(item);
  };
  const read = (items: readonly Command[]) => {
    now.readUnits += Math.max(1, Math.ceil(items.reduce((sum, item) => sum + bytesOf(item), 0) / 4096));
  };
  switch (command) {
    case 'PutItemCommand':
      write(input.Item);
      return;
    case 'UpdateItemCommand':
      write(input.ExpressionAttributeValues);
      return;
    case 'TransactWriteItemsCommand':
      for (const { Put, Update, Delete, ConditionCheck } of input.TransactItems)
        write(Put?.Item ?? Update?.ExpressionAttributeValues ?? (Delete ?? ConditionCheck).Key, 2);
      return;
    case 'BatchWriteItemCommand':
      for (const requests of Object.values<Command[]>(input.RequestItems))
        for (const { PutRequest, DeleteRequest } of requests) write(PutRequest?.Item ?? DeleteRequest.Key);
      return;
    case 'GetItemCommand':
      read(output.Item ? [output.Item] : []);
      return;
    case 'BatchGetItemCommand':
      for (const items of Object.values<Command[]>(output.Responses)) for (const item of items) read([item]);
      return;
    case 'QueryCommand':
      read(output.Items);
      return;
    case 'PutObjectCommand':
      now.s3Puts++;
      now.s3Bytes += input.Body.length;
      return;
    case 'GetObjectCommand':
    case 'HeadObjectCommand':
      now.s3Gets++;
      return;
    case 'ListObjectsV2Command':
      now.s3Puts++;
      return;
    case 'PublishCommand':
      now.snsRequests += Math.ceil(input.Message.length / 65_536);
      return;
    case 'PublishBatchCommand': {
      const bytes = input.PublishBatchRequestEntries.reduce(
        (sum: number, each: Command) => sum + each.Message.length,
        0,
      );
      now.snsRequests += Math.ceil(bytes / 65_536);
      return;
    }
    case 'StartExecutionCommand':
      return; // counted by the transitions of the workflow
    default:
      throw new Error(`nobody has said what ${command} uses`);
  }
}

/** About: names and values of an item as DynamoDB counts them. */
const bytesOf = (item: Command): number =>
  Object.entries<Command>(item ?? {}).reduce((sum, [name, value]) => sum + name.length + valueBytes(value), 0);

function valueBytes(value: Command): number {
  const [[type, content]] = Object.entries<Command>(value) as [[string, Command]];
  if (type === 'N') return Math.ceil(String(content).length / 2) + 1;
  if (type === 'S') return Buffer.byteLength(content);
  if (type === 'B') return content.length;
  if (type === 'L') return content.reduce((sum: number, each: Command) => sum + 1 + valueBytes(each), 3);
  if (type === 'M') return 3 + bytesOf(content);
  return 1;
}
