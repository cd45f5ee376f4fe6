import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instant } from './time.ts';

test('instant takes what has one reading only, as RFC 3339 writes it', () => {
  for (const [given, wanted] of [
    ['2025-04-01T00:00:00+02:00', '2025-04-01T00:00:00+02:00'],
    ['2025-09-28T22:00Z', '2025-09-28T22:00:00Z'],
    ['2030-01-01 12:00:00+00:00', '2030-01-01T12:00:00+00:00'],
    ['2030-01-01t12:00:00.5z', '2030-01-01T12:00:00.5Z'],
  ] as const)
    assert.equal(instant.parse(given), wanted);
});

test('instant says what is missing', () => {
  const messageOf = (text: string) => instant.safeParse(text).error?.issues[0]?.message;
  for (const text of ['2030-01-01T12:00:00', '2030-01-01 12:00'])
    assert.match(messageOf(text)!, /has no offset, so it is no instant: write Z/);
  for (const text of ['2030-02-30T12:00:00Z', '2030-01-01', 'now', '2030-01-01T25:00Z', ''])
    assert.match(messageOf(text)!, /is no instant, such as/);
});
