/** The best answers of one decision vector: no flow both ways over a lossy line, and the most volume (market rules, 3.1 and 5.3). */

import type { Book } from '../../../src/market/book.ts';
import type { Decision } from './decisions.ts';
import { maximise, maximiseEach, type Variable } from './maximise.ts';
import { Model } from './model.ts';
import { addNetwork, keyOf, type Shut } from './network.ts';
import { addOrders } from './orders.ts';
import { minus, negated, one, over, plus, type Rational, sum, times, zero } from './rational.ts';

export interface Answer {
  readonly decision: Decision;
  readonly shut: Shut;
  readonly model: Model;
  /** Currency per hour of an MTU. */
  readonly value: Rational;
  readonly values: readonly Rational[];
}

/** One answer a set of open directions; where burning power would pay, each lossy line has one direction in each MTU (market rules, section 3.1). */
export function answersOf(book: Book, decision: Decision, shut: Shut = new Set()): Answer[] {
  const model = new Model(book);
  addOrders(model, decision);
  addNetwork(model, shut);
  const { roles, variables } = model;
  for (const [j, { direction }] of roles.entries()) {
    if (direction !== undefined && shut.has(keyOf(direction))) roles[j] = { ...roles[j], isShut: true };
  }
  if (variables.some(({ lower, upper }) => lower && upper && minus(upper, lower).n < 0n)) return [];
  const values = maximise(model);
  if (values === undefined) return [];
  const value = plus(model.constant, worthOf(model, values));
  const [first] = burning(model, values);
  if (first === undefined) return [{ decision, shut, model, value, values }];
  return first.flatMap((j) => {
    const isForced = variables[j]!.lower!.n !== 0n;
    return isForced ? [] : answersOf(book, decision, new Set([...shut, keyOf(roles[j]!.direction!)]));
  });
}

/** The best answers with one more of the directions shut in which power flows over a line with a loss. */
export const withLessOpen = (book: Book, { decision, shut, model, values }: Answer): Answer[] =>
  model.roles.flatMap(({ direction }, j) =>
    direction === undefined || values[j]!.n <= 0n
      ? []
      : answersOf(book, decision, new Set([...shut, keyOf(direction)])),
  );

function worthOf({ variables }: Model, values: readonly Rational[]): Rational {
  const half = over(one, { n: 2n, d: 1n });
  return sum(
    variables.map(({ gain, curvature = zero }, j) => {
      const v = values[j]!;
      return minus(times(gain, v), times(half, times(curvature, times(v, v))));
    }),
  );
}

/** The two directions of each line and MTU in which power flows both ways. */
function burning({ roles }: Model, values: readonly Rational[]): number[][] {
  const flowing = [...roles.keys()].filter((j) => roles[j]!.direction !== undefined && values[j]!.n > 0n);
  const lines = Map.groupBy(flowing, (j) => `${roles[j]!.direction!.line} ${roles[j]!.direction!.mtu}`);
  return [...lines.values()].filter(({ length }) => length > 1);
}

/** The program of all values that are as good as these, and keep `fixed` sums. */
function face(model: Model, values: readonly Rational[], fixed: readonly ReadonlyMap<number, Rational>[] = []) {
  const slopes = model.variables.map(({ gain, curvature = zero }, j) => minus(gain, times(curvature, values[j]!)));
  const sums = [new Map(slopes.entries()), ...fixed];
  const rows = [...model.rows];
  const variables: Variable[] = model.variables.map((variable, j) => {
    const extra = sums.flatMap((each, i) => (each.get(j)?.n ? [[rows.length + i, each.get(j)!] as const] : []));
    const column = [...variable.column, ...extra];
    const isCurved = (variable.curvature ?? zero).n !== 0n;
    return isCurved ? { ...variable, lower: values[j], upper: values[j], column } : { ...variable, column };
  });
  const rights = sums.map((each) => sum([...each].map(([j, factor]) => times(factor, values[j]!))));
  return { variables, rows: [...rows, ...rights] };
}

const directions = ({ roles }: Model): Map<number, Rational> =>
  new Map([...roles.keys()].filter((j) => roles[j]!.direction !== undefined).map((j) => [j, negated(one)]));

const leastFlow = (
  model: Model,
  values: readonly Rational[],
  fixed: ReadonlyMap<number, Rational>[] = [],
): Rational[] => maximiseEach(face(model, values, fixed), [directions(model)])![0]!;

/** Of the answers that are worth the same, one with the most bought, and what that is in MWh. */
export function mostTraded(answer: Answer): { values: Rational[]; volume: Rational } {
  const { model, values } = answer;
  const bought = new Map(
    [...model.roles.keys()].flatMap((j) => (model.roles[j]!.bought ? [[j, model.roles[j]!.bought!] as const] : [])),
  );
  const volumeOf = (v: readonly Rational[]) => sum([...bought].map(([j, factor]) => times(factor, v[j]!)));
  // A net curve does not trade with itself: where it jumps through zero, it buys or sells.
  const pieces = Map.groupBy(model.roles.keys(), (j) => model.roles[j]!.netOf);
  pieces.delete(undefined);
  let idle: number[][] = [[]];
  for (const jump of pieces.values()) {
    const sides = Object.values(Object.groupBy(jump, (j) => (bought.has(j) ? 'buy' : 'sell')));
    if (sides.length > 1) idle = idle.flatMap((each) => sides.map((side) => [...each, ...side]));
  }
  let best: { values: Rational[]; volume: Rational } | undefined;
  for (const none of idle) {
    const program = face(model, values);
    for (const j of none) program.variables[j] = { ...program.variables[j]!, upper: zero };
    const found = maximiseEach(program, [bought])?.[0];
    if (found === undefined) continue;
    const volume = volumeOf(found);
    if (best === undefined || minus(volume, best.volume).n > 0n) best = { values: found, volume };
  }
  const { values: most, volume } = best!;
  const calm = directions(model).size === 0 ? most : leastFlow(model, most, [bought]);
  return { values: calm, volume: times(volume, model.hours) };
}
