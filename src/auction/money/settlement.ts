/**
 * The balance sheet of an auction: what buyers pay is what sellers get, what the network earns, and what rounding leaves (market
 * rules, section 8; INV-31).
 *
 * In each market time unit, with every amount in whole cents:
 *
 *     buyers = sellers + congestion income + tariffs + losses + rounding
 *
 * Before cents there is nothing left over, exactly: what a zone buys beyond what it sells arrives over lines or by flow-based exchange, and
 * what does not arrive is lost on a line. So `rounding` is the cents that rounding each amount by itself leaves, at most half a cent each.
 */

import {
  divideCents,
  type Exact,
  exact,
  exactHours,
  minus,
  nothing,
  plus,
  times,
  toCents,
} from '../../market/amounts.ts';
import type { Book } from '../../market/book.ts';
import { flowBasedRegion } from '../../market/network.ts';
import type { Result } from '../../market/result.ts';
import type { Trade } from './trades.ts';

/** Whole cents, one per market time unit. */
type Cents = number[];

/** Of a line's owner. */
export interface LineSettlement {
  /** Price difference times flow, after the loss and the tariff: `((1 - l)*pi_to - pi_from - tariff) * MW * hours`. */
  readonly congestionCents: Cents;
  /** `tariff * MW * hours`. */
  readonly tariffCents: Cents;
  /** What whole lots take off what arrives (section 5.5), at the price where it would have arrived: not positive at positive prices. */
  readonly lossesCents: Cents;
}

export interface Totals {
  readonly buyersCents: number;
  readonly sellersCents: number;
  readonly congestionCents: number;
  readonly tariffsCents: number;
  readonly lossesCents: number;
  readonly roundingCents: number;
}

export interface Settlement {
  /** Paid by the buyers and to the sellers of each zone. */
  readonly zones: Readonly<Record<string, { readonly buyersCents: Cents; readonly sellersCents: Cents }>>;
  readonly lines: Readonly<Record<string, LineSettlement>>;
  /** Congestion income of flow-based exchange; only where there is a region. */
  readonly exchangeCents?: Cents;
  readonly roundingCents: Cents;
  readonly totals: Totals;
}

/** What happens in one market time unit, by zone. */
interface Unit {
  readonly t: number;
  /** Currency/MWh times hours. */
  readonly worth: ReadonlyMap<string, Exact>;
  /** MW that orders put in and lines have not taken out: export in flow-based exchange, or lost. */
  readonly left: Map<string, Exact>;
}

/** @param trades  of the book and the result (`trades.ts`) */
export function settlementOf(
  book: Book,
  result: Pick<Result, 'prices' | 'flows'>,
  trades: readonly Trade[],
): Settlement {
  const { periods, zones, lines } = book;
  const none = (): Cents => new Array<number>(periods).fill(0);
  const paid = new Map(zones.map((zone) => [zone, { buyersCents: none(), sellersCents: none() }]));
  const owned = new Map(
    lines.map(({ id }) => [id, { congestionCents: none(), tariffCents: none(), lossesCents: none() }]),
  );
  const region = flowBasedRegion(book);
  const exchangeCents = none();
  const units = unitsOf(book, result);
  for (const { zone, period, side, power, amountCents } of trades) {
    paid.get(zone)![side === 'buy' ? 'buyersCents' : 'sellersCents'][period - 1]! += amountCents;
    add(units[period - 1]!.left, zone, side === 'buy' ? minus(exact(power)) : exact(power));
  }
  for (const unit of units) {
    carry(book, result, unit, owned);
    const money = (zone: string) => minus(times(unit.left.get(zone)!, unit.worth.get(zone)!));
    if (region.length > 0) exchangeCents[unit.t] = toCents(region.map(money).reduce(plus, nothing));
    for (const zone of zones)
      if (!region.includes(zone) && unit.left.get(zone)!.digits !== 0n)
        giveLosses(book, result, unit, zone, toCents(money(zone)), owned);
  }
  const rest = { zones: Object.fromEntries(paid), lines: Object.fromEntries(owned) };
  return balanced(rest, region.length > 0 ? exchangeCents : undefined, periods);
}

const add = (all: Map<string, Exact>, zone: string, mw: Exact) => all.set(zone, plus(all.get(zone)!, mw));

function unitsOf({ zones, periods, resolution }: Book, { prices }: Pick<Result, 'prices'>): Unit[] {
  const hours = exactHours(resolution);
  return Array.from({ length: periods }, (_, t) => ({
    t,
    worth: new Map(zones.map((zone) => [zone, times(exact(prices[zone]![t]!), hours)])),
    left: new Map(zones.map((zone) => [zone, nothing])),
  }));
}

type Owned = ReadonlyMap<string, LineSettlement>;

/** Take what lines carry out of one zone and into the other, and tell what they earn by it. */
function carry(book: Book, { flows }: Pick<Result, 'flows'>, unit: Unit, owned: Owned): void {
  const { t, worth, left } = unit;
  const hours = exactHours(book.resolution);
  for (const { id, from, to, loss, tariff } of book.lines) {
    const flow = flows[id]![t]!;
    if (flow === 0) continue;
    const [source, sink] = flow > 0 ? [from, to] : [to, from];
    const sent = exact(Math.abs(flow));
    const delivered = times(plus(exact(1), minus(exact(loss))), sent);
    add(left, source, minus(sent));
    add(left, sink, delivered);
    const charge = times(exact(tariff), sent, hours);
    const gain = plus(times(delivered, worth.get(sink)!), minus(times(sent, worth.get(source)!)));
    owned.get(id)!.congestionCents[t] = toCents(plus(gain, minus(charge)));
    owned.get(id)!.tariffCents[t] = toCents(charge);
  }
}

/** What a zone has lost is lost on the lines that come in with a loss, by what they lose; else on those that carry anything there. */
function giveLosses(
  { lines }: Book,
  { flows }: Pick<Result, 'flows'>,
  { t }: Unit,
  zone: string,
  cents: number,
  owned: Owned,
): void {
  const carrying = lines.filter(({ id, from, to }) => flows[id]![t]! !== 0 && (from === zone || to === zone));
  const lossy = carrying.filter(({ id, to, loss }) => loss > 0 && flows[id]![t]! > 0 === (to === zone));
  const those = lossy.length > 0 ? lossy : carrying;
  if (cents === 0 || those.length === 0) return;
  const weights = those.map(({ id, loss }) =>
    times(exact(Math.abs(flows[id]![t]!)), lossy.length > 0 ? exact(loss) : exact(1)),
  );
  divideCents(cents, weights).forEach((part, i) => {
    owned.get(those[i]!.id)!.lossesCents[t]! += part;
  });
}

/** With the cents that rounding left, and the sums. */
function balanced(
  { zones, lines }: Pick<Settlement, 'zones' | 'lines'>,
  exchangeCents: Cents | undefined,
  periods: number,
): Settlement {
  const ofZones = Object.values(zones);
  const ofLines = Object.values(lines);
  const exchange = exchangeCents ?? [];
  const sum = (columns: readonly Cents[], t: number) => columns.reduce((cents, column) => cents + (column[t] ?? 0), 0);
  const columns = {
    buyersCents: ofZones.map(({ buyersCents }) => buyersCents),
    sellersCents: ofZones.map(({ sellersCents }) => sellersCents),
    congestionCents: [...ofLines.map(({ congestionCents }) => congestionCents), exchange],
    tariffsCents: ofLines.map(({ tariffCents }) => tariffCents),
    lossesCents: ofLines.map(({ lossesCents }) => lossesCents),
  };
  const { buyersCents, ...others } = columns;
  const roundingCents = Array.from(
    { length: periods },
    (_, t) => sum(buyersCents, t) - Object.values(others).reduce((cents, each) => cents + sum(each, t), 0),
  );
  const total = (all: readonly Cents[]) => all.flat().reduce((cents, each) => cents + each, 0);
  return {
    zones,
    lines,
    ...(exchangeCents && { exchangeCents }),
    roundingCents,
    totals: {
      buyersCents: total(columns.buyersCents),
      sellersCents: total(columns.sellersCents),
      congestionCents: total(columns.congestionCents),
      tariffsCents: total(columns.tariffsCents),
      lossesCents: total(columns.lossesCents),
      roundingCents: total([roundingCents]),
    },
  };
}
