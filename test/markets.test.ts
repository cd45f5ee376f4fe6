/** The market files that come along, and the orders that the API's document shows for them. */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { admit } from '../src/book/admission.ts';
import { termsOf } from '../src/book/terms.ts';
import { deliveryDay } from '../src/market/calendar.ts';
import { market, parseMarket } from '../src/market/market.ts';
import { orderKinds, orderSubmission } from '../src/market/order.ts';

const folder = fileURLToPath(new URL('../markets/', import.meta.url));
const read = (file: string) => parseMarket(JSON.parse(readFileSync(`${folder}${file}`, 'utf8')), file);

test('parseMarket() takes each market file that comes along', () => {
  const files = globSync('*.json', { cwd: folder });
  assert(files.length >= 3);
  for (const file of files) assert.equal(`${read(file).market}.json`, file);
});

test('each market that comes along limits its search, and the workflow lasts as long as it is patient', () => {
  const { TimeoutSeconds, States } = JSON.parse(readFileSync(`${folder}../workflow/auction.asl.json`, 'utf8'));
  for (const file of globSync('*.json', { cwd: folder })) {
    const { clearing, patience } = read(file);
    const { millisecondsPerCall, publishAfterSeconds } = clearing!;
    // Some call begins before that time and ends after it.
    assert(patience.attempts * (millisecondsPerCall! / 1000) > publishAfterSeconds!, file);
    const slowest = patience.attempts * (States.Clear.TimeoutSeconds + patience.mostSeconds);
    assert(slowest < TimeoutSeconds / 2, `${file}: up to ${slowest} s`);
  }
});

test('the day-ahead market takes an example of each kind of order that the document shows', () => {
  const dayAhead = read('day-ahead.json');
  const examples = orderSubmission.meta()!.examples as { kind?: string }[];
  assert.deepEqual(
    examples.map(({ kind = 'limit' }) => kind),
    [...orderKinds],
  );
  const admission = admit(
    examples,
    termsOf(dayAhead, deliveryDay('2026-03-29', dayAhead.timeZone, dayAhead.resolution)),
  );
  assert.deepEqual('problems' in admission && admission.problems, false);
});

test('docs/markets.md has every key of a market file, and its example is one', () => {
  const text = readFileSync(`${folder}../docs/markets.md`, 'utf8');
  const words = new Set([...text.matchAll(/`([^`\n]+)`/g)].flatMap(([, word]) => word!.split('.')));
  const named = new Set<string>();
  const visit = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [key, value] of Object.entries(schema)) {
      if (key === 'properties') for (const name of Object.keys(value as object)) named.add(name);
      visit(value);
    }
  };
  visit(z.toJSONSchema(market, { io: 'input' }));
  assert(named.size > 40, `${named.size} keys`);
  assert.deepEqual([...named].filter((name) => !words.has(name)).sort(), []);
  const [, example] = /```json\n([^`]+)```/.exec(text)!;
  assert.equal(parseMarket(JSON.parse(example!), 'docs/markets.md').market, 'village');
});
