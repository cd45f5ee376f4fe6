/**
 * What each function asks of AWS is what its role allows. The emulator enforces no policies, so the use cases run here with clients
 * that note each request, and the notes are held against the policies of the template.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb';
import type { FunctionName } from '../../lib/functions.ts';
import { awsPorts } from '../../src/adapters/aws/ports.ts';
import { createApp } from '../../src/api/app.ts';
import { keepTime } from '../../src/auction/keep-time.ts';
import { pageKey } from '../../src/auction/keys.ts';
import { tasks } from '../../src/auction/tasks.ts';
import { parseMarket } from '../../src/market/market.ts';
import { testMarket } from '../support/house.ts';
import { recordingMeter } from '../support/meter.ts';
import { type Synthesised, synthesise, textOf } from '../support/synthesised.ts';
import { startEmulator } from './emulator.ts';
import { clientsOf, createBucket, createTables, createTopic } from './resources.ts';

interface Noted {
  readonly action: string;
  /** Table, topic, folder of the bucket, or the workflow, by a word that the template's resource has, too. */
  readonly on: string;
}

type Input = Record<string, unknown>;

/** What IAM is asked when a command is sent. */
function asked(command: string, input: Input, names: ReadonlyMap<string, string>): Noted[] {
  const nameOf = (resource: unknown): string => {
    const name = names.get(String(resource));
    assert(name !== undefined, `${command} is about ${resource}, which nobody made`);
    return name;
  };
  const folderOf = (key: unknown) => String(key).split('/')[0]!;
  const name = command.replace(/Command$/, '');
  switch (name) {
    case 'TransactWriteItems':
      return (input.TransactItems as TransactWriteItem[]).flatMap(({ Put, Update, Delete, ConditionCheck }) =>
        Object.entries({ PutItem: Put, UpdateItem: Update, DeleteItem: Delete, ConditionCheckItem: ConditionCheck })
          .filter(([, about]) => about !== undefined)
          .map(([action, about]) => ({ action: `dynamodb:${action}`, on: nameOf(about!.TableName) })),
      );
    case 'BatchGetItem':
    case 'BatchWriteItem':
      return Object.keys(input.RequestItems as object).map((table) => ({
        action: `dynamodb:${name}`,
        on: nameOf(table),
      }));
    case 'GetObject':
    case 'PutObject':
      return [{ action: `s3:${name}`, on: folderOf(input.Key) }];
    case 'ListObjectsV2':
      return [{ action: 's3:ListBucket', on: 'Results' }];
    case 'Publish':
    case 'PublishBatch':
      return [{ action: 'sns:Publish', on: nameOf(input.TopicArn) }];
    case 'StartExecution':
    case 'ListExecutions':
    case 'DescribeExecution':
    case 'GetExecutionHistory':
      return [{ action: `states:${name}`, on: 'energy-auction-dev' }];
    default:
      return [{ action: `dynamodb:${name}`, on: nameOf(input.TableName) }];
  }
}

/** What the role of a function allows, as `action on resource`. */
function allowedTo({ one, of }: Synthesised, name: FunctionName): { action: string; resource: string }[] {
  const made = one('AWS::Lambda::Function', 'FunctionName', `energy-auction-${name}-dev`).Properties;
  const role = made.Role['Fn::GetAtt'][0] as string;
  return of('AWS::IAM::Policy')
    .filter(([, { Properties }]) => JSON.stringify(Properties.Roles).includes(`"${role}"`))
    .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Input[])
    .flatMap(({ Action, Resource }) =>
      [Action]
        .flat()
        .flatMap((action) =>
          [Resource].flat().map((resource) => ({ action: String(action), resource: textOf(resource) })),
        ),
    );
}

test('each function asks AWS for nothing that its role does not allow', async (t) => {
  const emulator = await startEmulator();
  const clients = clientsOf(emulator);
  t.after(async () => {
    clients.destroy();
    await emulator.stop();
  });
  const tables = await createTables(clients.dynamodb, 2);
  const topics = {
    REJECTED_TOPIC_ARN: await createTopic(clients.sns, 'rejected'),
    ERRORS_TOPIC_ARN: await createTopic(clients.sns, 'errors'),
    NOTICES_TOPIC_ARN: await createTopic(clients.sns, 'settled'),
  };
  const RESULTS_BUCKET = await createBucket(clients.s3);
  const names = new Map([
    [tables.ORDERS_TABLE, 'Orders'],
    [tables.INTAKE_TABLE, 'Intake'],
    [tables.AUCTIONS_TABLE, 'Auctions'],
    [topics.REJECTED_TOPIC_ARN, 'Rejected'],
    [topics.ERRORS_TOPIC_ARN, 'Errors'],
    [topics.NOTICES_TOPIC_ARN, 'Settled'],
  ]);
  const notes = new Map<FunctionName, Map<string, Noted>>();
  let running: FunctionName = 'api';
  const note = (command: string, input: Input) => {
    const own = notes.get(running) ?? notes.set(running, new Map()).get(running)!;
    for (const each of asked(command, input, names)) own.set(`${each.action} on ${each.on}`, each);
  };
  for (const client of [clients.dynamodb, clients.s3, clients.sns, clients.sfn])
    (client as typeof clients.dynamodb).middlewareStack.add(
      (next, context) => async (args) => {
        note(String(context.commandName), args.input as Input);
        return next(args);
      },
      { step: 'initialize' },
    );

  const clock = { at: Date.now(), now: () => new Date(clock.at) };
  const market = testMarket();
  const hourly = parseMarket(
    {
      ...market,
      market: 'hourly',
      schedule: { kind: 'interval', every: 'PT1H', gateOpening: 'PT2H', gateClosure: 'PT5M', periods: 1 },
    },
    'hourly',
  );
  const WORKFLOW_ARN = 'arn:aws:states:us-east-1:000000000000:stateMachine:none';
  const environment = { ...tables, ...topics, RESULTS_BUCKET, WORKFLOW_ARN };
  const ports = awsPorts(environment, [market, hourly], { ...clients, clock, meter: recordingMeter() });
  const app = createApp(ports, { log: () => undefined });
  /** There is no workflow here: what asks for one may fail then, and has been noted. */
  const as = async (name: FunctionName, ...steps: (() => unknown)[]) => {
    running = name;
    for (const step of steps) await Promise.resolve(step()).catch(() => undefined);
  };
  const ask = (method: string, path: string, body?: object) => () =>
    app.request(path, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
  const ordersOf = (name: string, count: number) =>
    Array.from({ length: count }, (_, i) => ({
      record_id: `${name}-${i}`,
      side: i % 2 === 0 ? 'sell' : 'buy',
      price: i % 3 === 0 ? 900 : 50,
      power: 10,
    }));

  const gateClosure = new Date(clock.at + 3_600_000).toISOString();
  await as('keep-time', () => keepTime(ports));
  await as('api', ask('POST', '/auctions', { id: 'a', market: 'test', gateClosure }));
  await as(
    'post-orders',
    ask('POST', '/orders', { auction: 'a', orders: ordersOf('few', 5) }),
    ask('POST', '/orders', { auction: 'a', orders: ordersOf('few', 5) }),
    ask('POST', '/orders', { auction: 'a', orders: ordersOf('many', 250) }),
    ask('POST', '/orders', { auction: 'a', orders: [...ordersOf('new', 250), { ...ordersOf('few', 1)[0], power: 1 }] }),
    ask('POST', '/orders', ordersOf('default', 2)),
  );
  await as('api', ask('DELETE', '/orders/few-0?auction=a'), ask('DELETE', '/orders/few-1'));
  await as('api', ask('POST', '/auctions/a/close'));
  const run = { auction: 'a', run: 1 };
  await as('seal', () => tasks.SealBook(ports, run));
  await as('clear', () => tasks.Clear(ports, { ...run, attempt: 1 }));
  await as('verify', () => tasks.Verify(ports, run));
  const auction = (await ports.auctions.find('a'))!;
  assert.equal(auction.state, 'final', auction.cause);
  await as('settle', () => tasks.SettlePage(ports, { ...run, key: pageKey(auction, 1) }));
  await as('publish', () => tasks.Publish(ports, run));
  for (const path of ['/auctions', '/auctions/a/result', '/auctions/a/book', '/orders?auction=a', '/orders/few-2'])
    await as('api', ask('GET', path));
  await as('api', ask('GET', '/executions'), ask('GET', '/executions/a-1'), ask('GET', '/healthz'));
  await as('api', ask('POST', '/auctions', { id: 'b', market: 'test', gateClosure }));
  await as('post-orders', ask('POST', '/orders', { auction: 'b', orders: ordersOf('b', 3) }));
  await as('api', ask('POST', '/auctions/b/close'));
  await as('notify-failure', () =>
    tasks.NotifyFailure(ports, { auction: 'b', run: 1, failure: { Error: 'E', Cause: 'c' } }),
  );
  await as('api', ask('POST', '/auctions/b/restart'));
  // A later day: what is settled goes, what is not is kept.
  for (const hours of [13, 26, 60]) {
    clock.at += hours * 3_600_000;
    await as('keep-time', () => keepTime(ports));
  }

  const stack = await synthesise({ environment: 'dev' }, false);
  assert.equal(notes.size, 9);
  for (const [name, noted] of notes) {
    const allowed = allowedTo(stack, name);
    const isAllowed = ({ action, on }: Noted) =>
      allowed.some((each) => each.action === action && each.resource.includes(on));
    const refused = [...noted.values()].filter((each) => !isAllowed(each));
    assert.deepEqual(
      refused.map(({ action, on }) => `${name}: ${action} on ${on}`),
      [],
    );
    t.diagnostic(`${name}: ${[...noted.keys()].sort().join(', ')}`);
  }
});
