import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readStrictJson } from './json.ts';

/** The places at which a text is open, with their codes. */
const found = (text: string): string[] => readStrictJson(text).problems.map(({ field, code }) => `${field} ${code}`);

test('readStrictJson() names each key that an object has twice, however it is written', () => {
  assert.deepEqual(found('{"a":1,"b":{"c":[{"d":1,"e":2,"d":3}]}}'), ['b.c.0.d repeated-key']);
  assert.deepEqual(found('{"a":[0,{"x":1},{"x":1,"\\u0078":1}],"a":{}}'), ['a.2.x repeated-key', 'a repeated-key']);
  assert.deepEqual(found('{"\\"":1,"\\\\":2,"a":"\\"a\\":\\\\","b":"{,[:"}'), []);
  assert.deepEqual(found('[{"a":1},{"a":1}]'), []);
});

test('readStrictJson() names keys that JavaScript has a meaning for', () => {
  assert.deepEqual(found('{"prices":{"__proto__":[1]}}'), ['prices.__proto__ reserved-key']);
  assert.deepEqual(found('{"flows":{"\\u005f_proto__":[1],"a":{"constructor":0}}}'), [
    'flows.__proto__ reserved-key',
    'flows.a.constructor reserved-key',
  ]);
  assert.deepEqual(found('{"record_id":"__proto__"}'), [], 'a value is none');
});

test('readStrictJson() names numbers that are not the decimal that was written', () => {
  assert.deepEqual(found('{"a":[1.0000000000000000001]}'), ['a.0 too-many-digits']);
  assert.deepEqual(found('{"a":-9007199254740993}'), ['a too-many-digits']);
  assert.deepEqual(found('{"a":1e-400,"b":1e400,"c":-1e400}'), ['a too-many-digits', 'b too-large', 'c too-large']);
  assert.deepEqual(found('{"a":0.10000000000000001}'), ['a too-many-digits'], 'the nearest is 0.1');
});

test('readStrictJson() takes every way to write the decimal that is read', () => {
  for (const text of [
    '30',
    '30.0',
    '30.000000000000000000',
    '3e1',
    '0.3E+2',
    '-0',
    '0e9',
    '0.30000000000000004',
    '1e-7',
  ])
    assert.deepEqual(found(`[${text}]`), [], text);
  assert.deepEqual(found('[123456789.123456,5e-324,1.7976931348623157e308]'), []);
});

test('readStrictJson() reads what JSON.parse() reads, and has nothing against what JSON.stringify() writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const isReserved = /"(__proto__|constructor|prototype)"\s*:/.test(text);
      fc.pre(!isReserved);
      assert.deepEqual(readStrictJson(text), { value: JSON.parse(text), problems: [] });
    }),
    { numRuns: 1000 },
  );
});

test('readStrictJson() finds a member that is put into any object a second time', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(), (value, pick) => {
      const text = JSON.stringify({ outer: value, key: 1 });
      const ends = [...text.matchAll(/\}/g)].filter(({ index }) => !isInString(text, index));
      const { index } = ends[pick % ends.length]!;
      const before = text[index - 1] === '{' ? '' : ',';
      const twice = `${text.slice(0, index)}${before}"again":1,"again":2${text.slice(index)}`;
      const places = readStrictJson(twice).problems;
      assert(places.some(({ code, field }) => code === 'repeated-key' && field!.endsWith('again')));
    }),
    { numRuns: 500 },
  );
});

/** Whether an odd number of quotes that count stands before. */
const isInString = (text: string, index: number): boolean =>
  (text.slice(0, index).replaceAll(/\\./g, '').split('"').length - 1) % 2 === 1;
