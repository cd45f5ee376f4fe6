/** `merit result ID`: what an auction published, for people; whole files on request, as `merit verify` takes them. */

import type { Auction } from '../../auction/auction.ts';
import type { Result } from '../../market/result.ts';
import { writeWhole } from '../files.ts';
import { HouseClient, Refusal } from '../house-client.ts';
import { alike, figure, gapText, print, printJson, table } from '../output.ts';
import {
  blockTable,
  outcomeTable,
  type PriceSummary,
  pricesOf,
  priceTable,
  reasonTable,
  summaryOf,
  type Untraded,
} from '../summary.ts';
import type { Asking } from './auctions.ts';

interface PublishedPrices {
  readonly currency: string;
  readonly zones: Result['prices'];
  readonly untraded: Untraded;
}

export async function result(id: string, options: Asking & { output?: string; book?: string }): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const path = `/auctions/${encodeURIComponent(id)}`;
  const wantsFiles = options.output !== undefined || options.book !== undefined;
  const text = await house.text(`${path}/result`).catch((error: unknown) => {
    // Whole results are for auditors; what is published everybody may read.
    if (wantsFiles || !(error instanceof Refusal && [401, 403].includes(error.status))) throw error;
    return undefined;
  });
  if (text === undefined) return tellPublished(house, id, path, options);
  const result = JSON.parse(text) as Result;
  if (options.output !== undefined) await writeWhole(options.output, text);
  if (options.book !== undefined) await writeWhole(options.book, await house.text(`${path}/book`));
  if (options.output === '-' || options.book === '-') return;
  if (options.json) return printJson(result);
  const { currency, untraded } = await house.get<PublishedPrices>(`${path}/prices`);
  const { prices, outcomes } = summaryOf(result, untraded);
  tellSeries(headOf(id, result, currency), prices, currency, result.flows);
  print(`\n${outcomeTable(outcomes)}`);
  for (const more of [reasonTable(result.orders), blockTable(result.orders)]) if (more) print(`\n${more}`);
  const files = [options.output, options.book].filter((file) => file !== undefined);
  if (files.length > 0) print(`\n${files.join(' and ')}: written`);
}

/** What needs no role: prices, flows, and what the auction's record says of the result. */
async function tellPublished(house: HouseClient, id: string, path: string, { json }: Asking): Promise<void> {
  const [auction, prices, flows] = await Promise.all([
    house.get<Auction>(path),
    house.get<PublishedPrices>(`${path}/prices`),
    house.get<{ lines: Result['flows']; netPositions: Result['netPositions'] }>(`${path}/flows`),
  ]);
  if (json) return printJson({ auction, prices, flows });
  const head = headOf(id, auction.result!, prices.currency);
  tellSeries(head, pricesOf(prices.zones, prices.untraded), prices.currency, flows.lines);
  print(`\nwhat is published; the outcome of every order is for auditors, your own: merit orders ${id}`);
}

const headOf = (id: string, { status, welfare, gap }: Pick<Result, 'status' | 'welfare' | 'gap'>, currency: string) =>
  `${id}: ${status}, welfare ${figure(welfare)} ${currency}, gap ${gapText(gap)}`;

function tellSeries(head: string, prices: readonly PriceSummary[], currency: string, flows: Result['flows']): void {
  print(head);
  print(`\n${priceTable(prices, `${currency}/MWh`)}`);
  const lines = Object.entries(flows);
  if (lines.length > 0) print(`\n${flowTable(lines)}`);
}

const flowTable = (flows: readonly [string, readonly number[]][]): string =>
  table(
    ['line', 'min MW', 'mean', 'max'],
    flows.map(([line, mw]) => [
      line,
      ...alike([Math.min(...mw), mw.reduce((sum, flow) => sum + flow, 0) / mw.length, Math.max(...mw)], 1),
    ]),
  );
