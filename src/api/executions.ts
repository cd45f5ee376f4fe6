/** Executions: the runs of the auction workflow, with their history. */

import * as z from 'zod';
import type { Ports } from '../auction/ports.ts';
import { auctionId } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { instant } from '../market/time.ts';
import { elsewhere } from './large-answers.ts';
import { type Route, route } from './route.ts';
import { limit } from './schemas.ts';

const executionId = z.string().regex(/^[a-z0-9-]{1,80}$/, '{auction}-{run}');

const execution = z
  .strictObject({
    id: executionId,
    auction: auctionId,
    status: z.enum(['running', 'succeeded', 'failed']),
    startedAt: instant,
    endedAt: instant.exactOptional(),
    cause: z.string().exactOptional(),
  })
  .meta({ id: 'Execution' });

const executions = z.strictObject({ executions: z.array(execution) }).meta({ id: 'Executions' });

const history = z
  .strictObject({
    execution,
    events: z.array(
      z.strictObject({
        at: instant,
        type: z.string(),
        state: z.string().exactOptional().meta({ description: 'name of the state in the workflow file' }),
        detail: z.unknown().exactOptional(),
      }),
    ),
  })
  .meta({ id: 'ExecutionHistory' });

export const executionRoutes = (ports: Ports): Route[] => [
  route({
    id: 'listExecutions',
    method: 'get',
    path: '/executions',
    tag: 'Executions',
    summary: 'Runs of the workflow, newest first',
    query: z.strictObject({ auction: auctionId.exactOptional(), limit: limit(100, 1000) }),
    answers: { 200: { description: 'The runs', schema: executions }, ...elsewhere },
    handle: async (c, { query }) => c.json({ executions: await ports.workflow.list(query) }),
  }),
  route({
    id: 'readExecution',
    method: 'get',
    path: '/executions/{id}',
    tag: 'Executions',
    summary: 'One run with its events in order',
    params: z.strictObject({ id: executionId }),
    answers: { 200: { description: 'The run and what happened in it', schema: history }, ...elsewhere },
    errors: ['not-found'],
    handle: async (c, { params: { id } }) => {
      const [execution, events] = await Promise.all([ports.workflow.find(id), ports.workflow.history(id)]);
      if (!events || !execution) throw new AuctionError('not-found', `there is no execution ${id}`);
      return c.json({ execution, events });
    },
  }),
];
