import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../src/api/app.ts';
import { hourlyMeans } from '../src/api/results.ts';
import { AuctionError } from '../src/market/errors.ts';
import { openApiHouse } from './api-house.ts';

test('createApp() serves each documented route, and documents each route it serves', async (t) => {
  const { ask, ports } = await openApiHouse(t);
  const { json } = await ask('GET', '/openapi.json');
  assert.equal(json.openapi, '3.1.0');
  const documented = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  );
  const served = createApp(ports)
    .routes.filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`);
  assert.deepEqual(documented.toSorted(), served.toSorted());
});

test('GET /openapi.json refers only to schemas that it has, and names each operation once', async (t) => {
  const { ask } = await openApiHouse(t);
  const { json } = await ask('GET', '/openapi.json');
  const referred = JSON.stringify(json).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g);
  for (const [, name] of referred) assert(json.components.schemas[name!], `${name} is missing`);
  assert(!JSON.stringify(json).includes('#/$defs/'));
  const ids = [...JSON.stringify(json.paths).matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert(ids.includes('submitOrders'));
  const required = json.paths['/orders'].get.parameters.map((p: { name: string; required: boolean }) => [
    p.name,
    p.required,
  ]);
  assert.deepEqual(required, [
    ['auction', true],
    ['after', false],
    ['limit', false],
  ]);
});

test('GET /openapi.json has examples that work', async (t) => {
  const { ask, hold } = await openApiHouse(t);
  await hold();
  const { json } = await ask('GET', '/openapi.json');
  type Operation = { requestBody?: { content: Record<string, { examples?: Record<string, { value: unknown }> }> } };
  let tried = 0;
  for (const [path, operations] of Object.entries<Record<string, Operation>>(json.paths))
    for (const [method, { requestBody }] of Object.entries(operations))
      for (const [name, { value }] of Object.entries(requestBody?.content['application/json']?.examples ?? {})) {
        tried += 1;
        const { status, json } = await ask(method.toUpperCase(), path, value);
        assert.equal(status, 201, `${method} ${path} ${name}: ${JSON.stringify(json)}`);
      }
  assert(tried >= 4);
});

test('createApp() answers unknown addresses 404 and unknown methods 405 with Allow', async (t) => {
  const { ask, refuse } = await openApiHouse(t);
  assert.equal((await refuse('GET', '/nowhere')).code, 'not-found');
  assert.equal((await refuse('GET', '/markets/')).code, 'not-found');
  const { status, headers, json } = await ask('PUT', '/orders', {});
  assert.deepEqual([status, json.code, headers.get('allow')], [405, 'method-not-allowed', 'POST, GET, HEAD, DELETE']);
  assert.equal((await ask('DELETE', '/auctions/a')).headers.get('allow'), 'GET, HEAD');
});

test('createApp() answers problem details as application/problem+json, each type with a page of its own', async (t) => {
  const { ask } = await openApiHouse(t);
  const { headers, json } = await ask('GET', '/markets/nowhere');
  assert.equal(headers.get('content-type'), 'application/problem+json');
  assert.equal(json.errorMessage, json.detail);
  assert.deepEqual((await ask('GET', json.type)).json, { code: 'not-found', status: 404, title: json.title });
  assert.equal((await ask('GET', '/problems/constructor')).status, 404);
});

test('createApp() logs an unexpected fault under an id, and answers no more than the id', async (t) => {
  const { ports, logged } = await openApiHouse(t);
  const broken = {
    ...ports,
    auctions: { ...ports.auctions, list: () => Promise.reject(new TypeError('secret inner detail')) },
  };
  const app = createApp(broken, { log: (entry) => void logged.push(entry) });
  const answer = await app.request('/auctions');
  const text = await answer.text();
  assert.equal(answer.status, 500);
  assert(!text.includes('secret'));
  assert.equal(logged[0]?.instance, JSON.parse(text).instance);
  assert.match(String(logged[0]?.error), /secret inner detail/);
});

test('createApp() answers 503 when the store cannot write, and goes on', async (t) => {
  const { ports, hold } = await openApiHouse(t);
  await hold();
  let full = true;
  const append: typeof ports.orders.append = (...given) =>
    full ? Promise.reject(new AuctionError('unavailable', 'the disk is full')) : ports.orders.append(...given);
  const orders = new Proxy(ports.orders, { get: (own, name) => (name === 'append' ? append : Reflect.get(own, name)) });
  const app = createApp({ ...ports, orders });
  const submit = () =>
    app.request('/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"record_id":"a","side":"buy","price":1,"power":1}',
    });
  const refused = await submit();
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '5']);
  full = false;
  assert.equal((await submit()).status, 201);
});

test('createApp() logs a line per request when asked to', async (t) => {
  const { ports, logged } = await openApiHouse(t);
  const app = createApp(ports, { log: (entry) => void logged.push(entry), accessLog: true });
  await app.request('/markets/nowhere?x=1');
  assert.deepEqual(
    logged.map(({ method, path, status }) => ({ method, path, status })),
    [{ method: 'GET', path: '/markets/nowhere', status: 400 }],
  );
});

test('GET / answers links as JSON, and as a page to a browser', async (t) => {
  const { ask, ports } = await openApiHouse(t);
  const { json } = await ask('GET', '/');
  for (const path of Object.keys(json.links)) assert.equal((await ask('GET', path)).status, 200, path);
  const page = await createApp(ports).request('/', { headers: { accept: 'text/html,*/*' } });
  assert.match(await page.text(), /<a href="\/docs">/);
});

test('GET /docs is a page whose script the house serves itself', async (t) => {
  const { ask, ports } = await openApiHouse(t);
  const page = (await ask('GET', '/docs')).json;
  assert.match(page, /<script src="\/docs\/scalar\.js">/);
  assert.doesNotMatch(page, /https?:\/\//);
  assert.equal((await ask('GET', '/docs/scalar.js')).status, 404);
  const app = createApp(ports, { docsScript: async () => 'window.Scalar = {}' });
  const script = await app.request('/docs/scalar.js');
  assert.equal(script.headers.get('content-type'), 'text/javascript; charset=utf-8');
  assert.equal(await script.text(), 'window.Scalar = {}');
});

test('GET /healthz answers while the store does', async (t) => {
  const { ask } = await openApiHouse(t);
  const { json } = await ask('GET', '/healthz');
  assert.deepEqual(json, { status: 'ok', time: '2030-01-01T10:30:00.000Z', markets: ['hourly', 'pair', 'days'] });
});

test('GET /markets lists the markets, the default one named', async (t) => {
  const { ask } = await openApiHouse(t);
  const { json } = await ask('GET', '/markets');
  assert.equal(json.default, 'hourly');
  assert.deepEqual((await ask('GET', '/markets/pair')).json, json.markets[1]);
});

test('hourlyMeans() takes the mean of each whole hour', () => {
  const quarters = { start: '2030-01-01T00:00:00+01:00', resolution: 'PT15M', periods: 10 } as const;
  assert.deepEqual(hourlyMeans(quarters, { A: [1, 2, 3, 4, 0.1, 0.2, 0.3, 0.1, 9, 9] }, {}), {
    start: ['2029-12-31T23:00:00Z', '2030-01-01T00:00:00Z'],
    zones: { A: [2.5, 0.175] },
  });
  assert.equal(hourlyMeans({ ...quarters, resolution: 'PT60M' }, { A: [1] }, {}), undefined);
  assert.equal(hourlyMeans({ ...quarters, periods: 3 }, { A: [1, 2, 3] }, {}), undefined);
});

test('hourlyMeans() leaves out periods without trade, and says of an hour without any that it has no mean', () => {
  const quarters = { start: '2030-01-01T00:00:00Z', resolution: 'PT15M', periods: 8 } as const;
  const means = hourlyMeans(quarters, { A: [1, 1750, 3, 1750, 9, 9, 9, 9] }, { A: [2, 4, 5, 6, 7, 8] });
  assert.deepEqual(means?.zones, { A: [2, null] });
});

test('below a path that it does not know, pages and document refer to the API by where they lie themselves', async (t) => {
  const { ports } = await openApiHouse(t);
  const app = createApp(ports, { root: './' });
  const page = await (await app.request('/docs')).text();
  assert.match(page, /<script src="\.\/docs\/scalar\.js">/);
  assert.match(page, /"url": ?"\.\/openapi\.json"/);
  const landing = await (await app.request('/', { headers: { accept: 'text/html' } })).text();
  assert.match(landing, /<a href="\.\/docs">/);
  const { servers } = (await (await app.request('/openapi.json')).json()) as { servers: object[] };
  assert.deepEqual(servers, [{ url: './' }]);
});
