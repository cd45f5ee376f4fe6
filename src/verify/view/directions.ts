/**
 * What a line's price test says of each of its directions (market rules, section 3.1).
 *
 * A line without costs is one direction whose flow may be negative. One with a tariff or a loss has two, of which one is used at a time.
 */

import { dust } from '../numbers/tolerances.ts';
import type { Link, Seen } from './seen.ts';

export interface Direction {
  readonly back: boolean;
  /** Zones it sends from and to. */
  readonly a: number;
  readonly b: number;
  /** MW sent, and the range that must lie in. */
  readonly sent: number;
  readonly least: number;
  readonly most: number;
  /**
   * It carries nothing and loses what it carries: where sending power round and round would pay, it is shut, and its test says nothing.
   * The direction in use is never shut.
   */
  readonly mayBeShut: boolean;
}

export const isCostly = ({ line }: Link): boolean => line.loss > 0 || line.tariff > 0;

export function directionsOf(link: Link, t: number): Direction[] {
  const { line, from, to } = link;
  const [mw, least, most] = [link.flow[t]!, link.least[t]!, link.most[t]!];
  if (!isCostly(link)) return [{ back: false, a: from, b: to, sent: mw, least, most, mayBeShut: false }];
  const way = (back: boolean, a: number, b: number, flow: number, low: number, high: number): Direction => {
    const sent = Math.max(flow, 0);
    const mayBeShut = line.loss > 0 && sent <= 0 && low <= 0;
    return { back, a, b, sent, least: Math.max(0, low), most: Math.max(0, high), mayBeShut };
  };
  return [way(false, from, to, mw, least, most), way(true, to, from, -mw, -most, -least)];
}

/** No room to choose in: a capacity of nothing, or a flow that is imposed. */
export const isFixed = ({ least, most }: Direction): boolean => most - least <= dust(least, most);

/** What a MW more from -> to would gain (currency/MWh); `back` asks for the other direction. */
export function spreadOf({ price }: Pick<Seen, 'price'>, { line, from, to }: Link, t: number, back = false): number {
  const [a, b] = back ? [price[to]![t]!, price[from]![t]!] : [price[from]![t]!, price[to]![t]!];
  return (1 - line.loss) * b - a - line.tariff;
}
