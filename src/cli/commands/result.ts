/** `merit result ID`: what an auction published, for people; whole files on request, as `merit verify` takes them. */

import type { Book } from '../../market/book.ts';
import type { Result } from '../../market/result.ts';
import { writeWhole } from '../files.ts';
import { HouseClient } from '../house-client.ts';
import { figure, gapText, print, printJson, table } from '../output.ts';
import { blockTable, outcomeTable, priceTable, reasonTable, summaryOf } from '../summary.ts';

export async function result(
  id: string,
  options: { url: string; token?: string; json?: boolean; output?: string; book?: string },
): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const path = `/auctions/${encodeURIComponent(id)}`;
  const text = await house.text(`${path}/result`);
  const result = JSON.parse(text) as Result;
  if (options.output !== undefined) await writeWhole(options.output, text);
  if (options.book !== undefined) await writeWhole(options.book, await house.text(`${path}/book`));
  if (options.output === '-' || options.book === '-') return;
  if (options.json) return printJson(result);
  const { currency } = await house.get<Pick<Book, 'currency'>>(`${path}/prices`);
  const { prices, outcomes } = summaryOf(result);
  print(`${id}: ${result.status}, welfare ${figure(result.welfare)} ${currency}, gap ${gapText(result.gap)}`);
  print(`\n${priceTable(prices, `${currency}/MWh`)}`);
  const flows = Object.entries(result.flows);
  if (flows.length > 0) print(`\n${flowTable(flows)}`);
  print(`\n${outcomeTable(outcomes)}`);
  for (const more of [reasonTable(result.orders), blockTable(result.orders)]) if (more) print(`\n${more}`);
  const files = [options.output, options.book].filter((file) => file !== undefined);
  if (files.length > 0) print(`\n${files.join(' and ')}: written`);
}

const flowTable = (flows: readonly [string, readonly number[]][]): string =>
  table(
    ['line', 'min MW', 'mean', 'max'],
    flows.map(([line, mw]) => [
      line,
      figure(Math.min(...mw), 1),
      figure(mw.reduce((sum, flow) => sum + flow, 0) / mw.length, 1),
      figure(Math.max(...mw), 1),
    ]),
  );
