/**
 * A whole auction against a house that was just deployed: does it take orders, clear, verify and settle, and at the right price?
 *
 *     npm run smoke -- --outputs outputs.json     # as `cdk deploy --outputs-file` writes them
 *     MERIT_URL=http://127.0.0.1:8080 npm run smoke
 *
 * Who calls is said by the environment: `MERIT_AUTHORIZATION` (the whole header), or `MERIT_CLIENT_ID`, `MERIT_CLIENT_SECRET`
 * and, to narrow it, `MERIT_SCOPE` for a token by client credentials from `MERIT_TOKEN_URL`, or the `TokenUrl` of the outputs. With
 * `--secret NAME` the client is read from Secrets Manager, as `npm run add-client` prints it. The client is an operator and a
 * participant. Ends with 1 and a reason when anything is not as it has to be.
 *
 * A client can be made only once its house is there. So that a first deployment does not fail for that alone, `--skip-without-client`
 * says that no auction was held where there is no client yet, and ends with 0.
 */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

export interface House {
  /** Without a slash at its end. */
  readonly url: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Sell and buy cross between 20, where the last buyer was refused, and 40, where the last seller was: the middle is 30. */
const orders = [
  { record_id: 'wind', side: 'sell', price: 10, power: 80, fate: 80 },
  { record_id: 'plant', side: 'sell', price: 40, power: 50, fate: 0 },
  { record_id: 'town', side: 'buy', price: 60, power: 80, fate: 80 },
  { record_id: 'steel', side: 'buy', price: 20, power: 40, fate: 0 },
] as const;
const expectedPrice = 30;
const answerMs = 60_000;

/**
 * Hold the auction, in the first zone of the house's default market.
 *
 * @param seconds  how long it may take until it is settled
 * @throws AssertionError for an answer that is not what it has to be; Error when the house can't be reached or takes too long
 */
export async function smokeAuction(house: House, id: string, seconds: number): Promise<void> {
  const { default: market, markets } = await ask(house, 'GET', '/markets');
  const zone: string = markets.find((each: { market: string }) => each.market === market).zones[0];
  const gateClosure = new Date(Date.now() + 3_600_000).toISOString();
  await ask(house, 'POST', '/auctions', { id, market, gateClosure });
  const sent = orders.map(({ fate: _, ...order }) => ({ ...order, zone }));
  const { receipts } = await ask(house, 'POST', '/orders', { auction: id, orders: sent });
  assert.equal(receipts.length, orders.length, 'each order has a receipt');
  await ask(house, 'POST', `/auctions/${id}/close`);

  const until = performance.now() + seconds * 1000;
  for (let state = ''; state !== 'settled'; ) {
    const auction = await ask(house, 'GET', `/auctions/${id}`);
    state = auction.state;
    assert(!['failed', 'cancelled'].includes(state), `auction ${id} is ${state}: ${auction.cause}`);
    if (state !== 'settled' && performance.now() > until)
      throw new Error(`auction ${id} is ${state} after ${seconds} s`);
    if (state !== 'settled') await sleep(500);
  }
  const { zones } = await ask(house, 'GET', `/auctions/${id}/prices`);
  assert.equal(zones[zone][0], expectedPrice, `the price in ${zone}`);
  for (const { record_id, fate } of orders) {
    const { outcome } = await ask(house, 'GET', `/orders/${record_id}?auction=${id}`);
    assert.equal(outcome.power, fate, `the power of order ${record_id}`);
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what comes back is what is being checked
async function ask({ url, headers }: House, method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
    signal: AbortSignal.timeout(answerMs),
    ...(body && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert(response.ok, `${method} ${path} is answered ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

type Variables = Readonly<Record<string, string | undefined>>;

/** Nobody has made the client of smoke auctions yet. */
export class NoClient extends Error {
  override readonly name = 'NoClient';
}

/**
 * Where the house is and how to call it.
 *
 * @throws NoClient where its issuer asks for a client and there is none; Error naming what else is missing
 */
export async function findHouse(variables: Variables, outputsFile?: string, secret?: string): Promise<House> {
  const outputs = outputsFile === undefined ? {} : await readOutputs(outputsFile);
  // A workflow hands on a secret that nobody has set as an empty text.
  const url = variables.MERIT_URL || outputs.Url;
  if (!url) throw new Error('where is the house? Say MERIT_URL, or --outputs with a stack that has a Url');
  const client = secret === undefined ? {} : await readSecret(secret);
  const authorization =
    variables.MERIT_AUTHORIZATION || (await readToken({ ...variables, ...client }, outputs.TokenUrl));
  return {
    url: url.replace(/\/+$/, ''),
    headers: authorization === undefined ? {} : { authorization },
  };
}

/** @throws NoClient for a secret that is not there, or in which nobody has put a client; Error when it cannot be read */
async function readSecret(name: string): Promise<Variables> {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const secrets = new SecretsManagerClient({});
  try {
    const { SecretString = '{}' } = await secrets.send(new GetSecretValueCommand({ SecretId: name }));
    const { clientId, clientSecret } = JSON.parse(SecretString) as Record<string, string | undefined>;
    if (!clientId || !clientSecret) throw new NoClient(`nobody has put a client into the secret ${name}`);
    return { MERIT_CLIENT_ID: clientId, MERIT_CLIENT_SECRET: clientSecret };
  } catch (error) {
    if ((error as Error).name === 'ResourceNotFoundException') throw new NoClient(`there is no secret ${name}`);
    if (error instanceof SyntaxError) throw new Error(`the secret ${name} is not the JSON of npm run add-client`);
    throw error;
  } finally {
    secrets.destroy();
  }
}

/** Of the stack that has an API. */
async function readOutputs(file: string): Promise<Readonly<Record<string, string>>> {
  const stacks = Object.values(JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>);
  const houses = stacks.filter((outputs) => Object.hasOwn(outputs, 'Url'));
  if (houses.length !== 1) throw new Error(`${file} has the outputs of ${houses.length} houses, not of one`);
  return houses[0]!;
}

/** By client credentials (RFC 6749, 4.4); nothing when no issuer is named. */
async function readToken(variables: Variables, tokenUrl: string | undefined): Promise<string | undefined> {
  const { MERIT_CLIENT_ID: id, MERIT_CLIENT_SECRET: secret, MERIT_SCOPE: scope } = variables;
  const issuer = variables.MERIT_TOKEN_URL || tokenUrl;
  if (!issuer) return undefined;
  if (!id || !secret) throw new NoClient(`a token of ${issuer} needs MERIT_CLIENT_ID and MERIT_CLIENT_SECRET`);
  const response = await fetch(issuer, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
    signal: AbortSignal.timeout(answerMs),
  });
  if (!response.ok) throw new Error(`${issuer} gives no token: ${response.status}`);
  const { access_token } = (await response.json()) as { access_token?: string };
  if (!access_token) throw new Error(`${issuer} answers without a token`);
  return `Bearer ${access_token}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      outputs: { type: 'string' },
      secret: { type: 'string' },
      seconds: { type: 'string', default: '180' },
      'skip-without-client': { type: 'boolean', default: false },
    },
  });
  const id = `smoke-${Date.now().toString(36)}`;
  const began = performance.now();
  try {
    const house = await findHouse(process.env, values.outputs, values.secret);
    await smokeAuction(house, id, Number(values.seconds));
    console.log(`${id} at ${house.url}: settled at ${expectedPrice} in ${Math.round(performance.now() - began)} ms`);
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof NoClient && values['skip-without-client'])
      console.log(`no smoke auction was held: ${message}. docs/deploy.md says how the client is made.`);
    else {
      console.error(`smoke auction ${id}: ${message}`);
      process.exitCode = 1;
    }
  }
}

if (import.meta.main) await main();
