/** A small book while it is being drawn: what every family draws its orders and lines with. */

import type { Resolution } from '../../../src/market/time.ts';
import { Dice } from '../random-orders.ts';

export interface Setting {
  readonly zones?: number;
  readonly periods?: number;
  readonly resolution?: Resolution;
  /** Prices that orders are drawn from; multiples of 10 from -20 to 120 unless said. */
  readonly prices?: readonly number[];
  /** Largest power, in steps of `unit`. */
  readonly mostSteps?: number;
}

type Side = 'buy' | 'sell';
type Fields = Readonly<Record<string, unknown>>;

export const limits = { min: -500, max: 4000, tick: 0.01 };
const tens = Array.from({ length: 15 }, (_, i) => i * 10 - 20);

export class Scene {
  readonly dice: Dice;
  readonly zones: readonly string[];
  readonly periods: number;
  readonly resolution: Resolution;
  /** MW: powers are multiples of it. With a lot it is the lot. */
  readonly unit: number;
  readonly lot: number | undefined;
  readonly orders: Fields[] = [];
  readonly lines: Fields[] = [];
  readonly constraints: Fields[] = [];
  /** Further fields of the book. */
  readonly more: Record<string, unknown> = {};
  readonly #prices: readonly number[];
  readonly #mostSteps: number;

  constructor(seed: number, { zones = 1, periods = 1, resolution = 'PT60M', prices = tens, mostSteps = 20 }: Setting) {
    this.dice = new Dice(seed);
    this.zones = ['A', 'B', 'C', 'D', 'E', 'F'].slice(0, zones);
    [this.periods, this.resolution] = [periods, resolution];
    [this.#prices, this.#mostSteps] = [prices, mostSteps];
    this.lot = this.dice.pick([0.001, 0.01, 0.1, 1, undefined, undefined]);
    this.unit = this.lot ?? this.dice.pick([0.001, 0.1, 1]);
  }

  price = (): number => this.dice.pick(this.#prices);
  side = (): Side => this.dice.pick(['buy', 'sell']);
  zone = (): string => this.dice.pick(this.zones);
  period = (): number => this.dice.whole(1, this.periods);
  mw = (steps: number): number => Number((steps * this.unit).toFixed(6));
  power = (): number => this.mw(this.dice.whole(1, this.#mostSteps));

  /** @returns its record_id */
  add(fields: Fields): string {
    const kind = String(fields.kind ?? 'limit');
    const record_id = `${kind === 'complex' ? 'u' : kind[0]}${this.orders.length + 1}`;
    this.orders.push({ record_id, kind, zone: fields.zone ?? this.zone(), ...fields });
    return record_id;
  }

  limit(fields: Fields = {}): string {
    return this.add({
      ...{ kind: 'limit', side: this.side(), period: this.period(), price: this.price(), power: this.power() },
      ...fields,
    });
  }

  /** Of 1 to 4 points, falling; on either side of zero or through it. */
  curve(shape: 'step' | 'linear' = this.dice.pick(['step', 'linear']), fields: Fields = {}): string {
    const prices = distinct(this.dice, this.#prices, this.dice.whole(1, 4));
    // A straight line may be upright at a price.
    if (shape === 'linear' && this.dice.chance(0.2)) prices.push(this.dice.pick(prices));
    prices.sort((a, b) => a - b);
    const half = this.#mostSteps;
    const [least, most] = this.dice.pick([
      [-half, half],
      [0, half],
      [-half, 0],
    ] as const);
    const steps = prices.map(() => this.dice.whole(least, most)).sort((a, b) => b - a);
    const points = prices.map((price, i) => ({ price, power: this.mw(steps[i]!) }));
    return this.add({ kind: 'curve', shape, period: this.period(), points, ...fields });
  }

  block(fields: Fields = {}): string {
    const [a, b] = [this.period(), this.period()];
    const [from, to] = [Math.min(a, b), Math.max(a, b)];
    const steps = Array.from({ length: to - from + 1 }, (_, i) => ({ period: from + i, power: this.power() }));
    const shape = this.dice.chance(0.3) ? { profile: steps } : { from, to, power: this.power() };
    const minAcceptance = this.dice.pick([1, 1, 0.5, 0]);
    return this.add({ kind: 'block', side: this.side(), price: this.price(), minAcceptance, ...shape, ...fields });
  }

  flexible(): string {
    const duration = this.dice.whole(1, this.periods);
    const latest = this.dice.whole(1, this.periods - duration + 1);
    const window = { duration, earliest: this.dice.whole(1, latest), latest };
    return this.add({ kind: 'flexible', side: this.side(), price: this.price(), power: this.power(), ...window });
  }

  line(from: string, to: string, fields: Fields = {}): void {
    const capacity = () => this.mw(this.dice.whole(0, this.#mostSteps));
    this.lines.push({ id: `${from}${to}`, from, to, capacity: capacity(), reverse: capacity(), ...fields });
  }

  /** Lines from each zone to the next, and back to the first where there are three and more. */
  ring(fields: () => Fields = () => ({})): void {
    this.zones.slice(1).forEach((zone, i) => {
      this.line(this.zones[i]!, zone, fields());
    });
    if (this.zones.length > 2) this.line(this.zones.at(-1)!, this.zones[0]!, fields());
  }

  /** As the file format has it. */
  book(family: string): object {
    return {
      ...{ merit: 'book/1', auction: family, currency: 'EUR', start: '2030-01-02T00:00:00+01:00' },
      ...{ resolution: this.resolution, periods: this.periods, priceLimits: limits },
      ...(this.lot !== undefined && { lot: this.lot }),
      ...{ zones: this.zones, lines: this.lines, constraints: this.constraints, ...this.more, orders: this.orders },
    };
  }
}

export function distinct<T>(dice: Dice, of: readonly T[], count: number): T[] {
  const found = new Set<T>();
  for (let tries = 0; found.size < count && tries < 5 * count; tries++) found.add(dice.pick(of));
  return [...found];
}
