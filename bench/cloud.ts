/**
 * The functions as they are deployed: sizes of their bundles, cold starts, and what an order costs post-orders once it is warm.
 *
 * A cold start is a new process on one core, from loading the bundle to its first answer. DynamoDB, S3 and SNS are the emulator of
 * the tests, so an answer has waited for it; the processor's own time is told apart. Lambda adds its own start before that.
 */

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle, nodeOptions } from '../lib/bundle.ts';
import { type FunctionName, functionNames } from '../lib/functions.ts';
import { everybody } from '../src/access/identity.ts';
import { awsPorts } from '../src/adapters/aws/ports.ts';
import { createAuction } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { pageKey } from '../src/auction/records/keys.ts';
import type { Environment } from '../src/lambda/environment.ts';
import type { Market } from '../src/market/market.ts';
import { readMarkets } from '../src/settings.ts';
import { startEmulator } from '../test/cloud/emulator.ts';
import { clientsOf, createBucket, createSigningKey, createTables, createTopic } from '../test/cloud/resources.ts';
import { recordingMeter } from '../test/support/meter.ts';

export interface Life {
  readonly bundle: string;
  readonly events: readonly unknown[];
}
export interface Lived {
  readonly loadMs: number;
  readonly answerMs: number;
  /** Of both, the processor's part. */
  readonly coldCpuMs: number;
  readonly restMs: number;
  readonly restCpuMs: number;
  readonly answer: unknown;
}

export async function benchCloud(smoke: boolean): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-bench-'));
  try {
    const markets = await readMarkets(fileURLToPath(new URL('../markets', import.meta.url)));
    const bundles = bundle(functionNames, folder, markets);
    console.log('functions, minified');
    console.table(
      Object.fromEntries(
        functionNames.map((name) => [
          name,
          {
            kB: Math.round(bundles[name].bytes / 1000),
            solver: Object.keys(bundles[name].inputs).some((input) => input.includes('highs')),
          },
        ]),
      ),
    );
    await benchStarts(folder, markets, smoke);
  } finally {
    await rm(folder, { recursive: true });
  }
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: one report from top to bottom
async function benchStarts(folder: string, markets: readonly Market[], smoke: boolean): Promise<void> {
  const emulator = await startEmulator();
  const clients = clientsOf(emulator);
  try {
    const RESULTS_BUCKET = await createBucket(clients.s3);
    const environment: Environment = {
      ...(await createTables(clients.dynamodb, 2)),
      ENVIRONMENT: 'bench',
      RESULTS_BUCKET,
      LOG_BUCKET: RESULTS_BUCKET,
      REJECTED_TOPIC_ARN: await createTopic(clients.sns, 'rejected'),
      ERRORS_TOPIC_ARN: await createTopic(clients.sns, 'errors'),
      NOTICES_TOPIC_ARN: await createTopic(clients.sns, 'settled'),
      WORKFLOW_ARN: 'arn:aws:states:us-east-1:000000000000:stateMachine:none',
      SIGNING_KEYS: await createSigningKey(clients.kms),
      PARTICIPANTS_TABLE: 'none',
      TOKEN_ISSUER: 'https://issuer.example.org/pool',
      TOKEN_KEYS_URL: 'https://issuer.example.org/pool/.well-known/jwks.json',
      REFUSED_USAGE_KEY: 'refused',
      PUBLIC_USAGE_KEY: 'public',
      DASHBOARD_ORIGIN: '*',
    };
    const ports = awsPorts(environment, markets, { ...clients, meter: recordingMeter() });
    const powertools = { POWERTOOLS_SERVICE_NAME: 'bench', POWERTOOLS_METRICS_NAMESPACE: 'bench' };
    const node = { NODE_OPTIONS: nodeOptions };
    const variables = { ...process.env, ...emulator.environment, ...environment, ...powertools, ...node };
    const live = (name: FunctionName, events: readonly unknown[]) =>
      lifeOf({ bundle: join(folder, name, 'index.mjs'), events }, variables);

    const rows = new Map<FunctionName, Lived[]>();
    for (let round = 0; round < (smoke ? 1 : 7); round++) {
      const id = `bench-${round}`;
      const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
      await createAuction(ports, { id, market: 'hourly', gateClosure });
      await submitOrders(ports, { participant: 'local' }, { auction: id, orders: ordersOf('first', 20) });
      const note = async (name: FunctionName, event: unknown) => {
        const lived = await live(name, [event]);
        rows.set(name, [...(rows.get(name) ?? []), lived]);
        return lived.answer;
      };
      await note('post-orders', request('POST', '/orders', { auction: id, orders: ordersOf('cold', 1) }));
      await note('authorize', { ...request('GET', '/auctions'), methodArn: 'arn:aws:execute-api:bench' });
      await note('api', request('GET', `/auctions/${id}`));
      await note('keep-time', {});
      const open = (await ports.auctions.find(id))!;
      await ports.auctions.advance(open, { ...open, state: 'closed' });
      const run = { auction: id, run: 1 };
      await note('seal', run);
      await note('clear', { ...run, attempt: 1 });
      await note('verify', run);
      await note('settle', { ...run, key: pageKey(open, 1) });
      await note('publish', run);
      await note('notify-failure', { ...run, failure: { Error: 'Bench', Cause: 'too late to fail' } });
    }
    console.log('cold starts: milliseconds from loading to the first answer, one core, median and least');
    console.table(
      Object.fromEntries(
        [...rows].map(([name, lives]) => [
          name,
          {
            load: median(lives.map(({ loadMs }) => loadMs)),
            answer: median(lives.map(({ answerMs }) => answerMs)),
            together: median(lives.map(({ loadMs, answerMs }) => loadMs + answerMs)),
            least: least(lives.map(({ loadMs, answerMs }) => loadMs + answerMs)),
            'of which processor': least(lives.map(({ coldCpuMs }) => coldCpuMs)),
          },
        ]),
      ),
    );

    const warm: Record<string, object> = {};
    for (const [batch, requests] of smoke
      ? [[1, 3]]
      : [
          [1, 300],
          [100, 30],
          [1000, 6],
        ]) {
      const id = `warm-${batch}`;
      await createAuction(ports, { id, market: 'hourly', gateClosure: new Date(Date.now() + 3_600_000).toISOString() });
      const events = Array.from({ length: requests! + 5 }, (_, i) =>
        request('POST', '/orders', { auction: id, orders: ordersOf(`w${i}`, batch!) }),
      );
      const { restMs, restCpuMs } = await live('post-orders', events);
      const orders = batch! * (events.length - 1);
      warm[`${batch} a request`] = {
        'ms an order': Number((restMs / orders).toFixed(3)),
        'of which processor': Number((restCpuMs / orders).toFixed(3)),
      };
    }
    console.log('post-orders, warm');
    console.table(warm);
  } finally {
    clients.destroy();
    await emulator.stop();
  }
}

const ordersOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    record_id: `${name}-${i}`,
    side: i % 2 === 0 ? 'sell' : 'buy',
    price: i % 2 === 0 ? 20 + (i % 50) : 80 - (i % 50),
    power: 1 + (i % 9),
  }));

/** As API Gateway's proxy integration sends it. */
const request = (httpMethod: string, path: string, body?: unknown) => ({
  resource: path,
  path,
  httpMethod,
  headers: { 'content-type': 'application/json', host: 'bench' },
  multiValueHeaders: { 'content-type': ['application/json'], host: ['bench'] },
  queryStringParameters: null,
  multiValueQueryStringParameters: null,
  pathParameters: null,
  stageVariables: null,
  requestContext: {
    httpMethod,
    path,
    stage: 'v1',
    requestId: 'bench',
    identity: { sourceIp: '127.0.0.1' },
    authorizer: { identity: JSON.stringify(everybody) }, // as the authorizer hands it on
  },
  body: body === undefined ? null : JSON.stringify(body),
  isBase64Encoded: false,
});

/** On one core, where the system can be told so. */
async function lifeOf(life: Life, env: NodeJS.ProcessEnv): Promise<Lived> {
  const pinned = existsSync('/usr/bin/taskset');
  const child = fork(new URL('cold-start.ts', import.meta.url), {
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(pinned && { execPath: '/usr/bin/taskset', execArgv: ['-c', '0', process.execPath] }),
  });
  child.send(life);
  const [lived] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${life.bundle} ended with ${code}`))),
  ])) as [Lived];
  const { statusCode } = (lived.answer ?? {}) as { statusCode?: number };
  if (statusCode !== undefined && statusCode >= 400) throw new Error(`${life.bundle}: ${JSON.stringify(lived.answer)}`);
  return lived;
}

const least = (values: readonly number[]): number => Number(Math.min(...values).toFixed(1));

const median = (values: readonly number[]): number =>
  Number([...values].sort((a, b) => a - b)[values.length >> 1]!.toFixed(1));
