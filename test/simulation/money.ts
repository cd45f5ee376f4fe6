/** Money read a second time: what the published powers and prices are worth to the cent, by whole numbers alone. */

import assert from 'node:assert/strict';
import type { Settlement } from '../../src/auction/money/settlement.ts';
import type { Trade } from '../../src/auction/money/trades.ts';
import type { Book } from '../../src/market/book.ts';
import type { Result } from '../../src/market/result.ts';

const minutes = { PT15M: 15n, PT30M: 30n, PT60M: 60n };

/** A number as it is written: `digits / 10^decimals`. */
function written(value: number): { readonly digits: bigint; readonly decimals: bigint } {
  const [mantissa, exponent = '0'] = String(value).split('e') as [string, string?];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  const decimals = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return decimals < 0
    ? { digits: digits * 10n ** BigInt(-decimals), decimals: 0n }
    : { digits, decimals: BigInt(decimals) };
}

/** `price * MW * hours` in whole cents, half a cent away from zero. */
function centsOf(price: number, power: number, length: bigint): number {
  const [p, q] = [written(price), written(power)];
  const above = p.digits * q.digits * length * 100n;
  const below = 60n * 10n ** (p.decimals + q.decimals);
  const size = ((above < 0n ? -above : above) * 2n + below) / (2n * below);
  return Number(above < 0n ? -size : size);
}

/** Each trade has the power and the price that were published and is worth what they say; nobody's power is missing. */
export function checkTrades(book: Book, result: Result, trades: readonly Trade[]): void {
  const traded = new Map<string, number>();
  for (const { participant, record_id, zone, period, side, power, price, amountCents } of trades) {
    assert.equal(price, result.prices[zone]![period - 1], `${record_id} trades at another price than was published`);
    const wanted = centsOf(price, power, minutes[book.resolution]);
    assert.equal(amountCents + 0, wanted + 0, `${power} MW of ${record_id} at ${price} are ${wanted} cents`);
    const name = `${participant}/${record_id}/${side}`;
    traded.set(name, (traded.get(name) ?? 0) + power);
  }
  for (const { participant, record_id, status } of result.orders) {
    const has = [...traded.keys()].some((name) => name.startsWith(`${participant}/${record_id}/`));
    assert(status !== 'rejected' || !has, `${record_id} was rejected and trades`);
  }
}

/** What buyers pay is what sellers get and what the network earns, and rounding leaves half a cent an amount at most. */
export function checkBalance(settlement: Settlement, trades: readonly Trade[]): void {
  const { buyersCents, sellersCents, congestionCents, tariffsCents, lossesCents, roundingCents } = settlement.totals;
  const paid = (side: string) =>
    trades.filter((trade) => trade.side === side).reduce((sum, { amountCents }) => sum + amountCents, 0);
  assert.deepEqual([buyersCents + 0, sellersCents + 0], [paid('buy') + 0, paid('sell') + 0], 'what was paid and got');
  const left = buyersCents - sellersCents - congestionCents - tariffsCents - lossesCents - roundingCents;
  assert.equal(left, 0, 'money is left over, or made from nothing');
  const amounts =
    trades.length +
    3 * Object.values(settlement.lines).length * settlement.roundingCents.length +
    settlement.roundingCents.length;
  assert(Math.abs(roundingCents) <= amounts / 2, `${roundingCents} cents are more than rounding leaves`);
}
