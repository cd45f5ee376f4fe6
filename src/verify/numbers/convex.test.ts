import assert from 'node:assert/strict';
import test from 'node:test';
import { Dice } from '../../../test/support/random-orders.ts';
import { type ConvexProgram, leastCost } from './convex.ts';

const near = 1e-7;

/** A program that a drawn point keeps, some of its rows as equations. */
function drawn(seed: number): ConvexProgram {
  const dice = new Dice(seed);
  const n = dice.whole(1, 10);
  const each = <T>(of: () => T) => Array.from({ length: n }, of);
  const most = each(() => dice.whole(0, 9));
  const point = most.map((limit) => dice.whole(0, limit));
  const rows = Array.from({ length: dice.whole(0, 8) }, () => {
    const entries = each(() => dice.whole(-2, 2)).flatMap((f, j) => (f === 0 ? [] : [[j, f] as const]));
    const at = entries.reduce((sum, [j, factor]) => sum + factor * point[j]!, 0);
    const back = entries.map(([j, factor]) => [j, -factor] as const);
    return dice.chance(0.4)
      ? [
          { entries, least: at },
          { entries: back, least: -at },
        ]
      : [{ entries, least: at - dice.whole(0, 4) }];
  }).flat();
  return {
    cost: each(() => dice.whole(-9, 9)),
    bend: each(() => (dice.chance(0.3) ? dice.whole(1, 5) : 0)),
    most,
    rows,
  };
}

test('leastCost() keeps the rows, and its slopes and prices show that there is no less', () => {
  for (let seed = 1; seed <= 400; seed++) {
    const program = drawn(seed);
    const found = leastCost(program);
    assert(found !== undefined, `SEED=${seed}: nothing found`);
    const { x, slope, price } = found;
    program.rows.forEach(({ entries, least }, r) => {
      const room = entries.reduce((sum, [j, factor]) => sum + factor * x[j]!, 0) - least;
      assert(room >= -near && price[r]! * room <= near, `SEED=${seed}: row ${r} has room ${room} at price ${price[r]}`);
    });
    program.most.forEach((most, j) => {
      const at = x[j]!;
      assert(at >= 0 && at <= most + near, `SEED=${seed}: variable ${j} is ${at} of ${most}`);
      if (slope[j]! > near) assert(at <= near, `SEED=${seed}: variable ${j} could be less`);
      if (slope[j]! < -near) assert(at >= most - near, `SEED=${seed}: variable ${j} could be more`);
    });
  }
});

test('leastCost() has exact values where its pivots lose some: limits that several variables reach together', () => {
  const own = [0.93652076, 1, 1, 1, 1].map((most, j) => ({ entries: [[j, -1] as const], least: -most }));
  const factors = [
    [0.057237561, -0.31669829, -0.21575571, -0.25186702, -0.25434609],
    [0.077393853, -0.19943025, -0.29173441, -0.25871342, -0.2564465],
  ];
  const loose = factors.map((row, r) => ({
    entries: row.map((factor, j) => [j, factor] as const),
    least: [-3.6265474, -3.0396881][r]!,
  }));
  const each = <T>(of: T) => [of, of, of, of, of];
  const found = leastCost({ cost: each(-100), bend: each(0), most: each(Infinity), rows: [...own, ...loose] });
  assert.deepEqual([...found!.x], [0.93652076, 1, 1, 1, 1]);
});

test('leastCost() finds nothing where no point keeps the rows, or nothing stops it', () => {
  const alone = { cost: [-1], bend: [0], most: [Infinity] };
  assert.equal(leastCost({ ...alone, rows: [] }), undefined);
  const rows = [
    { entries: [[0, 1] as const], least: 2 },
    { entries: [[0, -1] as const], least: -1 },
  ];
  assert.equal(leastCost({ ...alone, rows }), undefined);
});
