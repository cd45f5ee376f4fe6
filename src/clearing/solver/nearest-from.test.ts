import assert from 'node:assert/strict';
import test from 'node:test';
import { randomBy } from '../../../test/support/random-by.ts';
import { type NearestProgram, nearestPoint } from './nearest.ts';
import { nearestFrom } from './nearest-from.ts';

/** Prices of `buses` and of full branches, of which the last are the sum of two others each: price + factors * branch prices = 0. */
function network(random: () => number, noise: number) {
  const [buses, branches] = [8, 4];
  const factors = Array.from({ length: branches }, () => Array.from({ length: buses }, () => random() - 0.5));
  factors.push(factors[0]!.map((f, z) => f + factors[1]![z]!));
  const branchPrices = factors.map(() => 100 * random());
  const prices = Array.from({ length: buses }, (_, z) =>
    factors.reduce((sum, row, k) => sum - row[z]! * branchPrices[k]!, 40),
  );
  const pool = -40;
  const point = Float64Array.from([...prices, pool, ...branchPrices]);
  const isSaid = prices.map(() => random() < 0.7);
  const said = (z: number) => prices[z]! + noise * (random() - 0.5);
  const bounds = prices.map((_, z) => (isSaid[z] ? Array(2).fill(said(z)) : [-500, 4000]) as [number, number]);
  const columns = [
    ...prices.map((_, z): [number, number][] => [[z, 1]]),
    prices.map((_, z): [number, number] => [z, 1]),
    ...factors.map((row) => row.map((f, z): [number, number] => [z, f])),
  ];
  const starts = [0];
  for (const column of columns) starts.push(starts[starts.length - 1]! + column.length);
  const program: NearestProgram = {
    weight: Float64Array.from(point, (_, i) => (i < buses ? 1 : 0)),
    target: Float64Array.from(point, (_, i) => (i < buses ? 100 * random() : 0)),
    lower: Float64Array.from([...bounds.map(([low]) => low), -Infinity, ...factors.map(() => 0)]),
    upper: Float64Array.from([...bounds.map(([, high]) => high), Infinity, ...factors.map(() => Infinity)]),
    rightSide: new Float64Array(buses),
    starts: Int32Array.from(starts),
    indices: Int32Array.from(columns.flat(), ([row]) => row),
    values: Float64Array.from(columns.flat(), ([, factor]) => factor),
  };
  return { program, point, buses };
}

const distance = ({ weight, target }: NearestProgram, x: Float64Array) =>
  x.reduce((sum, at, i) => sum + weight[i]! * (at - target[i]!) ** 2, 0);

test('nearestFrom() finds the point that nearestPoint() finds', () => {
  let compared = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const { program, point, buses } = network(randomBy(seed), 0);
    const plain = nearestPoint(program, 1e-6, 1e-16);
    const from = nearestFrom(point, 1e-5, program, 1e-8, 1e-16);
    assert(from !== undefined, `seed ${seed}`);
    if (plain === undefined) continue;
    compared++;
    const [a, b] = [distance(program, plain), distance(program, from)];
    assert(Math.abs(a - b) <= 1e-3 * Math.max(1, a), `seed ${seed}: ${b} instead of ${a}`);
    for (let z = 0; z < buses; z++)
      assert(from[z]! >= program.lower[z]! - 1e-5 && from[z]! <= program.upper[z]! + 1e-5);
  }
  assert(compared > 100, `${compared} compared`);
});

test('nearestFrom() finds a point where what is said contradicts itself by rounding errors', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { program, point, buses } = network(randomBy(seed), 4e-6);
    const from = nearestFrom(point, 1e-5, program, 1e-8, 1e-16);
    assert(from !== undefined, `seed ${seed}`);
    for (let r = 0; r < buses; r++) {
      let sum = 0;
      for (let c = 0; c < from.length; c++)
        for (let e = program.starts[c]!; e < program.starts[c + 1]!; e++)
          if (program.indices[e] === r) sum += program.values[e]! * from[c]!;
      assert(Math.abs(sum) <= 1e-7, `seed ${seed}: bus ${r} off by ${sum}`);
    }
  }
});
