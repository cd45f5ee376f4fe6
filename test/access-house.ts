/** A house with its own issuer and a client of each kind, asked through the app. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { everybody } from '../src/access/identity.ts';
import { scopesOfRole } from '../src/access/roles.ts';
import { type LocalAccess, openAccess } from '../src/adapters/local/access/access.ts';
import { openHouse } from '../src/adapters/local/house.ts';
import { createApp, routesOf } from '../src/api/app.ts';
import { identifyBearer } from '../src/api/identify.ts';
import { problemDetails } from '../src/api/problems.ts';
import type { Route } from '../src/api/route.ts';
import type { Ports } from '../src/auction/ports.ts';
import type { Portfolio } from '../src/market/portfolio.ts';
import { markets } from './api-house.ts';

/** `acme` and `umbra` may write, `reader` may read; `loose` has the scopes of a participant and is none. */
export const callers = ['none', 'acme', 'umbra', 'reader', 'operator', 'auditor', 'loose'] as const;
export type Caller = (typeof callers)[number];

export interface AccessAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly json: any;
}

export interface AccessHouse {
  readonly ports: Ports;
  readonly access: LocalAccess;
  readonly clock: { time: number; now(): Date };
  readonly routes: readonly Route[];
  ask(caller: Caller, method: string, path: string, body?: object): Promise<AccessAnswer>;
  /** With any headers, an `authorization` among them. */
  send(method: string, path: string, headers: Record<string, string>, body?: object | string): Promise<AccessAnswer>;
}

export const everywhere: Portfolio = { name: 'all', zones: ['MERIT', 'NORTH', 'SOUTH'] };

export async function openAccessHouse(
  t: TestContext,
  portfolios: readonly Portfolio[] = [everywhere],
): Promise<AccessHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-access-'));
  const clock = { time: Date.parse('2030-01-01T10:30:00Z'), now: () => new Date(clock.time) };
  const house = await openHouse({ folder, markets, clock, log: () => {} });
  const access = openAccess(folder, clock);
  t.after(async () => {
    access.close();
    await house.close();
    await rm(folder, { recursive: true });
  });
  const { clients } = access;
  const of = (client: string) => ({ participant: client, client });
  clients.addParticipant({ ...of('acme'), access: 'write', portfolios });
  clients.addParticipant({ ...of('umbra'), access: 'write', portfolios: [everywhere] });
  clients.addParticipant({ ...of('reader'), access: 'read', portfolios: [everywhere] });
  for (const role of ['operator', 'auditor'] as const) clients.add(role, scopesOfRole(role));
  clients.add('loose', scopesOfRole('participant'));
  const tokens = new Map<Caller, string>();
  for (const caller of callers)
    if (caller !== 'none') tokens.set(caller, (await access.issue(caller, undefined, 24 * 3600)).token);
  const options = {
    identify: identifyBearer(access.identify),
    issuer: access,
    metrics: house.metrics,
    webhooks: house.webhooks,
    // Streams end as they begin: here an answer is read to its end.
    events: { log: house.events, stop: AbortSignal.abort(), addressOf: () => 'here', cut: () => {} },
    tokens: { tokenUrl: '/oauth2/token' },
    log: () => {},
  };
  const app = createApp(house.ports, options);

  const send: AccessHouse['send'] = async (method, path, headers, body) => {
    const text = typeof body === 'object' ? JSON.stringify(body) : body;
    const type: Record<string, string> = typeof body === 'object' ? { 'content-type': 'application/json' } : {};
    const answer = await app.request(path, {
      method,
      headers: { ...type, ...headers },
      ...(text !== undefined && { body: text }),
    });
    const said = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    const { status } = answer;
    const json = isJson && said ? JSON.parse(said) : said;
    if ((status === 401 || status === 403) && json && !path.startsWith('/oauth2/')) {
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      assert.equal(problemDetails.parse(json).code, status === 401 ? 'unauthorized' : 'forbidden');
      if (status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer realm="merit"/);
    }
    return { status, headers: answer.headers, json };
  };
  return {
    ports: house.ports,
    access,
    clock,
    routes: routesOf(house.ports, options),
    send,
    ask: (caller, method, path, body) =>
      send(method, path, caller === 'none' ? {} : { authorization: `Bearer ${tokens.get(caller)}` }, body),
  };
}

/** Hold an auction, as an operator would. */
export async function hold({ ask }: AccessHouse, request: object = {}): Promise<string> {
  const { status, json } = await ask('operator', 'POST', '/auctions', {
    market: 'hourly',
    gateClosure: '2030-01-01T11:00:00Z',
    ...request,
  });
  assert.equal(status, 201, JSON.stringify(json));
  return json.id;
}

/** In a house without access control whoever calls is this one, under another name. */
export const calledBy = (participant: string) => ({ identify: async () => ({ ...everybody, participant }) });
