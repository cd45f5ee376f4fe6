/**
 * What is wrong with orders, families and networks, told by POST /orders, by `merit clear`, or at the latest by the clearing: which order or
 * element it is, and which rule it breaks.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createApp } from '../src/api/app.ts';
import { problemDetails } from '../src/api/problems.ts';
import { closeGate, findAuction } from '../src/auction/auctions.ts';
import { submitOrders } from '../src/auction/intake/submit-orders.ts';
import { clear } from '../src/clearing/clear.ts';
import { type Book, parseBook } from '../src/market/book.ts';
import { orderKinds } from '../src/market/order.ts';
import { run, temporaryFolder } from './cli-house.ts';
import { until } from './ports/workflow.cases.ts';
import { hold, openTestHouse, submit, testMarket } from './support/house.ts';

const block = { kind: 'block', zone: 'Z', side: 'sell', price: 30, from: 1, to: 2, power: 10 };
const flexible = { kind: 'flexible', zone: 'Z', side: 'sell', price: 30, power: 10 };
const unit = { kind: 'complex', zone: 'Z', side: 'sell', condition: 'minimum-profit', fixedTerm: 10 };
const steps = [{ period: 1, price: 10, power: 50 }];

/** What is wrong, who has to be named, the rule's name, and the orders. */
const cases: readonly (readonly [what: string, id: string, code: string, orders: readonly object[]])[] = [
  [
    'a cycle of links',
    'a',
    'link-cycle',
    [
      { ...block, record_id: 'a', linkedTo: 'b' },
      { ...block, record_id: 'b', linkedTo: 'a' },
    ],
  ],
  ['a parent that is missing', 'child', 'unknown-parent', [{ ...block, record_id: 'child', linkedTo: 'nobody' }]],
  [
    'a parent in another zone',
    'child',
    'parent-in-another-zone',
    [
      { ...block, record_id: 'parent', zone: 'Y' },
      { ...block, record_id: 'child', linkedTo: 'parent' },
    ],
  ],
  ['a loop partner that is missing', 'leg', 'unknown-partner', [{ ...block, record_id: 'leg', loopWith: 'nobody' }]],
  [
    'a loop partner in another zone',
    'leg',
    'partner-in-another-zone',
    [
      { ...block, record_id: 'other', zone: 'Y', side: 'buy', loopWith: 'leg' },
      { ...block, record_id: 'leg', loopWith: 'other' },
    ],
  ],
  [
    'a group in two zones',
    'second',
    'group-in-several-zones',
    [
      { ...block, record_id: 'first', exclusiveGroup: 'g' },
      { ...block, record_id: 'second', zone: 'Y', exclusiveGroup: 'g' },
    ],
  ],
  ['a minimum acceptance over 1', 'b', 'too-big', [{ ...block, record_id: 'b', minAcceptance: 1.2 }]],
  ['a minimum acceptance below 0', 'b', 'too-small', [{ ...block, record_id: 'b', minAcceptance: -0.2 }]],
  [
    'a profile with a period twice',
    'b',
    'period-twice',
    [
      {
        ...{ kind: 'block', zone: 'Z', side: 'sell', price: 30, record_id: 'b' },
        profile: [1, 1].map((period) => ({ period, power: 5 })),
      },
    ],
  ],
  [
    'a profile of power 0',
    'b',
    'too-small',
    [{ kind: 'block', zone: 'Z', side: 'sell', price: 30, record_id: 'b', profile: [{ period: 1, power: 0 }] }],
  ],
  [
    'a flexible window shorter than its duration',
    'f',
    'window-too-short',
    [{ ...flexible, record_id: 'f', duration: 3, earliest: 3, latest: 3 }],
  ],
  ['a complex order without steps', 'u', 'too-small', [{ ...unit, record_id: 'u', steps: [] }]],
  [
    'a complex order with falling gradients',
    'u',
    'too-small',
    [{ ...unit, record_id: 'u', steps, loadGradient: { up: -1, down: 5 } }],
  ],
  [
    'contradicting minima',
    'u',
    'min-power-over-steps',
    [{ ...unit, record_id: 'u', steps, minPower: [{ period: 1, power: 60 }] }],
  ],
  [
    'a gradient that the minima contradict',
    'u',
    'gradient-below-minima',
    [
      {
        ...{ ...unit, record_id: 'u', loadGradient: { up: 10, down: 10 } },
        steps: [1, 2].map((period) => ({ period, price: 10, power: 50 })),
        minPower: [{ period: 2, power: 40 }],
      },
    ],
  ],
];

const network = { zones: ['Y', 'Z'], lines: [], orderKinds: [...orderKinds] };
const bookOf = (orders: readonly object[], changes: object = {}): object => ({
  merit: 'book/1',
  auction: 'bad',
  currency: 'EUR',
  start: '2025-04-01T00:00:00+02:00',
  resolution: 'PT60M',
  periods: 4,
  priceLimits: { min: -500, max: 4000, tick: 0.01 },
  zones: ['Y', 'Z'],
  orders,
  ...changes,
});

test('POST /orders refuses bad orders by name and rule, and takes none of the request', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [testMarket(network)] });
  await hold(ports, 'a', { periods: 4 });
  const app = createApp(ports);
  for (const [what, id, code, orders] of cases) {
    const body = JSON.stringify({ auction: 'a', orders });
    const answer = await app.request('/orders', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    const { problems = [] } = problemDetails.parse(await answer.json());
    assert(answer.status >= 400, what);
    const found = problems.find((problem) => problem.record_id === id && problem.code === code);
    assert(found, `${what}: ${JSON.stringify(problems)}`);
    assert(found.message.length > 5 && found.field !== undefined, what);
  }
});

test('a parent that is refused with its own request is told of', async (t) => {
  const { ports } = await openTestHouse(t, { markets: [testMarket(network)] });
  await hold(ports, 'a', { periods: 4 });
  const orders = [
    { ...block, record_id: 'parent', price: 30.001 },
    { ...block, record_id: 'child', linkedTo: 'parent' },
  ];
  await assert.rejects(submit(ports, orders), ({ problems }: { problems: { record_id: string; code: string }[] }) => {
    assert(problems.some(({ record_id, code }) => record_id === 'child' && code === 'parent-refused'));
    return true;
  });
});

test("a group of two participants is two groups: nobody is bound by another's name", async (t) => {
  const { ports } = await openTestHouse(t, { markets: [testMarket(network)] });
  await hold(ports, 'a', { periods: 4 });
  await submit(ports, [{ ...block, record_id: 'b', exclusiveGroup: 'g' }]);
  await submitOrders(
    ports,
    { participant: 'q' },
    {
      auction: 'a',
      orders: [{ ...block, record_id: 'b', zone: 'Y', exclusiveGroup: 'g' }],
    },
  );
});

test('merit clear refuses each of them by file, order and field', { concurrency: true }, async (t) => {
  const folder = await temporaryFolder(t);
  for (const [k, [what, id, , orders]] of cases.entries()) {
    const file = join(folder, `${k}.json`);
    await writeFile(file, JSON.stringify(bookOf(orders)));
    const { code, err } = await run(['clear', file, '-o', join(folder, 'out.json')]);
    assert.equal(code, 2, what);
    assert.match(err, new RegExp(`${k}\\.json: .*order (\\d+ \\()?${id}\\b`), `${what}: ${err}`);
  }
});

const line = { id: 'Y-Z', from: 'Y', to: 'Z', capacity: -10, reverse: 30 };
const limit = (record_id: string, zone: string, side: string, price: number, power: number, period = 2) => ({
  ...{ record_id, zone, side, price, power, period },
});
/** What no orders can mend: the error of the clearing, its rule, and what it is about. */
const hopeless: readonly (readonly [
  what: string,
  message: RegExp,
  code: string,
  orders: readonly object[],
  changes: object,
])[] = [
  [
    'constraints that no net position satisfies',
    /no net positions of the zones keep constraint east, period 2, constraint west, period 2/,
    'constraints-contradict',
    [limit('s', 'Y', 'sell', 10, 50)],
    {
      constraints: [
        { id: 'east', period: 2, ptdf: { Y: 0.5, Z: -0.5 }, ram: -20 },
        { id: 'west', period: 2, ptdf: { Y: -0.5, Z: 0.5 }, ram: 10 },
        { id: 'east', period: 3, ptdf: { Y: 0.5, Z: -0.5 }, ram: 20 },
      ],
    },
  ],
  [
    'a flow that is forced and that nobody serves',
    /no orders serve what is forced by line Y-Z, period 2/,
    'forced-flow-unserved',
    [
      ...[1, 3, 4].flatMap((period) => [
        limit(`s${period}`, 'Z', 'sell', 10, 50, period),
        limit(`b${period}`, 'Y', 'buy', 50, 50, period),
      ]),
      limit('s2', 'Z', 'sell', 10, 50),
      limit('b2', 'Y', 'buy', 50, 4),
    ],
    { lines: [line] },
  ],
  [
    'decisions that no prices support',
    /in period 2 what the network forces takes order only, and no prices within the limits support any choice of it/,
    'no-supporting-prices',
    [
      // Only the block can take what the line brings, and only in part could it bear the price: it is all or nothing.
      ...[1, 3, 4].flatMap((period) => [
        limit(`s${period}`, 'Z', 'sell', 10, 50, period),
        limit(`b${period}`, 'Y', 'buy', 50, 50, period),
      ]),
      limit('s2', 'Z', 'sell', 10, 50),
      limit('load', 'Y', 'buy', 50, 4),
      limit('plant', 'Y', 'sell', 40, 30),
      { kind: 'block', record_id: 'only', zone: 'Y', side: 'buy', price: 20, from: 2, to: 2, power: 15 },
    ],
    { lines: [{ ...line, reverse: 10 }] },
  ],
];

for (const [what, message, code, orders, changes] of hopeless) {
  test(`merit clear, and a house at its clearing, say what is wrong: ${what}`, async (t) => {
    const book = parseBook(bookOf(orders, changes)) satisfies Book;
    const file = join(await temporaryFolder(t), 'book.json');
    await writeFile(file, JSON.stringify(book));
    const { code: exit, err } = await run(['clear', file, '-o', `${file}.out`]);
    assert.notEqual(exit, 0, what);
    assert.match(err, message);

    await assert.rejects(clear(book, 'sha256:'), (error: { code: string; problems: { code: string }[] }) => {
      assert.equal(error.code, 'invalid-book');
      assert.deepEqual([...new Set(error.problems.map((problem) => problem.code))], [code]);
      return true;
    });

    const { lines, constraints } = book;
    const { ports } = await openTestHouse(t, { markets: [testMarket({ ...network, lines, constraints })] });
    await hold(ports, 'a', { periods: 4 });
    await submit(ports, orders);
    await closeGate(ports, 'a');
    const failed = await until('the auction fails', async () => {
      const auction = await findAuction(ports, 'a');
      return auction.state === 'failed' ? auction : undefined;
    });
    assert.match(failed.cause ?? '', message);
  });
}
