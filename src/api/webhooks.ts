/** Webhooks of participants: register, list, rotate the key, look at messages and have them sent again (docs/events.md). */

import * as z from 'zod';
import type { Identity } from '../access/identity.ts';
import {
  delivery,
  deliveryStates,
  messageId,
  type Webhooks,
  webhook,
  webhookId,
  webhookKinds,
  webhookWithSecret,
} from '../auction/webhooks.ts';
import { webhookSecret } from '../market/webhook-secret.ts';
import { ownerOf } from './intake.ts';
import { type Route, route } from './route.ts';
import { limit } from './schemas.ts';

const request = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .meta({
        description: 'where messages are posted: a public address, by https',
        examples: ['https://desk.example.com/merit'],
      }),
    kinds: z.array(z.enum(webhookKinds)).min(1).max(webhookKinds.length).exactOptional().meta({
      description: 'what it is told; all unless said',
    }),
    secret: webhookSecret.exactOptional().meta({ description: 'the house makes one unless said' }),
  })
  .meta({ id: 'WebhookRequest' });

const rotation = z.strictObject({ secret: webhookSecret.exactOptional() }).meta({ id: 'WebhookRotation' });
const replay = z
  .strictObject({ messages: z.array(messageId).min(1).max(1000).exactOptional() })
  .meta({ id: 'WebhookReplay', description: 'which messages; all dead ones unless said' });

const params = z.strictObject({ id: webhookId });
const own = (identity: Identity): string => ownerOf(identity).participant;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of routes, each with its schema
export const webhookRoutes = (webhooks: Webhooks): Route[] => [
  route({
    id: 'addWebhook',
    method: 'post',
    path: '/webhooks',
    tag: 'Webhooks',
    summary: 'Have messages posted to an address of yours',
    description: 'The secret that messages are signed with is answered here, and never again.',
    body: request,
    examples: { desk: { url: 'https://desk.example.com/merit', kinds: ['order-rejected', 'auction-settled'] } },
    answers: { 201: { description: 'The webhook, with its secret', schema: webhookWithSecret } },
    errors: ['conflict', 'unavailable'],
    handle: async (c, { body, identity }) => {
      const made = await webhooks.add(own(identity), body);
      return c.json(made, 201);
    },
  }),
  route({
    id: 'listWebhooks',
    method: 'get',
    path: '/webhooks',
    tag: 'Webhooks',
    summary: 'Your webhooks',
    answers: {
      200: {
        description: 'Without their secrets',
        schema: z.strictObject({ webhooks: z.array(webhook) }).meta({ id: 'Webhooks' }),
      },
    },
    handle: async (c, { identity }) => c.json({ webhooks: await webhooks.list(own(identity)) }),
  }),
  route({
    id: 'removeWebhook',
    method: 'delete',
    path: '/webhooks/{id}',
    tag: 'Webhooks',
    summary: 'Delete a webhook with all its messages',
    params,
    answers: { 204: { description: 'It is gone' } },
    errors: ['not-found', 'unavailable'],
    handle: async (c, { params: { id }, identity }) => {
      await webhooks.remove(own(identity), id);
      return c.body(null, 204);
    },
  }),
  route({
    id: 'rotateWebhook',
    method: 'post',
    path: '/webhooks/{id}/rotate',
    tag: 'Webhooks',
    summary: 'Give a webhook a new secret',
    description: 'The one before signs beside it for a day more: each message has a signature of both.',
    params,
    body: rotation.optional(),
    bodyOptional: true,
    answers: { 200: { description: 'The webhook, with its new secret', schema: webhookWithSecret } },
    errors: ['not-found', 'unavailable'],
    handle: async (c, { params: { id }, body, identity }) =>
      c.json(await webhooks.rotate(own(identity), id, body?.secret)),
  }),
  route({
    id: 'listDeliveries',
    method: 'get',
    path: '/webhooks/{id}/deliveries',
    tag: 'Webhooks',
    summary: 'The messages of a webhook, newest first, and what became of them',
    params,
    query: z.strictObject({ state: z.enum(deliveryStates).exactOptional(), limit: limit(100, 1000) }),
    answers: {
      200: {
        description: 'As long as they are kept',
        schema: z.strictObject({ deliveries: z.array(delivery) }).meta({ id: 'Deliveries' }),
      },
    },
    errors: ['not-found'],
    handle: async (c, { params: { id }, query, identity }) =>
      c.json({ deliveries: await webhooks.deliveries(own(identity), id, query) }),
  }),
  route({
    id: 'replayDeliveries',
    method: 'post',
    path: '/webhooks/{id}/replay',
    tag: 'Webhooks',
    summary: 'Have messages sent again, under the ids that they had',
    params,
    body: replay.optional(),
    bodyOptional: true,
    answers: {
      200: {
        description: 'How many',
        schema: z.strictObject({ replayed: z.int() }).meta({ id: 'Replayed' }),
      },
    },
    errors: ['not-found', 'unavailable'],
    handle: async (c, { params: { id }, body, identity }) =>
      c.json({ replayed: await webhooks.replay(own(identity), id, body?.messages) }),
  }),
];
