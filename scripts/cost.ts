/**
 * `npm run cost -- --orders 1000 --auctions-per-day 24`: what a month of a day like this costs, from the stacks' own templates.
 *
 * Options that change the stacks (`--cache edge`, `--workflow express`, `--warm-minutes 5`) are the context of a deployment (docs/cost.md).
 */

import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { App } from 'aws-cdk-lib';
import { featureFlags } from '../lib/context.ts';
import { type CostLine, costOf, type Day } from '../lib/cost/model.ts';
import { asOf, region } from '../lib/cost/prices.ts';
import type { Template } from '../lib/cost/template.ts';
import { addHouse } from '../lib/house.ts';
import { readSettings } from '../lib/settings.ts';

type Chosen = Readonly<Record<string, string>>;

/** The templates of an environment; the functions are not bundled. @throws ContextError for what is wrong of it */
export function templatesOf(chosen: Chosen): Promise<Template[]> {
  const key = JSON.stringify(chosen);
  const made = synthesised.get(key) ?? synthesise(chosen);
  synthesised.set(key, made);
  return made;
}
/** A table of docs/cost.md asks for the same ones again and again. */
const synthesised = new Map<string, Promise<Template[]>>();

async function synthesise(chosen: Chosen): Promise<Template[]> {
  const outdir = await mkdtemp(join(tmpdir(), 'merit-cost-'));
  try {
    const { context } = JSON.parse(readFileSync(new URL('../cdk.json', import.meta.url), 'utf8'));
    const flags = { ...featureFlags(context), 'aws:cdk:bundling-stacks': [] };
    const app = new App({ outdir, context: { ...chosen, ...flags } });
    addHouse(app, await readSettings(app.node));
    return app.synth().stacks.map((stack) => stack.template as Template);
  } finally {
    await rm(outdir, { recursive: true });
  }
}

/** Two digits that count, and never fewer cents than there are. */
export const dollars = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2));

/** By service, the dearest first. */
export function byService(lines: readonly CostLine[]): [service: string, dollars: number][] {
  const groups = Map.groupBy(lines, ({ service }) => service);
  const sums = [...groups].map(([service, some]): [string, number] => [service, sum(some)]);
  return sums.sort((a, b) => b[1] - a[1]);
}

export const sum = (lines: readonly CostLine[]): number => lines.reduce((total, line) => total + line.dollars, 0);

/** What counts of it: the services that are above a tenth of the whole. */
export function dominating(lines: readonly CostLine[]): string {
  const whole = sum(lines);
  const [most] = lines;
  const [service, part] = byService(lines)[0]!;
  const share = (of: number) => `${Math.round((of / whole) * 100)} %`;
  return `${service} dominates with ${share(part)}; the dearest line is ${most!.service}: ${most!.what}, ${share(most!.dollars)}`;
}

const options = {
  orders: { type: 'string' },
  'auctions-per-day': { type: 'string' },
  'orders-per-request': { type: 'string', default: '10' },
  clients: { type: 'string', default: '10' },
  reads: { type: 'string', default: '1000' },
  environment: { type: 'string', default: 'prod' },
  cache: { type: 'string' },
  workflow: { type: 'string' },
  'warm-minutes': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

const usage = `npm run cost -- --orders N --auctions-per-day N   a month in dollars, orders and auctions a day
  [--orders-per-request 10] [--clients 10] [--reads 1000]   of published data, a day
  [--environment prod] [--cache edge] [--workflow express] [--warm-minutes 5]   as deployed
  [--json]`;

/** What is asked for. @throws Error naming what is missing or wrong */
export function askedFor(args: readonly string[]): { day: Day; chosen: Chosen; json: boolean } {
  const { values } = parseArgs({ args: [...args], options });
  const count = (name: 'orders' | 'auctions-per-day' | 'orders-per-request' | 'clients' | 'reads', least = 0) => {
    const text = values[name];
    if (text === undefined) throw new Error(`--${name} is missing`);
    if (!/^\d+$/.test(text) || Number(text) < least)
      throw new Error(`--${name}: expected a whole number from ${least} on, found ${JSON.stringify(text)}`);
    return Number(text);
  };
  const day: Day = {
    orders: count('orders'),
    auctions: count('auctions-per-day', 1),
    ordersPerRequest: count('orders-per-request', 1),
    clients: count('clients'),
    reads: count('reads'),
  };
  const { environment, cache, workflow, 'warm-minutes': warmMinutes, json } = values;
  const chosen = {
    environment,
    ...(cache && { cache }),
    ...(workflow && { workflow }),
    ...(warmMinutes && { warmMinutes }),
  };
  return { day, chosen, json };
}

async function main(): Promise<void> {
  const { day, chosen, json } = askedFor(process.argv.slice(2));
  const { environment } = chosen;
  const lines = costOf(await templatesOf(chosen), day);
  if (json) {
    console.log(JSON.stringify({ environment, day, region, asOf, total: sum(lines), lines }, null, 2));
    return;
  }
  const per = (each: number) => each.toLocaleString('en');
  console.log(
    `${environment}, a month of days of ${per(day.orders)} orders in ${per(day.auctions)} auctions, ${day.ordersPerRequest} orders a request,`,
  );
  console.log(
    `${day.clients} clients, ${per(day.reads)} reads; list prices of ${region} as of ${asOf}, before free tier and tax\n`,
  );
  for (const { service, what, quantity, unit, dollars: price } of lines) {
    const amount = quantity >= 100 ? per(Math.round(quantity)) : String(Number(quantity.toPrecision(3)));
    console.log(
      `${service.padEnd(16)}${what.padEnd(22)}${amount.padStart(16)} ${unit.padEnd(18)}${dollars(price).padStart(10)}`,
    );
  }
  console.log(`${''.padEnd(73)}${dollars(sum(lines)).padStart(10)} dollars a month`);
  console.log(`\n${dominating(lines)}.`);
}

if (import.meta.main)
  try {
    await main();
  } catch (error) {
    console.error(`cost: ${(error as Error).message}\n\n${usage}`);
    process.exitCode = 2;
  }
