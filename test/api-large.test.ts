/** Answers where they have a limit, as in the cloud: pages end before it, files and lists lie in the archive, bodies are not too deep. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { everybody } from '../src/access/identity.ts';
import { createApp } from '../src/api/app.ts';
import { closeGate } from '../src/auction/auctions.ts';
import type { Ports } from '../src/auction/ports.ts';
import { bookHash } from '../src/book/seal.ts';
import { HouseClient } from '../src/cli/house-client.ts';
import { hold, openTestHouse, reaches, submit, tradingOrders } from './support/house.ts';

const largest = 3000;
/** Whoever sent the orders, and may read everything. */
const options = { log: () => undefined, identify: async () => ({ ...everybody, participant: 'p' }) };

/** A house whose archive others can reach, and an app over it whose answers have a limit; one auction is settled. */
async function openLimited(t: TestContext) {
  const { ports: local } = await openTestHouse(t);
  const located: string[] = [];
  const locate: Ports['archive']['locate'] = async (key) => {
    const text = await local.archive.read(key);
    if (text === undefined) return undefined;
    located.push(key);
    return { url: `https://archive.example.org/${key}?signed`, bytes: Buffer.byteLength(text) };
  };
  const ports: Ports = { ...local, archive: { ...local.archive, locate } };
  await hold(local);
  await submit(local);
  for (let i = 0; i < 40; i++)
    await submit(local, [{ record_id: `o${i}`, side: 'sell', price: 90 + i / 10, power: 1 }]);
  await closeGate(local, 'a');
  await reaches(local, 'a', 'settled');
  const limited = createApp(ports, { ...options, largestAnswer: largest });
  const whole = createApp(local, options);
  return { ports, limited, whole, located };
}

const fetched = async (ports: Ports, response: Response): Promise<string> => {
  assert.equal(response.status, 307);
  assert.equal(response.headers.get('cache-control'), 'no-store', 'nobody keeps the address');
  assert.equal(await response.text(), '');
  const { pathname } = new URL(response.headers.get('location')!);
  return (await ports.archive.read(pathname.slice(1)))!;
};

test('a book and a result that are too large are fetched from the archive, where they lie', async (t) => {
  const { ports, limited, whole } = await openLimited(t);
  for (const what of ['book', 'result'] as const) {
    const response = await limited.request(`/auctions/a/${what}`);
    assert.match(response.headers.get('location')!, new RegExp(`/${what}s/a.json\\?signed$`));
    const text = await fetched(ports, response);
    assert.deepEqual(JSON.parse(text), await (await whole.request(`/auctions/a/${what}`)).json());
    if (what === 'book') assert.equal(bookHash(JSON.parse(text)), (await ports.auctions.find('a'))!.book!.hash);
    const etag = response.headers.get('etag')!;
    assert.equal((await limited.request(`/auctions/a/${what}`, { headers: { 'if-none-match': etag } })).status, 304);
  }
});

test('merit follows to where a book lies, and takes its token to the house alone', async (t) => {
  const { ports, limited, whole } = await openLimited(t);
  const asked: { path: string; authorization: string | undefined }[] = [];
  const serve = async (answer: (path: string) => Promise<{ status: number; headers: object; body: string }>) => {
    const server = createServer(async ({ url, headers: { authorization } }, response) => {
      asked.push({ path: url!, authorization });
      const { status, headers, body } = await answer(url!);
      response.writeHead(status, { ...headers }).end(body);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const archive = await serve(async (path) => {
    const body = (await ports.archive.read(new URL(path, 'http://archive').pathname.slice(1)))!;
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  });
  const house = await serve(async (path) => {
    const { status, headers } = await limited.request(path);
    const location = headers.get('location')!.replace('https://archive.example.org', archive);
    return { status, headers: { location }, body: '' };
  });
  const text = await new HouseClient(house, 'secret').text('/auctions/a/book');
  assert.deepEqual(JSON.parse(text), await (await whole.request('/auctions/a/book')).json());
  assert.deepEqual(asked, [
    { path: '/auctions/a/book', authorization: 'Bearer secret' },
    { path: '/books/a.json?signed', authorization: undefined },
  ]);
});

test('curves that are too large are made once, and fetched from the archive', async (t) => {
  const { ports, limited, whole } = await openLimited(t);
  const small = createApp(ports, { ...options, largestAnswer: 200 });
  const response = await small.request('/auctions/a/curves');
  const text = await fetched(ports, response);
  assert.deepEqual(JSON.parse(text), await (await whole.request('/auctions/a/curves')).json());
  assert.equal((await small.request('/auctions/a/curves')).headers.get('location'), response.headers.get('location'));
  const prices = await limited.request('/auctions/a/prices');
  assert.equal(prices.status, 200, 'what is small enough is answered');
  assert.match(prices.headers.get('cache-control')!, /immutable/);
  assert.match(prices.headers.get('content-type')!, /json/);
});

test('pages of orders end before the limit, and going on from `next` finds each order once', async (t) => {
  const { limited, whole } = await openLimited(t);
  type Page = { orders: { record_id: string }[]; next?: number };
  const ids = (page: Page) => page.orders.map(({ record_id }) => record_id);
  const page = async (app: typeof limited, query: string) => {
    const response = await app.request(`/orders?auction=a${query}`);
    assert.equal(response.status, 200);
    const text = await response.text();
    return { bytes: text.length, ...(JSON.parse(text) as Page) };
  };
  const found: string[] = [];
  let pages = 0;
  for (let next: number | undefined = 0; next !== undefined; pages++) {
    const one: Page & { bytes: number } = await page(limited, `&after=${next}`);
    assert(one.bytes <= largest, `${one.bytes} bytes`);
    found.push(...ids(one));
    next = one.next;
  }
  t.diagnostic(`${pages} pages`);
  assert(pages > 3);
  const all = await page(whole, '');
  assert.equal(found.length, 40 + tradingOrders.length);
  assert.deepEqual(found, ids(all), 'on one machine it is one page');
  assert.deepEqual(ids(await page(limited, '&limit=2')), found.slice(0, 2));
});

test('any other answer that is too large is fetched from the archive, too', async (t) => {
  const { ports, limited, whole } = await openLimited(t);
  const small = createApp(ports, { ...options, largestAnswer: 100 });
  for (const path of ['/markets', '/executions/a-1', '/executions']) {
    const text = await fetched(ports, await small.request(path));
    assert.deepEqual(JSON.parse(text), await (await whole.request(path)).json(), path);
  }
  assert.equal((await limited.request('/nowhere')).status, 404);
});

test('what is not published has no tag: any tag gets the same refusal', async (t) => {
  const { ports } = await openTestHouse(t);
  await hold(ports);
  const app = createApp(ports, options);
  for (const what of ['prices', 'flows', 'result', 'book', 'curves'])
    for (const tag of ['*', `"${what}-open-undefined"`, `"${what}-sealed-undefined"`]) {
      const response = await app.request(`/auctions/a/${what}`, { headers: { 'if-none-match': tag } });
      assert.equal(response.status, 409, `${what} ${tag}`);
    }
});

test('a body whose lists lie too deep within each other is a mistake of whoever sent it, wherever it goes', async (t) => {
  const { ports, logged } = await openTestHouse(t);
  const app = createApp(ports, { log: (entry) => logged.push(entry) });
  await hold(ports);
  const deep = '['.repeat(100_000);
  for (const body of [deep, `${deep}${']'.repeat(100_000)}`, `{"record_id":${'{"a":'.repeat(65)}1${'}'.repeat(66)}`])
    for (const path of ['/orders', '/auctions', '/auctions/a/cancel']) {
      const response = await app.request(path, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      const { code, problems } = (await response.json()) as { code: string; problems: { code: string }[] };
      assert.deepEqual([response.status, code, problems[0]?.code], [400, 'invalid-request', 'too-deep']);
    }
  assert.deepEqual(
    logged.filter(({ event }) => event === 'request-failed'),
    [],
  );
});

test('statements as CSV have no limit either', async (t) => {
  const { ports, whole, located } = await openLimited(t);
  const limited = createApp(ports, { ...options, largestAnswer: 100 });
  const path = '/statements.csv?day=2025-04-01';
  const csv = await (await whole.request(path)).text();
  assert.equal(csv.split('\r\n').length, 4);
  assert.equal(await fetched(ports, await limited.request(path)), csv);
  assert.match(located.at(-1)!, /\.csv$/);
});
