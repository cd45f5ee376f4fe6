/** Whether the house is there, and whether it is well. */

import type { Context } from 'hono';
import * as z from 'zod';
import type { Ports } from '../auction/ports.ts';
import { type Finding, health, worst } from '../auction/views/health.ts';
import { instant } from '../market/time.ts';
import { type Route, route } from './route.ts';

/** @param findings  of a house that looks after itself; without it whether the store answers is all that is known */
export function healthRoutes(ports: Ports, findings?: () => Promise<readonly Finding[]>): Route[] {
  const answerHealth = async (c: Context) => {
    const found = await findings?.();
    if (found === undefined) await ports.auctions.list({ limit: 1 });
    const status = worst(found ?? []);
    const body: z.output<typeof health> = {
      status,
      time: ports.clock.now().toISOString(),
      markets: [...ports.markets.keys()],
      ...(found && { findings: [...found] }),
    };
    return c.json(body, status === 'failing' ? 503 : 200);
  };
  const answers = {
    200: { description: 'It is, though something may need a person (`warning`)', schema: health },
    503: { description: 'It is not: what was found, and what helps', schema: health },
  };
  return [
    route({
      id: 'checkHealth',
      method: 'get',
      path: '/healthz',
      tag: 'House',
      summary: 'Whether the house is up and well',
      answers,
      handle: answerHealth,
    }),
    route({
      id: 'checkReadiness',
      method: 'get',
      path: '/readyz',
      tag: 'House',
      summary: 'The same, by the name that some platforms ask for',
      answers,
      handle: answerHealth,
    }),
    route({
      id: 'checkLiveness',
      method: 'get',
      path: '/livez',
      tag: 'House',
      summary: 'Whether the process answers, whatever else is wrong: a restart would not mend it',
      answers: { 200: { description: 'It does', schema: z.strictObject({ time: instant }).meta({ id: 'Liveness' }) } },
      handle: (c) => c.json({ time: ports.clock.now().toISOString() }),
    }),
  ];
}
