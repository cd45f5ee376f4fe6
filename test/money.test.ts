/**
 * Trades and money of drawn books of every family: each trade is the order's executed power at its zone's price (INV-32), and all payments
 * meet to the cent (INV-31). What is expected is counted here anew, in fractions, from book and result alone.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settlementOf } from '../src/auction/money/settlement.ts';
import { type Trade, tradesOf } from '../src/auction/money/trades.ts';
import { clearWith } from '../src/clearing/clear.ts';
import { loadSolver } from '../src/clearing/solver/highs.ts';
import { centsText, divideCents, exact, times as product, toCents } from '../src/market/amounts.ts';
import { type Book, parseBook } from '../src/market/book.ts';
import { flowBasedRegion } from '../src/market/network.ts';
import type { Result } from '../src/market/result.ts';
import { hoursOf, resolutionMinutes } from '../src/market/time.ts';
import { minus, negated, plus, type Rational, rational, sign, sum, times, zero } from './support/exact/rational.ts';
import { bookOf, families } from './support/families/families.ts';

const solver = await loadSolver();
const hash = `sha256:${'0'.repeat(64)}`;
const runs = Number(process.env.RUNS ?? 8);
const seed = Number(process.env.SEED ?? 1);

const half: Rational = { n: 1n, d: 2n };
const hundred: Rational = { n: 100n, d: 1n };

/** Half a cent away from zero. */
function cents(money: Rational): bigint {
  const scaled = times(money, hundred);
  const size = plus(sign(scaled) < 0 ? negated(scaled) : scaled, half);
  return BigInt(sign(scaled)) * (size.n / size.d);
}

/** MW of an order by market time unit (0-based), buying positive, read off the order and its outcome. */
function netOf(
  book: Book,
  order: Book['orders'][number],
  { power, start, status }: Result['orders'][number],
): number[] {
  const net = new Array<number>(book.periods).fill(0);
  if (status === 'rejected') return net;
  const list = [power].flat();
  const span = resolutionMinutes[order.resolution ?? book.resolution] / resolutionMinutes[book.resolution];
  const direction = order.kind === 'curve' || order.side === 'buy' ? 1 : -1;
  const put = (period: number, mw: number, length = span) => {
    for (let t = (period - 1) * length; t < period * length; t++) net[t] = direction * mw;
  };
  for (const [i, mw] of list.entries()) {
    if (order.kind === 'complex') put(i + 1, mw, 1);
    else if (order.kind === 'flexible') put(start! + i, mw);
    else if (order.kind !== 'block') put(order.period, mw);
    else put(order.profile ? order.profile[i]!.period : order.from! + i, mw);
  }
  return net;
}

function checkTrades(book: Book, result: Result, trades: readonly Trade[]): void {
  const found = new Map(trades.map((trade) => [`${trade.record_id} ${trade.period}`, trade]));
  assert.equal(found.size, trades.length, 'one trade per order and contract');
  let expected = 0;
  for (const [k, order] of book.orders.entries()) {
    for (const [t, mw] of netOf(book, order, result.orders[k]!).entries()) {
      const trade = found.get(`${order.record_id} ${t + 1}`);
      if (mw === 0) {
        assert.equal(trade, undefined);
        continue;
      }
      expected++;
      const price = result.prices[order.zone]![t]!;
      const { side, power, zone, amountCents, energy, hours } = trade!;
      assert.deepEqual(
        { side, power, zone, price: trade!.price },
        { side: mw > 0 ? 'buy' : 'sell', power: Math.abs(mw), zone: order.zone, price },
      );
      const worth = times(times(rational(price), rational(power)), rational(hours));
      assert.equal(BigInt(amountCents), cents(worth), `${order.record_id} ${t + 1}: ${price} x ${power} x ${hours}`);
      assert.equal(energy, Number((power * hours).toPrecision(15)));
    }
  }
  assert.equal(trades.length, expected);
}

/** @returns how many cents rounding left, in all */
function checkMoney(book: Book, result: Result, trades: readonly Trade[]): number {
  const sheet = settlementOf(book, result, trades);
  const region = new Set(flowBasedRegion(book));
  const hours = rational(hoursOf(book.resolution));
  for (let t = 0; t < book.periods; t++) {
    const price = (zone: string) => rational(result.prices[zone]![t]!);
    const own = trades.filter(({ period }) => period === t + 1);
    const paid = own.map(({ side, amountCents }) => (side === 'buy' ? amountCents : -amountCents));
    const earned = Object.values(sheet.lines).flatMap(({ congestionCents, tariffCents, lossesCents }) => [
      congestionCents[t]!,
      tariffCents[t]!,
      lossesCents[t]!,
    ]);
    const all = [...earned, sheet.exchangeCents?.[t] ?? 0, sheet.roundingCents[t]!];
    const add = (amounts: readonly number[]) => amounts.reduce((total, each) => total + each, 0);
    assert.equal(add(paid), add(all), `MTU ${t + 1}: to the cent`);
    // What is rounded by itself: each trade, congestion and tariff of a line, losses of a zone, the exchange.
    const rounded = own.length + 2 * book.lines.length + book.zones.length + 1;
    assert(
      Math.abs(sheet.roundingCents[t]!) <= rounded / 2,
      `MTU ${t + 1}: ${sheet.roundingCents[t]} cents of rounding`,
    );

    const left = new Map(book.zones.map((zone) => [zone, zero]));
    const put = (zone: string, mw: Rational) => left.set(zone, plus(left.get(zone)!, mw));
    for (const { zone, side, power } of own) put(zone, side === 'sell' ? rational(power) : negated(rational(power)));
    for (const { id, from, to, loss, tariff } of book.lines) {
      const flow = result.flows[id]![t]!;
      const [source, sink] = flow < 0 ? [to, from] : [from, to];
      const sent = rational(Math.abs(flow));
      const arrives = times(minus(rational(1), rational(loss)), sent);
      put(source, negated(sent));
      put(sink, arrives);
      const charge = times(times(rational(tariff), sent), hours);
      const gain = times(minus(times(price(sink), arrives), times(price(source), sent)), hours);
      const { congestionCents, tariffCents } = sheet.lines[id]!;
      assert.equal(BigInt(tariffCents[t]!), cents(charge), `${id} ${t + 1}: tariff`);
      assert.equal(BigInt(congestionCents[t]!), cents(minus(gain, charge)), `${id} ${t + 1}: congestion`);
    }
    const money = (zone: string) => negated(times(times(left.get(zone)!, price(zone)), hours));
    const exchange = sum([...region].map(money));
    if (region.size > 0) assert.equal(BigInt(sheet.exchangeCents![t]!), cents(exchange), `exchange ${t + 1}`);
    const lost = book.zones.filter((zone) => !region.has(zone)).map((zone) => cents(money(zone)));
    const losses = Object.values(sheet.lines).reduce((total, { lossesCents }) => total + lossesCents[t]!, 0);
    assert.equal(
      BigInt(losses),
      lost.reduce((total, each) => total + each, 0n),
      `losses ${t + 1}`,
    );
    // Without losses, exchange or flows of no whole lots nothing is lost: what is left is rounding and nothing else.
    const isPlain = region.size === 0 && book.lot !== undefined && book.lines.every(({ loss }) => loss === 0);
    if (isPlain) assert.equal(losses, 0, `losses of a network without any, ${t + 1}`);
  }
  const { totals } = sheet;
  assert.equal(
    totals.buyersCents,
    totals.sellersCents + totals.congestionCents + totals.tariffsCents + totals.lossesCents + totals.roundingCents,
  );
  return sheet.roundingCents.reduce((total, each) => total + Math.abs(each), 0);
}

/** What happened in all the drawn books: a property over books in which nothing happens shows nothing. */
const seen = { trades: 0, negative: 0, tariffs: 0, losses: 0, congestion: 0, exchange: 0, rounding: 0, longer: 0 };

for (const family of Object.keys(families)) {
  test(`trades and money of books of the family ${family} add up to the cent`, () => {
    for (let at = seed; at < seed + runs; at++) {
      const book = bookOf(family, at);
      const { result } = clearWith(solver, book, hash);
      const trades = tradesOf(book, result);
      checkTrades(book, result, trades);
      seen.rounding += checkMoney(book, result, trades) > 0 ? 1 : 0;
      const { totals, exchangeCents } = settlementOf(book, result, trades);
      seen.trades += trades.length;
      seen.negative += trades.filter(({ amountCents }) => amountCents < 0).length;
      seen.tariffs += totals.tariffsCents === 0 ? 0 : 1;
      seen.losses += totals.lossesCents === 0 ? 0 : 1;
      seen.congestion += totals.congestionCents === 0 ? 0 : 1;
      seen.exchange += exchangeCents?.some((each) => each !== 0) ? 1 : 0;
      seen.longer += book.orders.some(({ resolution }) => resolution !== undefined && resolution !== book.resolution)
        ? 1
        : 0;
    }
  });
}

test('the drawn books have negative prices, tariffs, losses, congestion, exchange, longer orders, and cents that rounding leaves', () => {
  assert.deepEqual(
    Object.entries(seen).filter(([, count]) => count === 0),
    [],
  );
});

const bookWith = (more: object, orders: readonly object[]): Book =>
  parseBook({
    merit: 'book/1',
    auction: 'a',
    currency: 'EUR',
    start: '2025-04-01T00:00:00+02:00',
    resolution: 'PT60M',
    periods: 1,
    priceLimits: { min: -500, max: 4000, tick: 0.01 },
    zones: ['A', 'B'],
    orders: orders.map((order, i) => ({ record_id: `o${i}`, period: 1, ...order })),
    ...more,
  });

const line = (changes: object = {}) => ({ id: 'AB', from: 'A', to: 'B', capacity: 80, reverse: 80, ...changes });

test('E13: what buyers pay beyond what sellers get is the congestion income of the full line', () => {
  const book = bookWith({ lines: [line()] }, [
    { zone: 'A', side: 'sell', price: 20, power: 200 },
    { zone: 'A', side: 'buy', price: 100, power: 50 },
    { zone: 'B', side: 'sell', price: 60, power: 100 },
    { zone: 'B', side: 'buy', price: 100, power: 150 },
  ]);
  const { result } = clearWith(solver, book, hash);
  assert.deepEqual(settlementOf(book, result, tradesOf(book, result)).totals, {
    buyersCents: 1_000_000,
    sellersCents: 680_000,
    congestionCents: 320_000,
    tariffsCents: 0,
    lossesCents: 0,
    roundingCents: 0,
  });
});

test('a line with loss and tariff: the tariff is told, the loss is paid by the difference of prices, and what whole lots leave has a name', () => {
  const book = bookWith({ lot: 1, lines: [line({ capacity: 99, loss: 0.05, tariff: 5 })] }, [
    { zone: 'A', side: 'sell', price: 20, power: 200 },
    { zone: 'B', side: 'buy', price: 100, power: 300 },
  ]);
  const { result } = clearWith(solver, book, hash);
  // 99 MW are sent, 94.05 arrive, of which 94 are whole lots; the line is full, so it earns (0.95 x 100 - 20 - 5) x 99.
  assert.deepEqual([result.flows.AB, result.prices.A, result.prices.B], [[99], [20], [100]]);
  assert.deepEqual(settlementOf(book, result, tradesOf(book, result)).totals, {
    buyersCents: 940_000,
    sellersCents: 198_000,
    congestionCents: 693_000,
    tariffsCents: 49_500,
    lossesCents: -500,
    roundingCents: 0,
  });
});

test('toCents() rounds half a cent away from zero, and divideCents() loses none', () => {
  const rounded = [1.005, -1.005, 0.004999, -0.005, 12.345, 1e-7, -1e9].map((value) => toCents(exact(value)));
  assert.deepEqual(rounded, [101, -101, 0, -1, 1235, 0, -100_000_000_000]);
  // The double 1.005 lies below the decimal: it is the decimal that counts.
  assert.equal(toCents(product(exact(0.1), exact(0.2), exact(0.25))), 1);
  assert.deepEqual([-5, 0, 123_456].map(centsText), ['-0.05', '0.00', '1234.56']);
  const weights = [1, 1, 1, 0.5].map(exact);
  assert.deepEqual(divideCents(10, weights), [3, 3, 3, 1]);
  assert.deepEqual(divideCents(-11, weights), [-3, -3, -3, -2]);
});
