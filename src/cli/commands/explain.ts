/** `merit explain BOOK RESULT RECORD_ID`: why an order got what it got, and what would have been with it in. */

import { bookHash } from '../../book/seal.ts';
import { type Counterfactual, withOrderIn } from '../../clearing/report/counterfactual.ts';
import type { Book } from '../../market/book.ts';
import type { BookOrder } from '../../market/order.ts';
import { type Outcome, type Result, reasons } from '../../market/result.ts';
import { readBook, readResult } from '../books.ts';
import { type BudgetOptions, budgetFrom } from '../budget.ts';
import { exitCodes, Failure } from '../failure.ts';
import { alike, counted, figure, gapText, print, printJson, smallFigure, table } from '../output.ts';
import { powerText } from '../summary.ts';

interface Options extends BudgetOptions {
  readonly participant?: string;
  readonly json?: boolean;
}

const mostShown = 10;

export async function explain(bookFile: string, resultFile: string, id: string, options: Options): Promise<void> {
  const book = await readBook(bookFile);
  const result = await readResult(resultFile);
  const hash = bookHash(book);
  if (result.book !== hash)
    throw new Failure(exitCodes.usage, `${resultFile}: is of the book ${result.book}, and ${bookFile} is ${hash}`);
  const index = findOrder(book, bookFile, id, options.participant);
  const order = book.orders[index]!;
  const outcome = result.orders.find(
    ({ record_id, participant }) => record_id === id && participant === order.participant,
  );
  if (outcome === undefined) throw new Failure(exitCodes.usage, `${resultFile}: has no outcome of ${id}`);

  // Only of orders under a yes or no can it be asked what a yes would do.
  const isDecided = order.kind === 'block' || order.kind === 'flexible' || order.kind === 'complex';
  const isParadox = outcome.reason?.code.startsWith('paradoxically_rejected') === true && isDecided;
  const instead = isParadox
    ? ((await withOrderIn(book, result, index, budgetFrom(options))) ?? 'impossible')
    : undefined;
  if (options.json) return printJson({ order, outcome, ...(instead !== undefined && { withOrderIn: instead }) });
  tellOutcome(book, order, outcome);
  if (instead === 'impossible') print('\nWith it in, no choice of the other orders would balance the market.');
  else if (instead !== undefined) tellCounterfactual(book, result, id, instead);
}

function findOrder({ orders }: Book, file: string, id: string, participant: string | undefined): number {
  const found = [...orders.keys()].filter(
    (k) => orders[k]!.record_id === id && (participant === undefined || orders[k]!.participant === participant),
  );
  const whose = participant === undefined ? '' : ` of ${participant}`;
  if (found.length === 0) throw new Failure(exitCodes.no, `${file}: there is no order ${id}${whose}`);
  if (found.length > 1) {
    const names = found.map((k) => orders[k]!.participant).join(', ');
    throw new Failure(
      exitCodes.usage,
      `${file}: several participants have an order ${id}: say --participant (${names})`,
    );
  }
  return found[0]!;
}

function tellOutcome({ currency }: Book, order: BookOrder, { status, power, start, surplus, reason }: Outcome): void {
  const who = order.participant === undefined ? '' : ` of ${order.participant}`;
  print(`${order.record_id}${who}: ${termsOf(order, currency)}`);
  const from = start === undefined ? '' : `, from period ${start}`;
  print(`${words(status)}: ${powerText(power)} MW${from}; fully accepted it would gain ${figure(surplus)} ${currency}`);
  if (reason === undefined) return;
  print(`reason: ${words(reason.code)}, that is: ${reasons[reason.code]}`);
  if (reason.distance > 0)
    print(`distance: ${smallFigure(reason.distance, 2)} ${currency}/MWh between its limit and the price`);
  if (reason.missedSurplus > 0) print(`missed: ${figure(reason.missedSurplus)} ${currency} at the published prices`);
  if (reason.binding.length > 0) print(`decided by: ${reason.binding.join(', ')}`);
}

function termsOf(order: BookOrder, currency: string): string {
  const at = (price: number) => `at ${smallFigure(price, 2)} ${currency}/MWh`;
  switch (order.kind) {
    case 'limit':
      return `${order.side} ${order.power} MW ${at(order.price)} in ${order.zone}, period ${order.period}`;
    case 'curve':
      return `${order.shape} curve of ${counted(order.points.length, 'point')} in ${order.zone}, period ${order.period}`;
    case 'block': {
      const span = order.profile?.map(({ period }) => period) ?? [order.from!, order.to!];
      return `block, ${order.side} ${at(order.price)} in ${order.zone}, periods ${Math.min(...span)} to ${Math.max(...span)}`;
    }
    case 'flexible':
      return `flexible, ${order.side} ${order.power} MW ${at(order.price)} in ${order.zone}, ${counted(order.duration, 'period')} from ${order.earliest} to ${order.latest} on`;
    case 'complex':
      return `complex, ${order.side} ${counted(order.steps.length, 'step')} in ${order.zone}, ${order.condition ?? 'no condition'}`;
  }
}

function tellCounterfactual({ currency, zones }: Book, result: Result, id: string, instead: Counterfactual): void {
  const { status, welfare, welfareDifference, gap, outcome, gain, losers, prices, others } = instead;
  const money = (value: number) => `${figure(value)} ${currency}`;
  print(`\nWith ${id} in (${status === 'optimal' ? 'proven' : `the best found, gap ${gapText(gap)}`}):`);
  const sign = welfareDifference > 0 ? 'more' : 'less';
  print(`  welfare ${money(welfare)}, ${money(Math.abs(welfareDifference))} ${sign} than published`);
  print(`  ${id} would get ${powerText(outcome.power)} MW and ${gain < 0 ? 'lose' : 'gain'} ${money(Math.abs(gain))}`);
  for (const { record_id, loss } of losers) if (record_id !== id) print(`  ${record_id} would lose ${money(loss)}`);
  if (losers.length > 0) print('  No prices make good for that, so the rules reject it.');
  else print('  Nobody would lose, but other orders in its place are worth more.');
  if (prices.length === 0) print('  no price would change');
  else {
    const total = zones.length * result.prices[zones[0]!]!.length;
    print(`  ${prices.length} of ${counted(total, 'price')} would change, the most:\n`);
    const most = prices.toSorted((a, b) => change(b) - change(a)).slice(0, mostShown);
    const rows = most.map((price) => [price.zone, price.period, ...alike([price.published, price.instead], 2)]);
    print(table(['zone', 'period', `published ${currency}/MWh`, 'instead'], rows));
  }
  if (others.length === 0) return;
  const half = mostShown / 2;
  const shown = others.length <= mostShown ? others : [...others.slice(0, half), ...others.slice(-half)];
  print(
    `\n${counted(others.length, 'other order')} would gain less or more${shown.length < others.length ? ', such as' : ''}:\n`,
  );
  const rows = shown.map((other) => [
    other.record_id,
    words(other.published),
    words(other.instead),
    figure(other.difference),
  ]);
  print(table(['order', 'published', 'instead', `difference ${currency}`], rows));
}

const change = ({ published, instead }: Counterfactual['prices'][number]): number => Math.abs(instead - published);

const words = (code: string): string => code.replaceAll('_', ' ');
