/**
 * The largest value of a concave quadratic function under linear constraints, in rational numbers.
 *
 * A simplex method whose set of variables off their bounds may be larger than the basis: a variable that enters moves until something
 * blocks it, as in the simplex method, or until the function stops growing, and then it stays there. Of several candidates the one of
 * the smallest index enters and leaves (Bland's rule). Without quadratic terms this is the simplex method.
 */

import { compare, minus, negated, one, over, plus, type Rational, sign, times, zero } from './rational.ts';

export interface Variable {
  /** Undefined: none. */
  readonly lower?: Rational | undefined;
  readonly upper?: Rational | undefined;
  /** Its part in the function is `gain * v - curvature * v^2 / 2`; curvature is not negative. */
  readonly gain: Rational;
  readonly curvature?: Rational | undefined;
  /** What one unit of it adds to the left side of rows. */
  readonly column: readonly (readonly [row: number, factor: Rational])[];
}

/** All rows are equalities: an inequality has a slack among the variables. */
export interface Program {
  readonly variables: readonly Variable[];
  /** The right side of each row. */
  readonly rows: readonly Rational[];
}

type Place = 'basic' | 'lower' | 'upper' | 'free';

/** @returns the values of the variables at a largest value; undefined where nothing keeps all rows and bounds */
export const maximise = (program: Program): Rational[] | undefined => maximiseEach(program, [undefined])?.[0];

/**
 * One program with several functions, one after the other.
 *
 * @param gains  of each function, what a variable adds to it; undefined: the program's own function. A variable that is not there adds 0
 * @returns of each function, the values of the variables at its largest value
 */
export function maximiseEach(
  { variables, rows }: Program,
  gains: readonly (ReadonlyMap<number, Rational> | undefined)[],
): Rational[][] | undefined {
  const tableau = new Tableau(variables, rows);
  if (!tableau.isFeasible()) return undefined;
  return gains.map((each) => {
    tableau.climb(
      (j) => (each === undefined ? variables[j]!.gain : (each.get(j) ?? zero)),
      (j) => (each === undefined ? (variables[j]!.curvature ?? zero) : zero),
    );
    return tableau.values.slice(0, variables.length);
  });
}

const mostMoves = 20_000;

class Tableau {
  /** Of the variables, then of one artificial variable a row: what the row lacks, while it lacks something. */
  readonly values: Rational[];
  readonly #variables: readonly Variable[];
  readonly #count: number;
  readonly #place: Place[];
  /** The variable that is basic in each row. */
  readonly #basic: number[];
  /** Rows solved for their basic variables: `basic + sum(rows[i][j] * v[j]) = const` over the others. Artificial columns are left out. */
  readonly #rows: Rational[][];
  readonly #artificialUpper: (Rational | undefined)[];

  constructor(variables: readonly Variable[], rights: readonly Rational[]) {
    this.#variables = variables;
    this.#count = variables.length;
    this.#place = variables.map(({ lower, upper }) =>
      lower !== undefined ? 'lower' : upper !== undefined ? 'upper' : 'free',
    );
    this.values = variables.map(({ lower, upper }) => lower ?? upper ?? zero);
    this.#rows = rights.map(() => variables.map(() => zero));
    const lacks = [...rights];
    variables.forEach(({ column }, j) => {
      for (const [row, factor] of column) {
        this.#rows[row]![j] = plus(this.#rows[row]![j]!, factor);
        lacks[row] = minus(lacks[row]!, times(factor, this.values[j]!));
      }
    });
    this.#basic = rights.map((_, i) => this.#count + i);
    this.#artificialUpper = rights.map(() => undefined);
    lacks.forEach((lack, i) => {
      if (sign(lack) < 0) this.#rows[i] = this.#rows[i]!.map(negated);
      this.values.push(sign(lack) < 0 ? negated(lack) : lack);
      this.#place.push('basic');
    });
  }

  /** Whether something keeps all rows and bounds; if so, what a row lacks stays 0 from here on. */
  isFeasible(): boolean {
    this.#climb(
      (j) => (j < this.#count ? zero : negated(one)),
      () => zero,
    );
    if (this.values.slice(this.#count).some(({ n }) => n !== 0n)) return false;
    this.#artificialUpper.fill(zero);
    return true;
  }

  /** To a largest value of sum(gain * v - curvature * v^2 / 2). */
  climb(gain: (j: number) => Rational, curvature: (j: number) => Rational): void {
    const bend = (j: number): Rational => (j < this.#count ? curvature(j) : zero);
    const slope = (j: number): Rational =>
      j < this.#count ? minus(gain(j), times(curvature(j), this.values[j]!)) : zero;
    this.#climb(slope, bend);
  }

  #lower = (j: number): Rational | undefined => (j < this.#count ? this.#variables[j]!.lower : zero);
  #upper = (j: number): Rational | undefined =>
    j < this.#count ? this.#variables[j]!.upper : this.#artificialUpper[j - this.#count];

  /** Until no move makes the function larger. */
  #climb(slope: (j: number) => Rational, curvature: (j: number) => Rational): void {
    for (let moves = 0; ; moves++) {
      if (moves > mostMoves) throw new Error('the simplex method does not end');
      const slopes = this.#reducedSlopes(slope);
      const free = [...this.#place.keys()].filter((j) => this.#place[j] === 'free');
      if (free.every((j) => sign(slopes[j]!) === 0)) {
        const entering = this.#place.findIndex((place, j) => this.#mayEnter(place, j, slopes[j]));
        if (entering < 0) return;
        this.#place[entering] = 'free';
        free.push(entering);
        free.sort((a, b) => a - b);
      }
      this.#move(
        free,
        free.map((j) => slopes[j]!),
        curvature,
      );
    }
  }

  #mayEnter(place: Place, j: number, slope: Rational | undefined): boolean {
    if (slope === undefined || place === 'basic' || place === 'free') return false;
    const [lower, upper] = [this.#lower(j), this.#upper(j)];
    if (lower !== undefined && upper !== undefined && compare(lower, upper) === 0) return false;
    return sign(slope) === (place === 'lower' ? 1 : -1);
  }

  /** How the function grows with each variable that is not basic, the basic ones following. */
  #reducedSlopes(slope: (j: number) => Rational): (Rational | undefined)[] {
    const slopes: (Rational | undefined)[] = [];
    for (let j = 0; j < this.#count; j++) slopes.push(this.#place[j] === 'basic' ? undefined : slope(j));
    this.#basic.forEach((basic, i) => {
      const own = slope(basic);
      if (own.n === 0n) return;
      const row = this.#rows[i]!;
      for (let j = 0; j < this.#count; j++) {
        if (slopes[j] !== undefined && row[j]!.n !== 0n) slopes[j] = minus(slopes[j]!, times(own, row[j]!));
      }
    });
    return slopes;
  }

  /** One step of the free variables (and the basic ones with them) to where the function stops growing, or something blocks. */
  #move(free: readonly number[], slopes: readonly Rational[], curvature: (j: number) => Rational): void {
    const hessian = free.map((j, a) => free.map((_, b) => (a === b ? curvature(j) : zero)));
    this.#basic.forEach((basic, i) => {
      const bend = curvature(basic);
      if (bend.n === 0n) return;
      const row = this.#rows[i]!;
      free.forEach((j, a) => {
        if (row[j]!.n === 0n) return;
        free.forEach((k, b) => {
          hessian[a]![b] = plus(hessian[a]![b]!, times(bend, times(row[j]!, row[k]!)));
        });
      });
    });
    const { direction, ends } = ascent(hessian, slopes);
    const changes: [j: number, change: Rational, row: number][] = [];
    free.forEach((j, a) => {
      if (direction[a]!.n !== 0n) changes.push([j, direction[a]!, -1]);
    });
    this.#basic.forEach((basic, i) => {
      let change = zero;
      free.forEach((j, a) => {
        if (this.#rows[i]![j]!.n !== 0n) change = minus(change, times(this.#rows[i]![j]!, direction[a]!));
      });
      if (change.n !== 0n) changes.push([basic, change, i]);
    });
    let step = ends ? one : undefined;
    let blocking: (typeof changes)[number] | undefined;
    for (const each of changes) {
      const [j, change] = each;
      const bound = sign(change) > 0 ? this.#upper(j) : this.#lower(j);
      if (bound === undefined) continue;
      const length = over(minus(bound, this.values[j]!), change);
      const order = step === undefined ? -1 : compare(length, step);
      if (order < 0 || (order === 0 && blocking !== undefined && j < blocking[0])) [step, blocking] = [length, each];
    }
    if (step === undefined) throw new Error('the function grows without end');
    if (step.n !== 0n) for (const [j, change] of changes) this.values[j] = plus(this.values[j]!, times(step, change));
    if (blocking === undefined) return;
    const [leaving, change, row] = blocking;
    this.#place[leaving] = sign(change) > 0 ? 'upper' : 'lower';
    if (row >= 0) this.#pivot(row, free.find((j, a) => direction[a]!.n !== 0n && this.#rows[row]![j]!.n !== 0n)!);
  }

  /** `entering` becomes the basic variable of `row`. */
  #pivot(row: number, entering: number): void {
    const old = this.#rows[row]!;
    const divisor = old[entering]!;
    const pivot = divisor.n === divisor.d ? old : old.map((each) => over(each, divisor));
    this.#rows.forEach((other, i) => {
      const factor = other[entering]!;
      if (i === row || factor.n === 0n) return;
      for (let j = 0; j < this.#count; j++) {
        if (pivot[j]!.n !== 0n) other[j] = minus(other[j]!, times(factor, pivot[j]!));
      }
      other[entering] = zero;
    });
    pivot[entering] = one;
    this.#rows[row] = pivot;
    this.#basic[row] = entering;
    this.#place[entering] = 'basic';
  }
}

/**
 * Where a function with these slopes and this curvature grows: to its top where it has one (`ends`: the step of length 1), or along a
 * line on which it grows for ever.
 */
function ascent(hessian: Rational[][], slopes: readonly Rational[]): { direction: Rational[]; ends: boolean } {
  const size = slopes.length;
  const rows = hessian.map((row, i) => [...row, slopes[i]!]);
  const pivots: number[] = [];
  for (let column = 0; column < size; column++) {
    const at = rows.findIndex((row, i) => i >= pivots.length && row[column]!.n !== 0n);
    if (at < 0) continue;
    const next = pivots.length;
    [rows[next], rows[at]] = [rows[at]!, rows[next]!];
    const divisor = rows[next]![column]!;
    rows[next] = rows[next]!.map((each) => over(each, divisor));
    rows.forEach((row, i) => {
      const factor = row[column]!;
      if (i !== next && factor.n !== 0n) rows[i] = row.map((each, j) => minus(each, times(factor, rows[next]![j]!)));
    });
    pivots.push(column);
  }
  // A direction without curvature on which the function grows.
  for (let column = 0; column < size; column++) {
    if (pivots.includes(column)) continue;
    const flat = slopes.map((_, j) => (j === column ? one : zero));
    pivots.forEach((pivot, i) => {
      flat[pivot] = negated(rows[i]![column]!);
    });
    const growth = flat.reduce((total, each, j) => plus(total, times(each, slopes[j]!)), zero);
    if (growth.n !== 0n) return { direction: sign(growth) > 0 ? flat : flat.map(negated), ends: false };
  }
  const direction = slopes.map(() => zero);
  pivots.forEach((pivot, i) => {
    direction[pivot] = rows[i]![size]!;
  });
  return { direction, ends: true };
}
