/** `merit orders`: a participant's own orders, and what became of them. */

import { openAsBlob } from 'node:fs';
import type { OrderView } from '../../auction/intake/find-order.ts';
import type { UploadReport } from '../../auction/intake/upload-orders.ts';
import type { Receipt } from '../../book/intake.ts';
import { type Outcome, reasons } from '../../market/result.ts';
import { exitCodes, Failure } from '../failure.ts';
import { jsonOf, readText } from '../files.ts';
import { HouseClient } from '../house-client.ts';
import { count, counted, figure, print, printJson, table } from '../output.ts';
import { powerText } from '../summary.ts';
import type { Asking } from './auctions.ts';

interface Page {
  readonly orders: OrderView[];
  readonly next?: number;
}

export async function orders(auction: string | undefined, options: Asking & { limit: number }): Promise<void> {
  if (auction === undefined)
    throw new Failure(
      exitCodes.usage,
      'which auction? `merit auctions` lists them, `merit orders ID` the orders of one',
    );
  const house = new HouseClient(options.url, options.token);
  const found: OrderView[] = [];
  let next: number | undefined;
  do {
    const limit = Math.min(1000, options.limit - found.length);
    const page: Page = await house.get<Page>('/orders', { auction, limit, after: next });
    found.push(...page.orders);
    next = page.next;
  } while (next !== undefined && found.length < options.limit);
  if (options.json) return printJson(found);
  if (found.length === 0) return print(`${auction}: you have no orders in it`);
  const rows = found.map((view) => [
    view.record_id,
    view.order.kind,
    view.order.zone,
    view.cancelled ? 'cancelled' : view.leftOut ? 'left out' : words(view.outcome?.status ?? view.state),
    view.outcome ? powerText(view.outcome.power) : '-',
    view.outcome ? figure(view.outcome.surplus) : '-',
    words(view.outcome?.reason?.code ?? ''),
  ]);
  print(table(['order', 'kind', 'zone', 'outcome', 'MW', 'surplus', 'reason'], rows));
  if (next !== undefined) print(`\nthe first ${count(found.length)}; --limit has more`);
}

export async function showOrder(id: string, options: Asking & { auction?: string }): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const view = await house.get<OrderView>(pathOf(id), { auction: options.auction });
  if (options.json) return printJson(view);
  const { record_id, auction, version, sequence, received_at, cancelled, leftOut, outcome, state } = view;
  const which = version > 1 ? `, version ${version}` : '';
  print(
    `${record_id} in ${auction}${which}, sequence ${sequence}, received ${received_at}${cancelled ? ', cancelled' : ''}`,
  );
  print(JSON.stringify(view.order));
  print(leftOut ?? (outcome === undefined ? `the auction is ${state}` : outcomeText(outcome)));
}

interface Versions {
  readonly auction: string;
  readonly versions: readonly Pick<OrderView, 'version' | 'sequence' | 'received_at' | 'order' | 'cancelled'>[];
}

export async function showVersions(id: string, options: Asking & { auction?: string }): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const found = await house.get<Versions>(`${pathOf(id)}/versions`, { auction: options.auction });
  if (options.json) return printJson(found);
  print(`${id} in ${found.auction}`);
  for (const { version, sequence, received_at, order, cancelled } of found.versions)
    print(
      `version ${version}, sequence ${sequence}, received ${received_at}${cancelled ? ', cancelled' : ''}\n${JSON.stringify(order)}`,
    );
}

export async function replaceOrder(
  id: string,
  file: string,
  options: Asking & { auction?: string; of?: number },
): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const order = jsonOf(await readText(file), file);
  const { auction } = options;
  const version = options.of ?? (await house.get<OrderView>(pathOf(id), { auction })).version;
  const receipt = await house.put<Receipt>(pathOf(id), order, { 'if-match': `"${version}"` }, { auction });
  if (options.json) return printJson(receipt);
  print(`${receipt.record_id}: version ${receipt.version} in ${receipt.auction}, sequence ${receipt.sequence}`);
}

/** Exit code 1 where lines were refused, or the upload did not come to its end. */
export async function uploadOrders(file: string, options: Asking & { auction?: string }): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const type = /\.csv$/i.test(file) ? 'text/csv' : 'application/x-ndjson';
  const report = await house.upload<UploadReport>('/order-uploads', await openAsBlob(file), type, {
    auction: options.auction,
  });
  const { auction, accepted, refused, problems, stopped } = report;
  if (options.json) printJson(report);
  else {
    print(`${auction}: ${counted(accepted, 'order')} taken, ${count(refused)} refused`);
    for (const { line, record_id, field, message } of problems)
      print(
        `  line ${line}${record_id === undefined ? '' : ` (${record_id})`}${field ? `, ${field}` : ''}: ${message}`,
      );
  }
  if (stopped !== undefined)
    throw new Failure(exitCodes.no, `${file}: nothing was taken from line ${stopped.line} on: ${stopped.message}`);
  if (refused > 0) throw new Failure(exitCodes.no, `${file}: ${counted(refused, 'order')} refused`);
}

interface Cancelling {
  auction?: string;
  all?: boolean;
  portfolio?: string;
}

export async function cancelOrders(ids: readonly string[], options: Asking & Cancelling): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const { auction, portfolio } = options;
  const isAll = options.all === true || portfolio !== undefined;
  if (isAll === ids.length > 0)
    throw new Failure(exitCodes.usage, 'which orders? name them, or say --all or --portfolio with --auction');
  if (isAll && auction === undefined) throw new Failure(exitCodes.usage, 'which auction? say --auction');
  const receipts = isAll ? await cancelEach(house, { auction, portfolio }) : [];
  for (const id of ids) receipts.push(await house.delete<Receipt>(pathOf(id), { auction }));
  if (options.json) return printJson(receipts);
  for (const receipt of receipts)
    print(`${receipt.record_id}: cancelled in ${receipt.auction}, sequence ${receipt.sequence}`);
  if (receipts.length === 0) print('there are none');
}

async function cancelEach(house: HouseClient, query: { auction: string | undefined; portfolio: string | undefined }) {
  const receipts: Receipt[] = [];
  for (let more = true; more; ) {
    const answer = await house.delete<{ receipts: Receipt[]; more: boolean }>('/orders', query);
    receipts.push(...answer.receipts);
    more = answer.more;
  }
  return receipts;
}

const pathOf = (id: string): string => `/orders/${encodeURIComponent(id)}`;

function outcomeText({ status, power, surplus, reason }: Outcome): string {
  const why = reason === undefined ? '' : `\n${words(reason.code)}: ${reasons[reason.code]}`;
  return `${words(status)}, ${powerText(power)} MW, surplus ${figure(surplus)}${why}`;
}

const words = (code: string): string => code.replaceAll('_', ' ');
