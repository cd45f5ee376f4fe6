/** A house over real adapters in a fresh folder, asked through the app; every answer is held against the document. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { openHouse } from '../src/adapters/local/house.ts';
import { type AppOptions, createApp, routesOf } from '../src/api/app.ts';
import { errorsOf } from '../src/api/openapi.ts';
import { type ProblemDetails, problemDetails, problemTypes } from '../src/api/problems.ts';
import type { Route } from '../src/api/route.ts';
import type { Auction } from '../src/auction/auction.ts';
import type { Ports } from '../src/auction/ports.ts';
import { type Market, parseMarket } from '../src/market/market.ts';

const limits = {
  currency: 'EUR',
  timeZone: 'Europe/Brussels',
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  powerLimits: { lot: 0.1, max: 10_000 },
  patience: { firstSeconds: 0.01, mostSeconds: 0.01, attempts: 5 },
};

/** One zone and one hour by a schedule; two zones and quarter hours on request; days of a clock that changes. */
export const markets: Market[] = [
  {
    ...limits,
    market: 'hourly',
    description: 'one zone, one hour',
    resolution: 'PT60M',
    zones: ['MERIT'],
    orderKinds: ['limit', 'curve', 'block'],
    schedule: { kind: 'interval', every: 'PT1H', gateOpening: 'PT2H', gateClosure: 'PT5M', periods: 1 },
  },
  {
    ...limits,
    market: 'pair',
    description: 'two zones, quarter hours',
    resolution: 'PT15M',
    zones: ['NORTH', 'SOUTH'],
    lines: [{ id: 'NORTH-SOUTH', from: 'NORTH', to: 'SOUTH', capacity: 50, reverse: 50 }],
    orderKinds: ['limit', 'curve'],
    schedule: { kind: 'manual' },
  },
  {
    ...limits,
    market: 'days',
    description: 'days of hours',
    resolution: 'PT60M',
    zones: ['MERIT'],
    orderKinds: ['limit', 'curve'],
    schedule: {
      kind: 'daily',
      gateOpening: { daysBefore: 14, time: '08:00' },
      gateClosure: { daysBefore: 1, time: '12:00' },
    },
  },
].map((market) => parseMarket(market, market.market));

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape, which the document has checked
  readonly json: any;
}

export interface ApiHouse {
  readonly ports: Ports;
  readonly clock: { time: number; now(): Date };
  readonly logged: Record<string, unknown>[];
  /** A body that is not a string is sent as JSON. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer>;
  /** The same for a request that has to fail: its status, and its problem details. */
  refuse(method: string, path: string, body?: unknown): Promise<ProblemDetails>;
  /** Hold an auction whose gate is open. */
  hold(request?: object): Promise<Auction>;
}

export async function openApiHouse(t: TestContext, options: AppOptions = {}): Promise<ApiHouse> {
  const folder = await mkdtemp(join(tmpdir(), 'merit-api-'));
  const clock = { time: Date.parse('2030-01-01T10:30:00Z'), now: () => new Date(clock.time) };
  const logged: Record<string, unknown>[] = [];
  const log = (entry: Record<string, unknown>) => void logged.push(entry);
  const house = await openHouse({ folder, markets, clock, log });
  t.after(async () => {
    await house.close();
    await rm(folder, { recursive: true });
  });
  const app = createApp(house.ports, { log, ...options });
  const routes = routesOf(house.ports);

  const ask: ApiHouse['ask'] = async (method, path, body, headers = {}) => {
    const text = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const type: Record<string, string> = text === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await app.request(path, {
      method,
      headers: { ...type, ...headers },
      ...(text === undefined ? {} : { body: text }),
    });
    const said = await answer.text();
    const isJson = /json/.test(answer.headers.get('content-type') ?? '');
    const json = isJson ? JSON.parse(said) : said;
    holdAgainst(routes, method, path, answer.status, json);
    return { status: answer.status, headers: answer.headers, json };
  };
  return {
    ports: house.ports,
    clock,
    logged,
    ask,
    refuse: async (method, path, body) => {
      const { status, json } = await ask(method, path, body);
      assert(status >= 400, `${method} ${path} was answered ${status}: ${JSON.stringify(json)}`);
      return problemDetails.parse(json);
    },
    hold: async (request = {}) => {
      const { status, json } = await ask('POST', '/auctions', {
        market: 'hourly',
        gateClosure: '2030-01-01T11:00:00Z',
        ...request,
      });
      assert.equal(status, 201, JSON.stringify(json));
      return json;
    },
  };
}

/** An answer that the document does not know is a failure, and so is one that breaks its schema. */
function holdAgainst(routes: readonly Route[], method: string, path: string, status: number, json: unknown): void {
  const { pathname } = new URL(path, 'http://house');
  const fits = (route: Route) => new RegExp(`^${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname);
  const route = routes.find((r) => r.method === method.toLowerCase() && fits(r));
  if (status >= 400) {
    const details = problemDetails.parse(json);
    assert.equal(details.status, status);
    assert.equal(problemTypes[details.code].status, status);
    if (route) assert(errorsOf(route).includes(details.code), `${method} ${path} does not document ${details.code}`);
  } else if (status !== 304) {
    assert(route, `${method} ${path} is not in the document`);
    const answer = route.answers[status];
    assert(answer, `${method} ${path} does not document ${status}`);
    answer.schema?.parse(json);
  }
}
