/** An order and its outcome by the generated types; prints what it has read. The caller compiles it, so every field is checked. */

import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const [url = '', token = '', auction = ''] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { authorization: `Bearer ${token}` } });

const orders: components['schemas']['OrderSubmission'][] = [
  { record_id: 'limit', kind: 'limit', side: 'buy', price: 50, power: 10, period: 1 },
  { record_id: 'curve', kind: 'curve', shape: 'step', points: [{ price: 20, power: -10 }], period: 1 },
  { record_id: 'block', kind: 'block', side: 'buy', price: 40, from: 1, to: 2, power: 3, minAcceptance: 1 },
];

const submitted = await client.POST('/orders', { params: { query: { auction } }, body: { orders } });
if (submitted.error) throw new Error(submitted.error.code);
const { data: view, error } = await client.GET('/orders/{record_id}', {
  params: { path: { record_id: 'block' }, query: { auction } },
});
if (error) throw new Error(error.code);
const dust = await client.POST('/orders', {
  params: { query: { auction } },
  body: { record_id: 'dust', kind: 'limit', side: 'buy', price: 50, power: 1e-9, period: 1 },
});

/** A kind narrows an order to its own fields. */
const from: number | undefined = view.order.kind === 'block' ? view.order.from : undefined;
console.log(JSON.stringify({ state: view.state, kind: view.order.kind, from, refused: dust.error?.code }));
