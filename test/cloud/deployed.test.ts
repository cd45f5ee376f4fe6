/**
 * Auctions in the deployed stack, over its REST API: what an auction leaves behind, what goes wrong on purpose, bad input, ticks.
 *
 * One deployment serves all cases; each has auctions of its own, so they run side by side.
 */

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ListTablesCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { GetObjectCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, GetExecutionHistoryCommand, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { importDay } from '../../src/adapters/gme/import-day.ts';
import { problemDetails } from '../../src/api/problems.ts';
import type { Execution, ExecutionEvent } from '../../src/auction/ports.ts';
import type { Receipt } from '../../src/book/intake.ts';
import { type Market, parseMarket } from '../../src/market/market.ts';
import type { Result } from '../../src/market/result.ts';
import { readMarkets } from '../../src/settings.ts';
import { compareWithPublished, italyFolder, withoutItaly } from '../replay/italy-data.ts';
import { type Deployment, deploy, until } from './deployment.ts';
import { type Mailbox, openMailbox } from './mailbox.ts';

const simple = {
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  resolution: 'PT60M',
  zones: ['Z'],
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  powerLimits: { lot: 0.1, max: 100_000 },
  orderKinds: ['limit', 'curve'],
  schedule: { kind: 'manual' },
  patience: { firstSeconds: 1, mostSeconds: 1, attempts: 20 },
};
const marketOf = (market: string, description: string, changes: object = {}): Market =>
  parseMarket({ ...simple, market, description, ...changes }, market);

const day = '2025-04-01';
let house: Deployment;
let mail: Mailbox;
let italy: Awaited<ReturnType<typeof importDay>> | undefined;

/** Hold an auction on request whose gate stays open for an hour. */
const hold = (id: string, market: string, more: object = {}): Promise<unknown> =>
  house.post('/auctions', { id, market, gateClosure: new Date(Date.now() + 3_600_000).toISOString(), ...more });

const pair = [
  { record_id: 'plant', side: 'sell', price: 20, power: 50 },
  { record_id: 'town', side: 'buy', price: 80, power: 30 },
  { record_id: 'dreamer', side: 'buy', price: 10, power: 5 },
];

/** Hold, send the three orders, close the gate. */
async function run(id: string, market: string): Promise<void> {
  await hold(id, market);
  await house.post('/orders', { auction: id, orders: pair });
  await house.post(`/auctions/${id}/close`);
}

/** An execution ends a moment after the last state of its auction is written. */
const ended = (id: string) =>
  until(`execution ${id} has ended`, async () => {
    const seen = await house.get<{ execution: Execution; events: ExecutionEvent[] }>(`/executions/${id}`);
    return seen.execution.status !== 'running' && seen;
  });

before(async () => {
  const shipped = await readMarkets(new URL('../../markets', import.meta.url).pathname);
  if (!withoutItaly) italy = await importDay({ folder: italyFolder, day, borders: 'prices', blocks: 'replay' });
  house = await deploy([
    ...shipped,
    marketOf('plain', 'one zone, on request'),
    marketOf('late', 'clearing is late', { rehearsal: { lateResults: { probability: 0.5, seed: 7 } } }),
    marketOf('never', 'clearing has no results', {
      rehearsal: { lateResults: { probability: 1, seed: 1 } },
      patience: { firstSeconds: 1, mostSeconds: 1, attempts: 2 },
    }),
    ...(italy
      ? [marketOf('italy', 'Italian zones', { ...fromBook(italy), timeZone: 'Europe/Rome', orderKinds: ['limit'] })]
      : []),
  ]);
  mail = await openMailbox(house);
});
after(async () => {
  await house?.close();
});

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('the deployed stack', { concurrency: 4 }, () => {
  test('is deployed by one command after another', (t) => {
    t.diagnostic(`seconds: ${JSON.stringify(house.seconds)}`);
    assert.deepEqual(Object.keys(house.seconds), ['bootstrap', 'synth', 'deploy']);
  });

  test('the clock alone makes the auctions of a schedule and closes gates; the hourly tick may come besides', async () => {
    type Auctions = { auctions: { id: string; state: string }[] };
    const id = 'by-the-clock';
    await hold(id, 'plain');
    const { auctions } = house.stores();
    // A chain that begins at the terms holds the house to its gate: this auction is one of before.
    const made = (await auctions.find(id))!;
    const { chain: _, ...unchained } = made;
    assert(await auctions.advance(made, unchained));
    await house.post('/orders', { auction: id, orders: pair });
    // The gate's time is now that the orders are in, however long they took.
    const open = (await auctions.find(id))!;
    assert(await auctions.advance(open, { ...open, gateClosure: new Date().toISOString() }));
    await house.reaches(id, 'settled');
    const { auctions: hourly } = await house.get<Auctions>('/auctions?market=hourly');
    assert(
      hourly.some(({ state }) => state === 'open'),
      'ticks make the auctions of the default market',
    );

    const event = { source: 'aws.events', 'detail-type': 'Scheduled Event', detail: {} };
    assert.equal((await house.invoke('keep-time', event)).error, undefined);
    const known = new Set((await house.get<Auctions>('/auctions?market=hourly')).auctions.map((each) => each.id));
    assert(hourly.every((each) => known.has(each.id)));
    const byDefault = { ...pair[0], record_id: 'by-default' };
    const receipt = await house.post<Receipt & { auction: string }>('/orders', byDefault);
    assert.match(receipt.auction, /^hourly-/);
    assert.deepEqual(await house.post('/orders', byDefault), receipt, 'the same again');
  });

  test('a demo auction by HTTP: prices, outcomes, objects, notices, history, items with a time to live', async () => {
    const id = 'demo-day';
    await hold(id, 'demo', { start: '2099-06-01T00:00:00Z', periods: 2 });
    const orders = [
      { record_id: 'wind', zone: 'NORTH', side: 'sell', period: 1, price: 5, power: 200 },
      { record_id: 'gas', zone: 'SOUTH', side: 'sell', period: 1, price: 90, power: 300 },
      { record_id: 'city', zone: 'CENTRE', side: 'buy', period: 1, price: 120, power: 250 },
      { record_id: 'mill', zone: 'CENTRE', side: 'buy', period: 2, price: 1, power: 10 },
    ];
    const { receipts } = await house.post<{ receipts: Receipt[] }>('/orders', { auction: id, orders });
    assert.equal(new Set(receipts.map(({ sequence }) => sequence)).size, orders.length);
    await house.post(`/auctions/${id}/close`);
    await house.reaches(id, 'settled');

    const { zones } = await house.get<{ zones: Result['prices'] }>(`/auctions/${id}/prices`);
    assert.deepEqual(Object.keys(zones).sort(), ['CENTRE', 'NORTH', 'SOUTH']);
    const city = await house.get<{ outcome: { status: string; power: number } }>(`/orders/city?auction=${id}`);
    assert.deepEqual([city.outcome.status, city.outcome.power], ['accepted', 250]);

    // Objects: the sealed book, the result, the outcomes by page, the accepted ones of it.
    const { clients, outputs } = house;
    const { Contents = [] } = await clients.s3.send(new ListObjectsV2Command({ Bucket: outputs.ResultsBucket }));
    const keys = Contents.map(({ Key }) => Key!).filter((key) => key.includes(id));
    assert.deepEqual(keys.sort(), [
      `books/${id}.json`,
      `orders/${id}/accepted/page-00001.json`,
      `orders/${id}/page-00001.json`,
      `orders/${id}/pages.json`,
      `results/${id}.json`,
    ]);
    const command = new GetObjectCommand({
      Bucket: outputs.ResultsBucket,
      Key: `orders/${id}/accepted/page-00001.json`,
    });
    const accepted = JSON.parse(await (await clients.s3.send(command)).Body!.transformToString());
    assert(accepted.orders.every((order: { status: string }) => order.status !== 'rejected'));

    // Notices: whom the auction disappointed, and that it is settled.
    const rejected = await mail.find('order-rejected', id, 'mill');
    assert.equal((rejected as unknown as { reason: { code: string } }).reason.code, 'out_of_the_money');
    await mail.find('auction-settled', id);

    // The execution, as the house tells it and as Step Functions does.
    const { execution, events } = await ended(`${id}-1`);
    assert.deepEqual([execution.auction, execution.status], [id, 'succeeded']);
    const states = events.filter((event) => event.type.endsWith('StateEntered')).map((event) => event.state);
    for (const state of ['SealBook', 'Clear', 'Verify', 'SettlePages', 'Publish'])
      assert(states.includes(state), state);
    const executionArn = `${outputs.WorkflowArn.replace(':stateMachine:', ':execution:')}:${id}-1`;
    const history = await clients.sfn.send(new GetExecutionHistoryCommand({ executionArn }));
    assert.equal(history.events?.at(-1)?.type, 'ExecutionSucceeded');

    // Once settled, every order may go some day.
    const items = await until('every order has a time to live', async () => {
      const { Items = [] } = await clients.dynamodb.send(new ScanCommand({ TableName: 'orders-dev' }));
      const own = Items.filter((item) => item.record_id?.S?.startsWith(`${id}/`));
      return own.length === orders.length && own.every((item) => item.ttl?.N !== undefined) && own;
    });
    const inHours = (seconds: string) => (Number(seconds) - Date.now() / 1000) / 3600;
    for (const item of items) assert(inHours(item.ttl!.N!) > 20, 'a day must pass after gate closure');
  });

  test('late results: the workflow waits and asks again, and its history shows it', async () => {
    await run('a0', 'late');
    await house.reaches('a0', 'settled');
    const { events } = await ended('a0-1');
    const asked = events.filter((event) => event.type === 'TaskStateEntered' && event.state === 'Clear');
    assert.equal(asked.length, 4);
    assert.equal(events.filter((event) => event.type === 'WaitStateEntered').length, 3);
  });

  test('no results: the auction fails with the cause, the operator is told, and it can be restarted', async () => {
    await run('f0', 'never');
    const { cause } = await house.reaches('f0', 'failed');
    assert.equal(cause, 'NoResults: clearing had no results after 2 attempts');
    const notice = await mail.find('auction-failed', 'f0');
    assert.equal((notice as unknown as { cause: string }).cause, cause);
    await ended('f0-1');
    const { executions } = await house.get<{ executions: Execution[] }>('/executions?auction=f0');
    assert.deepEqual(
      executions.map(({ id, status }) => [id, status]),
      [['f0-1', 'failed']],
    );
    await house.post('/auctions/f0/restart');
    await until('the second run failed, too', async () => {
      const runs = (await house.get<{ executions: Execution[] }>('/executions?auction=f0')).executions;
      return runs.length === 2 && runs.every(({ status }) => status === 'failed');
    });
  });

  test('1,000 orders in one request get 1,000 receipts and 1,000 outcomes', async () => {
    const id = 'thousand';
    await hold(id, 'plain');
    const orders = Array.from({ length: 1000 }, (_, i) => ({
      record_id: `o-${i}`,
      side: i % 2 === 0 ? 'sell' : 'buy',
      price: i % 2 === 0 ? i / 20 : 60 - i / 20,
      power: 1 + (i % 7),
    }));
    const { receipts } = await house.post<{ receipts: Receipt[] }>('/orders', { auction: id, orders });
    assert.equal(new Set(receipts.map(({ sequence }) => sequence)).size, 1000);
    await house.post(`/auctions/${id}/close`);
    const settled = await house.reaches(id, 'settled');
    assert.equal(settled.book?.orders, 1000);
    const page = await house.get<{ orders: { outcome?: object }[] }>(`/orders?auction=${id}&limit=1000`);
    assert.equal(page.orders.filter(({ outcome }) => outcome !== undefined).length, 1000);
  });

  test('the page at /docs finds its document and its script where the gateway has them', async () => {
    const { json: page } = await house.ask('GET', '/docs');
    const [, script] = /<script src="\.(\/docs\/[^"]+)">/.exec(page) ?? [];
    const answer = await house.ask('GET', script!);
    assert.deepEqual([answer.status, answer.json.length > 1_000_000], [200, true]);
    const request = { id: 'located', market: 'plain', gateClosure: new Date(Date.now() + 3_600_000).toISOString() };
    const made = await house.ask('POST', '/auctions', request);
    assert.equal(made.headers.get('location'), 'auctions/located');
    await house.post('/auctions/located/cancel');
  });

  test('an Italian day, posted in batches, gets the 168 prices that were published', {
    skip: withoutItaly,
  }, async (t) => {
    const { auction: id, start, periods, orders } = italy!;
    await hold(id, 'italy', { start, periods });
    const before = performance.now();
    for (let first = 0; first < orders.length; first += 2000)
      await house.post('/orders', { auction: id, orders: orders.slice(first, first + 2000) });
    const posted = performance.now();
    await house.post(`/auctions/${id}/close`);
    await house.reaches(id, 'settled');
    t.diagnostic(
      `${orders.length} orders posted in ${Math.round(posted - before)} ms, settled in ${Math.round(performance.now() - posted)} ms`,
    );
    const { zones } = await house.get<{ zones: Result['prices'] }>(`/auctions/${id}/prices`);
    const { compared, exact, differences } = await compareWithPublished(day, zones);
    t.diagnostic(`${exact} of ${compared} prices are the published ones`);
    assert.deepEqual(differences, []);
    assert.equal(compared, 168);
  });

  test('without a token there is public data only; a token that does not hold is refused everywhere', async () => {
    const anonymous = { authorization: '' };
    for (const path of ['/auctions', '/markets', '/healthz'])
      assert.equal((await house.ask('GET', path, undefined, anonymous)).status, 200, path);
    assert.equal((await house.ask('GET', '/nowhere', undefined, anonymous)).status, 404);
    const claims = {
      iss: 'https://issuer.example.org',
      client_id: 'tests',
      scope: 'merit/operator',
      token_use: 'access',
    };
    const bodies = [{ alg: 'none' }, { alg: 'HS256' }, { alg: 'RS256', kid: 'x' }].map(
      (header) => `${encoded(header)}.${encoded({ ...claims, exp: 4e9 })}.${header.alg === 'none' ? '' : 'c2ln'}`,
    );
    const closed: [method: string, path: string, body?: object][] = [
      ['POST', '/orders', pair],
      ['GET', '/orders?auction=a'],
      ['GET', '/orders/x'],
      ['DELETE', '/orders/x'],
      ['POST', '/auctions', { id: 'mine' }],
      ['POST', '/auctions/a/close'],
      ['GET', '/auctions/a/book'],
      ['GET', '/executions'],
    ];
    for (const [method, path, body] of closed)
      for (const authorization of ['', 'Basic dTpw', ...bodies.map((token) => `Bearer ${token}`)]) {
        const answer = await house.ask(method, path, body, { authorization });
        const { status, code } = problemDetails.parse(answer.json);
        assert.deepEqual([status, code], [401, 'unauthorized'], `${method} ${path} ${authorization}`);
        assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
      }
  });

  test('participant, operator and auditor: each may do its own, and nobody sees what is of others', async () => {
    const id = 'by-role';
    const portfolios = [{ name: 'all', zones: ['Z'] }];
    const of = (name: string, access: 'read' | 'write') => ({
      name,
      roles: [],
      participant: { name, access, portfolios },
    });
    const bearer = async (client: Parameters<Deployment['tokenFor']>[0]) => ({
      authorization: `Bearer ${await house.tokenFor(client)}`,
    });
    const acme = await bearer(of('acme', 'write'));
    const umbra = await bearer(of('umbra', 'write'));
    const reader = await bearer(of('reader', 'read'));
    const operator = await bearer({ name: 'operator', roles: ['operator'] });
    const auditor = await bearer({ name: 'auditor', roles: ['auditor'] });
    const request = { id, market: 'plain', gateClosure: new Date(Date.now() + 3_600_000).toISOString() };
    const refused = async (who: object, ...[method, path, body]: [string, string, object?]) => {
      const { status, detail } = await house.refuse(method, path, body, who as Record<string, string>);
      return [status, detail] as const;
    };
    for (const who of [acme, reader, auditor]) assert.equal((await refused(who, 'POST', '/auctions', request))[0], 403);
    assert.equal((await house.ask('POST', '/auctions', request, operator)).status, 201);
    const batch = { auction: id, orders: pair };
    for (const who of [reader, operator, auditor]) assert.equal((await refused(who, 'POST', '/orders', batch))[0], 403);
    assert.equal((await house.ask('POST', '/orders', batch, acme)).status, 201);
    const [own] = pair;
    const foreign = { auction: id, orders: [{ ...own, record_id: 'other', participant: 'acme' }] };
    assert.equal((await refused(umbra, 'POST', '/orders', foreign))[0], 403);
    const address = `/orders/${own!.record_id}?auction=${id}`;
    assert.equal((await house.ask('GET', address, undefined, acme)).status, 200);
    const [status, said] = await refused(umbra, 'GET', address);
    const [, ofNothing] = await refused(umbra, 'GET', address.replace(own!.record_id, 'nothing'));
    assert.deepEqual([status, said.replace(own!.record_id, 'nothing')], [404, ofNothing]);
    assert.equal((await refused(umbra, 'DELETE', address))[0], 404);
    for (const who of [acme, operator]) assert.equal((await refused(who, 'GET', `/auctions/${id}/book`))[0], 403);
    assert.equal((await house.ask('POST', `/auctions/${id}/close`, {}, operator)).status, 200);
    await house.reaches(id, 'settled');
    const book = await house.ask('GET', `/auctions/${id}/book`, undefined, auditor);
    assert.deepEqual(
      [book.status, book.json.orders.map((order: { participant: string }) => order.participant)],
      [200, pair.map(() => 'acme')],
    );
  });

  test('bad input is refused in the words of the house', async () => {
    const id = 'refused';
    await hold(id, 'plain');
    const cases: [request: Parameters<Deployment['ask']>, status: number, code: string, detail: RegExp][] = [
      [['POST', '/orders', ''], 400, 'invalid-request', /^Request body is empty$/],
      [['POST', '/orders', '{"record_id":'], 400, 'invalid-request', /not JSON/],
      [['POST', '/orders', '42'], 400, 'invalid-request', /send an order, a list/],
      [['POST', '/orders', []], 400, 'invalid-request', /no order in the request/],
      [['POST', '/orders', 'a=1', { 'content-type': 'text/plain' }], 415, 'unsupported-media-type', /text\/plain/],
      [['POST', '/orders', `"${'x'.repeat(4_100_000)}"`], 413, 'too-large', /several requests/],
      [
        ['POST', '/orders', { auction: id, orders: [pair[0], { ...pair[1], price: 0.001 }] }],
        400,
        'invalid-order',
        /./,
      ],
      [['POST', '/orders', { auction: 'no-such', orders: pair }], 404, 'not-found', /no-such/],
      [['GET', '/auctions/no-such'], 404, 'not-found', /no-such/],
      [['GET', '/nowhere'], 404, 'not-found', /nothing at \/nowhere/],
      [['DELETE', '/auctions'], 405, 'method-not-allowed', /GET, HEAD, POST/],
      [['GET', '/auctions?limit=many'], 400, 'invalid-request', /limit/],
      [['POST', '/auctions', '{'], 400, 'invalid-request', /JSON/],
      [['POST', '/auctions', { market: 5 }], 400, 'invalid-request', /model/],
      [['POST', '/auctions', { market: 'plain', gateClosure: '2001-01-01T00:00:00Z' }], 400, 'invalid-request', /./],
    ];
    for (const [request, status, code, detail] of cases) {
      const problem = await house.refuse(...request);
      const name = `${request[0]} ${request[1]} ${JSON.stringify(request[2] ?? '').slice(0, 60)}`;
      assert.deepEqual([problem.status, problem.code], [status, code], `${name}: ${JSON.stringify(problem)}`);
      assert.match(problem.detail, detail, name);
      assert.equal(problem.errorMessage, problem.detail);
    }
    const { problems } = await house.refuse('POST', '/orders', {
      auction: id,
      orders: [pair[0], { ...pair[1], power: -1 }],
    });
    assert.deepEqual([problems[0]?.index, problems[0]?.record_id, problems[0]?.field], [1, 'town', 'power']);
  });

  test('a request that comes twice is one; another body under its id is a conflict; after the gate it is too late', async () => {
    const id = 'twice';
    await hold(id, 'plain');
    const body = { auction: id, orders: pair };
    const first = await house.post<object>('/orders', body);
    assert.deepEqual(await house.post('/orders', body), first);
    const other = { auction: id, orders: [{ ...pair[0], price: 21 }] };
    assert.equal((await house.refuse('POST', '/orders', other)).code, 'conflict');
    await house.post(`/auctions/${id}/close`);
    const late = { auction: id, orders: [{ ...pair[0], record_id: 'late' }] };
    assert.equal((await house.refuse('POST', '/orders', late)).code, 'gate-closed');
    const { book } = await house.reaches(id, 'settled');
    assert.equal(book?.orders, pair.length);
  });

  test('functions refuse events of the wrong shape, and say so by an error', async () => {
    for (const name of ['seal', 'verify', 'publish', 'settle', 'notify-failure'])
      for (const event of [{}, { auction: 'UPPER', run: 1 }, { auction: 'a', run: 0 }])
        assert.equal((await house.invoke(name, event)).error, 'ZodError', `${name} ${JSON.stringify(event)}`);
    assert.equal((await house.invoke('clear', { run: 'one' })).error, 'ZodError');
    for (const name of ['post-orders', 'api']) assert.equal((await house.invoke(name, {})).error, 'ZodError', name);
  });

  test('an execution for an auction that is not there fails; one for a settled auction changes nothing', async () => {
    const { sfn } = house.clients;
    const stateMachineArn = house.outputs.WorkflowArn;
    const start = async (name: string, input: object) =>
      (await sfn.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }))).executionArn;
    const end = (executionArn: string | undefined) =>
      until(`${executionArn} ended`, async () => {
        const { status } = await sfn.send(new DescribeExecutionCommand({ executionArn }));
        return status !== 'RUNNING' && status;
      });
    const nobodys = await start('nobodys', { auction: 'nobodys', run: 1 });
    await run('again', 'plain');
    const settled = await house.reaches('again', 'settled');
    assert.equal(await end(await start('again-by-hand', { auction: 'again', run: 1 })), 'SUCCEEDED');
    assert.deepEqual(await house.get('/auctions/again'), settled);
    assert.equal(await end(nobodys), 'FAILED');
  });

  test('what is started without waiting and fails three times ends in the dead letter queue', async () => {
    const order = { status: 'rejected', power: 7, record_id: 'nobody-waits' };
    await house.start('settle', order);
    const letter = await until('there is a dead letter', async () => {
      const received = new ReceiveMessageCommand({
        QueueUrl: house.outputs.DeadLetters,
        MessageAttributeNames: ['All'],
      });
      return (await house.clients.sqs.send(received)).Messages?.find(({ Body }) => Body?.includes(order.record_id));
    });
    assert.match(JSON.stringify(letter), /Order status is rejected!/);
  });

  test('the contract of the system before: clear answers results and orders, settle takes one of them', async () => {
    await run('original', 'plain');
    await house.reaches('original', 'settled');
    const { answer } = await house.invoke('clear', { auction: 'original' });
    assert.equal(answer.results, true);
    assert.deepEqual(
      answer.orders.map((order: { status: string; power: number }) => [order.status, order.power]),
      [
        ['partially_accepted', 30],
        ['accepted', 30],
        ['rejected', 0],
      ],
    );
    const kept = await house.invoke('settle', answer.orders[1]);
    assert.match(kept.answer.key, /^orders\/order_\d+\.json$/);
    const command = new GetObjectCommand({ Bucket: house.outputs.ResultsBucket, Key: kept.answer.key });
    const object = await (await house.clients.s3.send(command)).Body!.transformToString();
    assert.deepEqual(JSON.parse(object), answer.orders[1]);
    const refused = await house.invoke('settle', { status: 'rejected', power: 2 });
    assert.deepEqual([refused.error, refused.answer.errorMessage], ['OrderRejected', 'Order status is rejected!']);
  });
});

test('cdk destroy leaves no table and no bucket of dev', async () => {
  await house.destroy();
  const { s3, dynamodb } = house.clients;
  const { Buckets = [] } = await s3.send(new ListBucketsCommand());
  assert.deepEqual(
    Buckets.filter(({ Name }) => Name?.startsWith('order-results')),
    [],
  );
  assert.deepEqual((await dynamodb.send(new ListTablesCommand())).TableNames, []);
});

const fromBook = ({ currency, resolution, zones, lines, priceLimits }: NonNullable<typeof italy>) => ({
  currency,
  resolution,
  zones,
  lines,
  priceLimits,
});
