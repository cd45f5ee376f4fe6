/** The very stack, deployed to an emulator by the CDK: bootstrap, synth and deploy as docs/deploy.md says, and clients for what is there. */

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { CognitoIdentityProviderClient } from '@aws-sdk/client-cognito-identity-provider';
import { type InvocationType, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { type EnvironmentName, environments } from '../../lib/environments.ts';
import { type AwsClients, addClient, type HouseOutputs, type NewClient } from '../../scripts/add-client.ts';
import { awsStores } from '../../src/adapters/aws/stores.ts';
import { type ProblemDetails, problemDetails } from '../../src/api/problems.ts';
import type { Auction } from '../../src/auction/auction.ts';
import type { Ports } from '../../src/auction/ports.ts';
import type { Market } from '../../src/market/market.ts';
import { recordingMeter } from '../support/meter.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type Clients, clientsOf } from './resources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const account = '000000000000';

export interface DeploymentOptions {
  /** Its environment: `dev` unless said. */
  readonly environment?: EnvironmentName;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface Invoked {
  /** The name of its error, when it failed. */
  readonly error?: string;
  // biome-ignore lint/suspicious/noExplicitAny: functions answer in every shape
  readonly answer: any;
}

export interface Deployment {
  readonly emulator: Emulator;
  readonly clients: Clients & { readonly sqs: SQSClient };
  /** What the stack says of itself, by name. */
  readonly outputs: Readonly<
    Record<'ResultsBucket' | 'RejectedTopic' | 'ErrorsTopic' | 'SettledTopic' | 'DeadLetters' | 'WorkflowArn', string>
  >;
  /** How long each command of the CDK took, in seconds. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Do something with its clients, as whoever administers the account. */
  manage<T>(work: (clients: AwsClients, outputs: HouseOutputs) => Promise<T>): Promise<T>;
  /** Make a client as an operator would, and get a token for it. */
  tokenFor(client: NewClient, scopes?: readonly string[]): Promise<string>;
  /**
   * Over the gateway; with the token of a client that may do everything unless the headers say otherwise. A body that is no
   * string is sent as JSON.
   */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same for what has to succeed: its JSON. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: unknown): Promise<T>;
  /** As a client asks that sends its orders and cancellations again when it hears `unavailable`. */
  askAgain: Deployment['ask'];
  /** The same for what has to be refused: its problem details. */
  refuse(...request: Parameters<Deployment['ask']>): Promise<ProblemDetails>;
  invoke(name: string, event: unknown): Promise<Invoked>;
  /** Its tables as whoever administers the account sees them. */
  stores(): Pick<Ports, 'auctions' | 'orders'>;
  /** Without waiting for what becomes of it. */
  start(name: string, event: unknown): Promise<void>;
  reaches(auction: string, ...states: Auction['state'][]): Promise<Auction>;
  /** Take the stack down again, as docs/deploy.md says. */
  destroy(): Promise<void>;
  close(): Promise<void>;
}

/** Every function and client is held to its policies, as on AWS. */
export async function deploy(
  markets: readonly Market[],
  { environment = 'dev' }: DeploymentOptions = {},
): Promise<Deployment> {
  const emulator = await startEmulator({ enforces: true });
  const folder = await mkdtemp(join(tmpdir(), 'merit-deploy-'));
  const { client } = emulator;
  const lambda = new LambdaClient({ ...client, maxAttempts: 1 });
  const sqs = new SQSClient(client);
  const shared = clientsOf(emulator);
  const close = async () => {
    for (const each of [lambda, sqs, shared]) each.destroy();
    await emulator.stop();
    await rm(folder, { recursive: true });
  };
  try {
    const { outputs, seconds, destroy } = await runCdk(emulator, folder, markets, environment);
    const url = gatewayOf(emulator, outputs);
    const invocation = (name: string, event: unknown, InvocationType: InvocationType) =>
      new InvokeCommand({
        FunctionName: `energy-auction-${name}-${environment}`,
        Payload: JSON.stringify(event),
        InvocationType,
      });
    const manage = managing(emulator, shared.dynamodb, outputs as unknown as HouseOutputs);
    const tokenFor = tokensOf(emulator, manage);
    const everything = await tokenFor({
      name: 'tests',
      roles: ['operator', 'auditor'],
      participant: {
        name: 'local',
        access: 'write',
        portfolios: [{ name: 'all', zones: [...new Set(markets.flatMap(({ zones }) => zones))] }],
      },
    });

    const ask: Deployment['ask'] = async (method, path, body, headers = {}) => {
      const isText = typeof body === 'string' || body === undefined;
      const response = await fetch(`${url}${path}`, {
        method,
        redirect: 'manual',
        headers: without({
          authorization: `Bearer ${everything}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        }),
        ...(body !== undefined && { body: isText ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = text !== '' && /\bjson\b/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, json: isJson ? JSON.parse(text) : text };
    };
    /** As the API says, a client that hears `unavailable` may send the same again: an emulator that is slow is no fault. */
    const askAgain: typeof ask = (method, path, ...more) =>
      method === 'GET' || path.startsWith('/orders')
        ? until(`${method} ${path} is answered`, async () => {
            const answer = await ask(method, path, ...more);
            return answer.status !== 503 && answer;
          })
        : ask(method, path, ...more);
    const succeed = async <T>(...request: Parameters<typeof ask>): Promise<T> => {
      const { status, json } = await askAgain(...request);
      if (status >= 300) throw new Error(`${request[0]} ${request[1]}: ${status} ${JSON.stringify(json)}`);
      return json as T;
    };
    return {
      emulator,
      clients: { ...shared, sqs },
      outputs: outputs as Deployment['outputs'],
      seconds,
      manage,
      tokenFor,
      ask,
      askAgain,
      get: (path) => succeed('GET', path),
      post: (path, body = {}) => succeed('POST', path, body),
      refuse: async (...request) => {
        const { status, json } = await ask(...request);
        if (status < 400)
          throw new Error(`${request[0]} ${request[1]} was answered ${status}: ${JSON.stringify(json)}`);
        return problemDetails.parse(json);
      },
      invoke: async (name, event) => {
        const { FunctionError, Payload } = await lambda.send(invocation(name, event, 'RequestResponse'));
        const answer = JSON.parse(Buffer.from(Payload ?? []).toString() || 'null');
        return { ...(FunctionError && { error: answer.errorType }), answer };
      },
      stores: () =>
        awsStores(
          {
            ORDERS_TABLE: `orders-${environment}`,
            INTAKE_TABLE: `intake-${environment}`,
            AUCTIONS_TABLE: `auctions-${environment}`,
            INTAKE_SHARDS: String(environments[environment].intakeShards),
          },
          markets,
          { dynamodb: shared.dynamodb, meter: recordingMeter() },
        ),
      start: async (name, event) => {
        await lambda.send(invocation(name, event, 'Event'));
      },
      reaches: async (id, ...states) => {
        const ends = ['settled', 'failed', 'cancelled', ...states];
        const auction = await until(`auction ${id} is ${states.join(' or ')}`, async () => {
          const seen = await succeed<Auction>('GET', `/auctions/${id}`);
          return ends.includes(seen.state) && seen;
        });
        if (!states.includes(auction.state)) throw new Error(`auction ${id} is ${auction.state}: ${auction.cause}`);
        return auction;
      },
      destroy,
      close,
    };
  } catch (error) {
    const said = await emulator.log();
    await close();
    throw new Error(`the stack was not deployed: ${(error as Error).message}\n${said.slice(-4000)}`, { cause: error });
  }
}

async function runCdk({ environment }: Emulator, folder: string, markets: readonly Market[], chosen: EnvironmentName) {
  const marketsFolder = join(folder, 'markets');
  await mkdir(marketsFolder);
  for (const market of markets) await writeFile(join(marketsFolder, `${market.market}.json`), JSON.stringify(market));
  const seconds: Record<string, number> = {};
  const cdk = async (command: string, ...more: string[]) => {
    const before = performance.now();
    await promisify(execFile)(join(root, 'node_modules/.bin/cdk'), [command, ...more], {
      cwd: root,
      env: { ...process.env, ...environment, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
      maxBuffer: 50_000_000,
    });
    seconds[command] = Math.round((performance.now() - before) / 100) / 10;
  };
  const app = join(folder, 'cdk.out');
  const outputsFile = join(folder, 'outputs.json');
  const context = ['-c', `environment=${chosen}`];
  const stack = `energy-auction-${chosen}`;
  await cdk('bootstrap', `aws://${account}/${environment.AWS_REGION}`, ...context, '-o', join(folder, 'bootstrap'));
  await cdk('synth', '-q', '-o', app, ...context, '-c', `markets=${marketsFolder}`);
  await cdk('deploy', stack, '--app', app, '--require-approval', 'never', '--outputs-file', outputsFile);
  const outputs = JSON.parse(await readFile(outputsFile, 'utf8')) as Record<string, Record<string, string>>;
  return { outputs: outputs[stack]!, seconds, destroy: () => cdk('destroy', stack, '--app', app, '--force') };
}

/** The emulator has all gateways under its own address. */
function gatewayOf({ endpoint }: Emulator, { Url }: Record<string, string>): string {
  const { hostname, pathname } = new URL(Url!);
  return `${endpoint}/restapis/${hostname.split('.')[0]}/${pathname.replaceAll('/', '')}/_user_request_`;
}

/** Headers that are empty are not sent. */
const without = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));

/** Clients of its user pool, their plan and its registry. */
const managing =
  ({ client }: Emulator, dynamodb: Clients['dynamodb'], outputs: HouseOutputs): Deployment['manage'] =>
  async (work) => {
    const cognito = new CognitoIdentityProviderClient(client);
    const gateway = new APIGatewayClient(client);
    try {
      return await work({ cognito, gateway, dynamodb }, outputs);
    } finally {
      cognito.destroy();
      gateway.destroy();
    }
  };

/** The emulator has all user pools under its own address. */
const tokensOf =
  ({ endpoint }: Emulator, manage: Deployment['manage']): Deployment['tokenFor'] =>
  async (wanted, scopes) => {
    const { clientId, clientSecret } = await manage((clients, outputs) => addClient(clients, outputs, wanted));
    const response = await fetch(`${endpoint}/oauth2/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scopes && { scope: scopes.join(' ') }) }),
    });
    const { access_token } = (await response.json()) as { access_token?: string };
    if (access_token === undefined) throw new Error(`no token for ${wanted.name}: ${response.status}`);
    return access_token;
  };

/** A condition, not a time: looks again until it holds, and fails loudly when it has not come true for minutes. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const since = performance.now(); performance.now() - since < patienceMs; ) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`it did not come to pass that ${what}`);
}
/** Nothing takes so long, on the slowest machine. */
const patienceMs = 240_000;
