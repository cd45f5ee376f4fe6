/**
 * The deployed stack does all that it has to do with what its policies allow. The emulator holds every request of every function
 * against them, as IAM does, and refuses what they do not allow (`emulator.py`); each refusal is a line in its log.
 *
 * Here are the ways that an ordinary auction does not go, in the environment that has a canary: orders left out of the book, a search
 * that is cut, failures and restarts, a rush, claims of a function that died, the end of orders, every route.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { StopExecutionCommand } from '@aws-sdk/client-sfn';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { marshall } from '@aws-sdk/util-dynamodb';
import { publicUsageKey, refusedUsageKey } from '../../lib/http-api.ts';
import { changeClient, strikeClient } from '../../scripts/change-client.ts';
import { routesOf } from '../../src/api/app.ts';
import type { Auction } from '../../src/auction/auction.ts';
import type { Ports } from '../../src/auction/ports.ts';
import { sha256 } from '../../src/book/intake.ts';
import type { Book } from '../../src/market/book.ts';
import { type Market, parseMarket } from '../../src/market/market.ts';
import { readMarkets } from '../../src/settings.ts';
import { type Deployment, deploy, until } from './deployment.ts';
import { type Mailbox, openMailbox } from './mailbox.ts';
import { zipOf } from './tasks.ts';

const environment = 'staging';
const simple = {
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  resolution: 'PT60M',
  zones: ['Z'],
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  powerLimits: { lot: 0.1, max: 100_000 },
  orderKinds: ['limit', 'curve', 'block'],
  schedule: { kind: 'manual' },
  patience: { firstSeconds: 1, mostSeconds: 1, attempts: 50 },
};
const marketOf = (market: string, changes: object = {}): Market =>
  parseMarket({ ...simple, market, description: market, ...changes }, market);

let house: Deployment;
let mail: Mailbox;
/** The tables as whoever administers the account sees them. */
let tables: Pick<Ports, 'auctions' | 'orders'>;

before(async () => {
  house = await deploy(
    [
      ...(await readMarkets(new URL('../../markets', import.meta.url).pathname)),
      marketOf('plain'),
      marketOf('cut', { clearing: { branchesPerCall: 1 } }),
      marketOf('never', {
        rehearsal: { lateResults: { probability: 1, seed: 1 } },
        patience: { firstSeconds: 1, mostSeconds: 1, attempts: 1 },
      }),
      marketOf('slow', {
        rehearsal: { lateResults: { probability: 1, seed: 1 } },
        patience: { firstSeconds: 600, mostSeconds: 600, attempts: 50 },
      }),
    ],
    { environment },
  );
  mail = await openMailbox(house);
  tables = house.stores();
});
after(async () => {
  await house?.close();
});

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const hold = (id: string, market: string) => house.post('/auctions', { id, market, gateClosure: inAnHour() });
const send = (auction: string, orders: readonly object[]) => house.post('/orders', { auction, orders });
const block = (record_id: string, more: object = {}) => ({
  record_id,
  kind: 'block',
  side: 'sell',
  price: 10,
  from: 1,
  to: 1,
  power: 10,
  ...more,
});
const pair = [
  { record_id: 'plant', side: 'sell', price: 20, power: 50 },
  { record_id: 'town', side: 'buy', price: 80, power: 30 },
  { record_id: 'dreamer', side: 'buy', price: 10, power: 5 },
];

const refusals = async () => (await house.emulator.log()).split('\n').filter((line) => line.startsWith('DENIED'));

describe('the stack under its own policies', { concurrency: 3 }, () => {
  test('an order that is left out of the book: its owner is told, and the auction is settled', async () => {
    await hold('left-out', 'plain');
    await send('left-out', [
      block('a', { loopWith: 'b' }),
      block('b', { loopWith: 'a', side: 'buy', price: 60 }),
      ...pair,
    ]);
    // What a cancellation leaves that is cut between the two legs of a loop.
    await tables.orders.cancel('left-out', 'local', 'b');
    await house.post('/auctions/left-out/close');
    const { book } = await house.reaches('left-out', 'settled');
    assert.equal(book?.orders, pair.length);
    await mail.find('order-left-out', 'left-out', 'a');
    const { leftOut } = await house.get<{ leftOut?: string }>('/orders/a?auction=left-out');
    assert.match(leftOut ?? '', /names b/);
  });

  test('a search that is cut goes on from its checkpoint', async () => {
    await hold('cut', 'cut');
    const blocks = Array.from({ length: 14 }, (_, i) =>
      block(`k${i}`, { price: 30 + (i % 7) * 5.03, power: Math.round(173 + i * 37) / 10 }),
    );
    await send('cut', [{ record_id: 'd', side: 'buy', price: 50, power: 100 }, ...blocks]);
    await house.post('/auctions/cut/close');
    await house.reaches('cut', 'settled');
    const { events } = await house.get<{ events: { type: string; state?: string }[] }>('/executions/cut-1');
    const asked = events.filter(({ type, state }) => type === 'TaskStateEntered' && state === 'Clear');
    assert(asked.length > 1, 'the search was not cut');
  });

  test('an auction fails, the operator is told, it is restarted and fails again', async () => {
    await hold('fails', 'never');
    await send('fails', pair);
    await house.post('/auctions/fails/close');
    await house.reaches('fails', 'failed');
    await mail.find('auction-failed', 'fails');
    await house.post('/auctions/fails/restart');
    await until('the second run has failed', async () => {
      const { run, state } = await house.get<Auction>('/auctions/fails');
      return run === 2 && state === 'failed';
    });
  });

  test('the last line: a failed auction is diagnosed, restarted without an order, diagnosed again and cancelled', async () => {
    await hold('last-line', 'never');
    await send('last-line', pair);
    await house.post('/auctions/last-line/close');
    await house.reaches('last-line', 'failed');
    await mail.find('auction-diagnosed', 'last-line');
    const { failure } = await house.get<Auction>('/auctions/last-line');
    const { found } = await house.get<{ found: string }>('/auctions/last-line/diagnosis');
    assert.equal(failure?.diagnosis?.found, found);
    const without = [{ participant: 'local', record_id: 'dreamer' }];
    await house.post('/auctions/last-line/restart', { without });
    await until('the second run is diagnosed', async () => {
      const { run, failure } = await house.get<Auction>('/auctions/last-line');
      return run === 2 && failure?.diagnosis !== undefined;
    });
    await house.post('/auctions/last-line/cancel', { cause: 'nothing to be done' });
    await mail.find('auction-cancelled', 'last-line');
  });

  test('the network of one auction is changed until its gate closes, and its book has it', async () => {
    await hold('network', 'demo');
    const changed = await house.ask('PATCH', '/auctions/network/network', {
      lines: [{ id: 'NORTH-CENTRE', capacity: 123 }],
    });
    assert.equal(changed.status, 200, JSON.stringify(changed.json));
    await send('network', [
      { ...pair[0], zone: 'NORTH', period: 1 },
      { ...pair[1], zone: 'CENTRE', period: 1 },
    ]);
    await house.post('/auctions/network/close');
    await house.reaches('network', 'settled');
    const { lines } = await house.get<Book>('/auctions/network/book');
    assert.equal(lines.find(({ id }) => id === 'NORTH-CENTRE')?.capacity, 123);
  });

  test('an execution that is aborted without a word: a tick finds it, and the auction can be restarted', async () => {
    await hold('aborted', 'slow');
    await send('aborted', pair);
    await house.post('/auctions/aborted/close');
    await until(
      'it waits for results',
      async () => (await house.get<Auction>('/auctions/aborted')).state === 'clearing',
    );
    const executionArn = `${house.outputs.WorkflowArn.replace(':stateMachine:', ':execution:')}:aborted-1`;
    await house.clients.sfn.send(new StopExecutionCommand({ executionArn }));
    await until('a tick has found it', async () => {
      assert.equal((await house.invoke('keep-time', {})).error, undefined);
      return (await house.get<Auction>('/auctions/aborted')).state === 'failed';
    });
    await mail.find('auction-failed', 'aborted');
    await house.post('/auctions/aborted/restart');
  });

  test('large requests, repeats, conflicts, names, cancellations, and orders for the default market', async () => {
    await hold('intake', 'plain');
    const many = Array.from({ length: 250 }, (_, i) => ({ record_id: `m${i}`, side: 'buy', price: 1, power: 1 }));
    const receipts = await send('intake', many);
    assert.deepEqual(await send('intake', many), receipts);
    await send('intake', [block('parent'), block('child', { linkedTo: 'parent', exclusiveGroup: 'g' })]);
    await send('intake', [block('member', { exclusiveGroup: 'g' })]);
    const batch = { auction: 'intake', orders: [...many.slice(0, 120), { ...many[0], record_id: 'm1', power: 2 }] };
    const { status } = await house.refuse('POST', '/orders', batch);
    assert.equal(status, 400, 'an id is there twice');
    const other = { auction: 'intake', orders: [{ ...many[0], power: 2 }] };
    assert.equal((await house.refuse('POST', '/orders', other)).code, 'conflict');
    const remove = (id: string) => house.askAgain('DELETE', `/orders/${id}?auction=intake`);
    assert.equal((await remove('parent')).status, 409);
    for (const id of ['child', 'parent', 'm7']) assert.equal((await remove(id)).status, 200, id);
    const byDefault = { record_id: 'by-default', side: 'sell', price: 1, power: 1 };
    await until('there is an open auction of the default market', async () => {
      await house.invoke('keep-time', {});
      return (await house.ask('POST', '/orders', byDefault)).status === 201;
    });
    assert.equal((await house.ask('DELETE', '/orders/by-default')).status, 200);
    await house.post('/auctions/intake/cancel', { cause: 'no more' });
  });

  test('what a function claimed before it died gives way', async () => {
    await hold('claims', 'plain');
    const [order] = pair;
    const item = {
      record_id: `claims/local/${order!.record_id}`,
      auction: 'claims',
      participant: 'local',
      order: '{}',
      request_id: 'of-the-dead',
      claimed_at: Date.now() - 60_000,
      position: 0,
      ttl: 4e9,
    };
    const claim = new PutItemCommand({
      TableName: `orders-${environment}`,
      Item: marshall({ ...item, order: JSON.stringify(order) }),
    });
    await house.clients.dynamodb.send(claim);
    await send('claims', pair);
    await house.post('/auctions/claims/close');
    await house.reaches('claims', 'settled');
  });

  test('a rush of orders and cancellations, in which functions commit for each other', async () => {
    await hold('rush', 'plain');
    const early = Array.from({ length: 10 }, (_, i) => ({ record_id: `e${i}`, side: 'sell', price: 1, power: 1 }));
    await send('rush', early);
    const answers = await Promise.all([
      ...early.map(({ record_id }) => house.askAgain('DELETE', `/orders/${record_id}?auction=rush`)),
      ...early.map((order, i) =>
        house.askAgain('POST', '/orders', { auction: 'rush', orders: [{ ...order, record_id: `l${i}` }] }),
      ),
    ]);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 201]));
    await house.post('/auctions/rush/close');
    assert.equal((await house.reaches('rush', 'settled')).book?.orders, 10);
  });

  test('the end of orders: those of an auction that waits are kept, those of one that is over are deleted', async () => {
    const made = async (id: string, hoursAgo: number, state: 'failed' | 'settled') => {
      const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
      const delivery = { start: '2025-04-01T12:00:00Z', resolution: 'PT60M' as const, periods: 1 };
      const auction = {
        id,
        market: 'plain',
        delivery,
        gateOpening: at(hoursAgo + 1),
        run: 1,
        updatedAt: '2025-04-01T10:00:00Z',
      };
      const open: Auction = { ...auction, state: 'open', gateClosure: inAnHour() };
      await tables.auctions.create(open);
      await tables.orders.append(id, 'local', [
        { record_id: 'o', zone: 'Z', kind: 'limit', side: 'buy', period: 1, price: 1, power: 1 },
      ]);
      assert(await tables.auctions.advance(open, { ...auction, state, gateClosure: at(hoursAgo), cause: 'made so' }));
    };
    await made('waits', 13, 'failed');
    await made('over', 30, 'settled');
    await until('its orders are gone', async () => {
      assert.equal((await house.invoke('keep-time', {})).error, undefined);
      return (await tables.orders.list('over')).length === 0 && (await tables.orders.entries('over')).length === 0;
    });
    assert.equal((await house.get<{ state: string }>('/orders/o?auction=waits')).state, 'failed');
  });

  test('an auction whose gate was to be open while nobody asked for the time is called off by the clock', async () => {
    const at = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    await tables.auctions.create({
      id: 'missed',
      market: 'plain',
      state: 'scheduled',
      delivery: { start: '2025-04-01T12:00:00Z', resolution: 'PT60M', periods: 1 },
      gateOpening: at(3),
      gateClosure: at(2),
      run: 1,
      updatedAt: at(4),
    });
    await until('it is called off', async () => {
      assert.equal((await house.invoke('keep-time', {})).error, undefined);
      return (await tables.auctions.find('missed'))?.state === 'cancelled';
    });
  });

  test('the canary holds its auction', async () => {
    const { error, answer } = await house.invoke('canary', { time: new Date().toISOString() });
    assert.equal(error, undefined, JSON.stringify(answer));
  });

  test('the calls of the contract before: what clear knows, and one order settled', async () => {
    await hold('original', 'plain');
    await send('original', pair);
    await house.post('/auctions/original/close');
    await house.reaches('original', 'settled');
    const { answer } = await house.invoke('clear', { auction: 'original' });
    assert.equal(answer.results, true);
    assert.equal((await house.invoke('settle', answer.orders[1])).error, undefined);
  });

  test('what is larger than an answer of a function is fetched from the bucket, and pages of orders fit', async (t) => {
    const id = 'large';
    await hold(id, 'plain');
    const size = 24_000;
    for (let from = 0; from < size; from += 4000) {
      const orders = Array.from({ length: 4000 }, (_, i) => ({
        record_id: `an-order-with-a-name-that-takes-nearly-all-there-is-for-it-${from + i}`,
        side: i % 2 === 0 ? 'sell' : 'buy',
        price: i % 2 === 0 ? i / 100 : 60 - i / 100,
        power: 1 + (i % 7),
      }));
      await house.post('/orders', { auction: id, orders });
    }
    await house.post(`/auctions/${id}/close`);
    const { book } = await house.reaches(id, 'settled');
    assert.equal(book?.orders, size);
    for (const what of ['book', 'result']) {
      const { status, headers } = await house.ask('GET', `/auctions/${id}/${what}`);
      assert.deepEqual([status, headers.get('cache-control')], [307, 'no-store'], what);
      const text = await (await fetch(headers.get('location')!)).text();
      if (what === 'book') assert.equal(sha256(text), book.hash);
      t.diagnostic(`${what}: ${text.length} bytes`);
      assert(text.length > 3_000_000);
    }
    const found = new Set<string>();
    for (let next: number | undefined = 0; next !== undefined; ) {
      type Page = { orders: { record_id: string }[]; next?: number };
      const page: Page = await house.get<Page>(`/orders?auction=${id}&limit=10000&after=${next}`);
      assert(JSON.stringify(JSON.stringify(page)).length < 6_000_000);
      for (const { record_id } of page.orders) found.add(record_id);
      next = page.next;
    }
    assert.equal(found.size, size);
  });

  test('a client is changed and struck off from its next call on, whatever its token says', async () => {
    await hold('clients', 'plain');
    const portfolios = [{ name: 'all', zones: ['Z'] }];
    const acme = { name: 'acme', access: 'write', portfolios } as const;
    const bearer = async (client: Parameters<Deployment['tokenFor']>[0]) => ({
      authorization: `Bearer ${await house.tokenFor(client)}`,
    });
    const trader = await bearer({ name: 'acme', roles: [], participant: acme });
    const both = await bearer({ name: 'both', roles: ['operator', 'auditor'] });
    const status = async (who: Record<string, string>, method: string, path: string, body?: object) =>
      (await house.ask(method, path, body, who)).status;
    const order = (record_id: string) => ({ auction: 'clients', orders: [{ ...pair[0], record_id }] });
    assert.equal(await status(trader, 'POST', '/orders', order('before')), 201);
    assert.deepEqual(
      [await status(both, 'POST', '/auctions/clients/close'), await status(both, 'GET', '/executions')],
      [200, 200],
    );
    await house.manage((clients, outputs) => changeClient(clients, outputs, 'acme', { access: 'read' }));
    await house.manage((clients, outputs) => changeClient(clients, outputs, 'both', { roles: ['auditor'] }));
    assert.equal(await status(trader, 'POST', '/orders', order('after')), 403);
    assert.equal(await status(trader, 'GET', '/orders/before?auction=clients'), 200);
    assert.deepEqual(
      [await status(both, 'POST', '/auctions/clients/close'), await status(both, 'GET', '/executions')],
      [403, 200],
    );
    for (const name of ['acme', 'both']) await house.manage((clients, outputs) => strikeClient(clients, outputs, name));
    for (const who of [trader, both]) {
      const refused = await house.refuse('GET', '/executions', undefined, who);
      assert.deepEqual([refused.status, refused.problems[0]?.code], [401, 'token-client']);
    }
    await assert.rejects(
      house.manage((clients, outputs) => strikeClient(clients, outputs, 'acme')),
      /there is no client/,
    );
    // Its name is free again.
    await house.tokenFor({ name: 'acme', roles: [], participant: acme });
  });

  test('every call counts in a plan: that of its client, of the strangers, or of those whose token does not hold', async () => {
    const ask = async (headers: object) =>
      (await house.invoke('authorize', { methodArn: 'arn:aws:execute-api:x', headers })).answer;
    const stranger = await ask({});
    assert.deepEqual([stranger.usageIdentifierKey, stranger.context], [publicUsageKey(environment), {}]);
    for (const authorization of ['Basic dTpw', 'Bearer x', 'Bearer a.b.c']) {
      const refused = await ask({ authorization });
      assert.equal(refused.usageIdentifierKey, refusedUsageKey(environment), authorization);
      assert.equal(JSON.parse(refused.context.refusal).code, 'token-malformed');
    }
    const token = await house.tokenFor({ name: 'planned', roles: ['auditor'] });
    const client = await ask({ Authorization: `Bearer ${token}` });
    assert.match(client.usageIdentifierKey, /^usage-of-client-/);
    assert.deepEqual(JSON.parse(client.context.identity).scopes, ['merit/auditor']);
  });

  test('every route answers, and none with a fault', async () => {
    await hold('routes', 'plain');
    await send('routes', pair);
    await house.post('/auctions/routes/close');
    await house.reaches('routes', 'settled');
    const filled: Record<string, string> = { id: 'routes', record_id: 'plant', code: 'conflict' };
    for (const { method, path, id } of routesOf({} as Ports)) {
      const address = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        id === 'readExecution' ? 'routes-1' : id === 'findMarket' ? 'plain' : filled[name]!,
      );
      const query = id === 'listOrders' || path.startsWith('/orders/') ? '?auction=routes' : '';
      const body = method === 'post' || method === 'patch' ? {} : undefined;
      const { status, json } = await house.ask(method.toUpperCase(), `${address}${query}`, body);
      assert(status < 500, `${method} ${address}: ${status} ${JSON.stringify(json)}`);
    }
  });
});

test('no function was refused anything that it asked for', async () => {
  let started = -Infinity;
  await until('what nobody waits for has become a dead letter', async () => {
    // Once a minute: an emulator that runs out of processes drops what nobody waits for.
    if (performance.now() - started > 60_000) {
      await house.start('settle', { status: 'rejected', power: 7, record_id: 'nobody-waits' });
      started = performance.now();
    }
    const asked = new GetQueueAttributesCommand({
      QueueUrl: house.outputs.DeadLetters,
      AttributeNames: ['ApproximateNumberOfMessages'],
    });
    return Number((await house.clients.sqs.send(asked)).Attributes?.ApproximateNumberOfMessages) > 0;
  });
  assert.deepEqual(await refusals(), []);
});

test('and what the policies do not allow is refused', async (t) => {
  const lambda = new LambdaClient({ ...house.emulator.client, maxAttempts: 1 });
  t.after(() => lambda.destroy());
  const asked = new GetFunctionConfigurationCommand({ FunctionName: `energy-auction-verify-${environment}` });
  const { Role } = await lambda.send(asked);
  const code = `
    const { DynamoDBClient, DeleteItemCommand } = require('@aws-sdk/client-dynamodb');
    exports.handler = () => new DynamoDBClient({}).send(
      new DeleteItemCommand({ TableName: 'orders-${environment}', Key: { record_id: { S: 'x' } } }));`;
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'intruder',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role,
      Timeout: 20,
      Code: { ZipFile: zipOf('index.js', Buffer.from(code)) },
    }),
  );
  const { FunctionError, Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'intruder' }));
  assert(FunctionError);
  assert.match(Buffer.from(Payload!).toString(), /not authorized to perform: dynamodb:DeleteItem/);
  const [refusal, ...more] = await refusals();
  assert.match(refusal ?? '', /FunctionsverifyRole.*intruder: dynamodb:DeleteItem on .*orders-staging/);
  assert.deepEqual(more, []);
});
