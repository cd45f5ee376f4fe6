/** `merit auctions trades` and `merit statement`: what was traded, and what it comes to. */

import type { DayOfStatements, Whose } from '../../auction/money/read-money.ts';
import type { Settlement } from '../../auction/money/settlement.ts';
import type { Trade } from '../../auction/money/trades.ts';
import { writeWhole } from '../files.ts';
import { HouseClient } from '../house-client.ts';
import { counted, figure, print, printJson, shortInstant, table } from '../output.ts';
import type { Asking } from './auctions.ts';

interface TradePage {
  readonly currency: string;
  readonly trades: Trade[];
  readonly next?: number;
}

/** Cents for people: `1,234.50`. */
const money = (cents: number): string => figure(cents / 100);

export async function trades(id: string, options: Asking & Whose & { limit: number }): Promise<void> {
  const { url, token, json, limit, ...whose } = options;
  const house = new HouseClient(url, token);
  const found: Trade[] = [];
  let currency = '';
  let after: number | undefined;
  do {
    const query = { ...whose, limit: Math.min(10_000, limit - found.length), after };
    const page: TradePage = await house.get<TradePage>(`/auctions/${encodeURIComponent(id)}/trades`, query);
    found.push(...page.trades);
    ({ currency, next: after } = { next: undefined, ...page });
  } while (after !== undefined && found.length < limit);
  if (json) return printJson(found);
  if (found.length === 0) return print(`${id}: no trades`);
  print(tradeTable(found, currency));
  if (after !== undefined) print(`\nthe first ${found.length}; --limit has more`);
}

function tradeTable(trades: readonly Trade[], currency: string): string {
  const withNames = new Set(trades.map(({ participant, portfolio }) => `${participant}\n${portfolio}`)).size > 1;
  const rows = trades.map(({ participant = '', portfolio = '', record_id, zone, start, side, power, ...rest }) => [
    ...(withNames ? [participant, portfolio] : []),
    record_id,
    zone,
    shortInstant(start),
    side,
    String(power),
    String(rest.price),
    String(rest.hours),
    money(rest.amountCents),
  ]);
  const names = withNames ? ['participant', 'portfolio'] : [];
  return table([...names, 'order', 'zone', 'delivery', 'side', 'MW', 'price', 'hours', currency], rows);
}

export async function settlement(id: string, { url, token, json }: Asking): Promise<void> {
  const path = `/auctions/${encodeURIComponent(id)}/settlement`;
  const found = await new HouseClient(url, token).get<Settlement & { currency: string }>(path);
  if (json) return printJson(found);
  const { totals } = found;
  const rows: [string, number][] = [
    ['paid by buyers', totals.buyersCents],
    ['paid to sellers', totals.sellersCents],
    ['congestion income', totals.congestionCents],
    ['tariffs', totals.tariffsCents],
    ['losses', totals.lossesCents],
    ['rounding', totals.roundingCents],
  ];
  print(
    table(
      ['', found.currency],
      rows.map(([what, cents]) => [what, money(cents)]),
    ),
  );
}

/** @param options.csv  a file, or `-` for standard output */
export async function statement(
  options: Asking & { day: string; participant?: string; portfolio?: string; csv?: string },
): Promise<void> {
  const { url, token, json, csv, ...query } = options;
  const house = new HouseClient(url, token);
  if (csv !== undefined) {
    await writeWhole(csv, await house.text('/statements.csv', query));
    if (csv !== '-') print(`${csv}: written`);
    return;
  }
  const found = await house.get<DayOfStatements>('/statements', query);
  if (json) return printJson(found);
  if (found.statements.length === 0) print(`${query.day}: nothing was traded`);
  for (const { market, participant = '-', portfolio = '-', trades, ...sums } of found.statements) {
    print(`${market}, ${participant}, portfolio ${portfolio}: ${counted(trades.length, 'trade')}`);
    print(`  bought ${sums.boughtEnergy} MWh for ${money(sums.boughtCents)} ${sums.currency}`);
    print(`  sold ${sums.soldEnergy} MWh for ${money(sums.soldCents)} ${sums.currency}`);
    const { payableCents } = sums;
    print(`  ${payableCents < 0 ? 'to get' : 'to pay'} ${money(Math.abs(payableCents))} ${sums.currency}`);
  }
  if (found.pending.length > 0) print(`still to come: ${found.pending.join(', ')}`);
}
