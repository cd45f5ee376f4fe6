/** `merit auctions`: what is on, and what was; and what an operator does with auctions: make, close, cancel, restart. */

import type { Auction } from '../../auction/auction.ts';
import type { Diagnosis } from '../../auction/records/diagnosis.ts';
import type { Network } from '../../market/network.ts';
import type { OrderName } from '../../market/result.ts';
import { exitCodes, Failure } from '../failure.ts';
import { readJson } from '../files.ts';
import { HouseClient } from '../house-client.ts';
import { counted, print, printJson, shortInstant, table } from '../output.ts';

/** What every command has that asks a house. */
export interface Asking {
  readonly url: string;
  readonly token?: string;
  readonly json?: boolean;
}

export async function auctions(options: {
  url: string;
  token?: string;
  json?: boolean;
  market?: string;
  state?: string;
  limit: number;
}): Promise<void> {
  const { url, token, json, ...query } = options;
  const { auctions } = await new HouseClient(url, token).get<{ auctions: Auction[] }>('/auctions', query);
  if (json) return printJson(auctions);
  if (auctions.length === 0) return print('there are none');
  const rows = auctions.map(({ id, state, gateClosure, delivery, book, cause }) => [
    id,
    state,
    shortInstant(gateClosure),
    shortInstant(delivery.start),
    `${delivery.periods} x ${delivery.resolution.slice(2).toLowerCase()}`,
    book?.orders ?? '-',
    cause ?? '',
  ]);
  print(table(['auction', 'state', 'gate closes', 'delivery', 'periods', 'orders', 'cause'], rows));
}

const pathOf = (id: string): string => `/auctions/${encodeURIComponent(id)}`;

/** One line of what became of an auction. */
function tell(auction: Auction, { json }: Asking): void {
  if (json) {
    printJson(auction);
    return;
  }
  const { id, state, gateOpening, gateClosure, cause, failure, excluded } = auction;
  const opens = state === 'scheduled' ? `, its gate opens ${shortInstant(gateOpening)}` : '';
  const closes = state === 'open' || opens ? `, its gate closes ${shortInstant(gateClosure)}` : '';
  const out = excluded ? `, without ${counted(excluded.orders, 'order')}` : '';
  print(`${id}: ${state}${opens}${closes}${out}${cause === undefined ? '' : ` (${cause})`}`);
  if (failure?.diagnosis) print(`\`merit auctions diagnosis ${id}\` says without which orders it would clear`);
}

export async function createAuction(options: Asking & Readonly<Record<string, unknown>>): Promise<void> {
  const { url, token, json, ...request } = options;
  const asked = { url, ...(token && { token }), ...(json && { json }) };
  tell(await new HouseClient(url, token).post<Auction>('/auctions', request), asked);
}

export async function showAuction(id: string, options: Asking): Promise<void> {
  tell(await new HouseClient(options.url, options.token).get<Auction>(pathOf(id)), options);
}

export async function closeGate(id: string, options: Asking): Promise<void> {
  tell(await new HouseClient(options.url, options.token).post<Auction>(`${pathOf(id)}/close`), options);
}

export async function cancelAuction(id: string, options: Asking & { cause?: string }): Promise<void> {
  const { url, token, cause } = options;
  const body = cause === undefined ? {} : { cause };
  tell(await new HouseClient(url, token).post<Auction>(`${pathOf(id)}/cancel`, body), options);
}

/** @param options.without  orders as `participant/record_id`, or `diagnosed`: those that the diagnosis names */
export async function restartAuction(id: string, options: Asking & { without?: string[] }): Promise<void> {
  const { url, token, without = [] } = options;
  const house = new HouseClient(url, token);
  const isDiagnosed = without.length === 1 && without[0] === 'diagnosed';
  const names = isDiagnosed ? (await house.get<Diagnosis>(`${pathOf(id)}/diagnosis`)).without : without.map(nameOf);
  if (isDiagnosed && names.length === 0)
    throw new Failure(exitCodes.no, `the diagnosis of ${id} names no order to leave out`);
  const body = names.length > 0 ? { without: names } : {};
  tell(await house.post<Auction>(`${pathOf(id)}/restart`, body), options);
}

function nameOf(text: string): OrderName {
  const at = text.indexOf('/');
  return at < 0 ? { record_id: text } : { participant: text.slice(0, at), record_id: text.slice(at + 1) };
}

export async function diagnosis(id: string, options: Asking): Promise<void> {
  const found = await new HouseClient(options.url, options.token).get<Diagnosis>(`${pathOf(id)}/diagnosis`);
  if (options.json) return printJson(found);
  print(`${id}, run ${found.run}: ${found.cause}`);
  for (const line of found.details) print(`  ${line}`);
  print(`\n${findings[found.found]}`);
  if (found.without.length === 0) return;
  const names = found.without.map(({ participant, record_id }) => `${participant}/${record_id}`);
  for (const name of names.slice(0, mostShown)) print(`  ${name}`);
  if (names.length > mostShown) print(`  and ${names.length - mostShown} more (--json has all)`);
  print(
    `\nto leave them out: merit auctions restart ${id} --without ${names.length > 5 ? 'diagnosed' : names.join(' ')}`,
  );
}

const mostShown = 20;

const findings: Readonly<Record<Diagnosis['found'], string>> = {
  clears: 'it clears after all: restart it',
  orders: 'it clears without these orders, as few as were found:',
  participants: 'it clears without all orders of these participants; which of them would do was not found in time:',
  nothing: 'it does not clear even without any order: the fault is in its network',
  spent: 'without which orders it clears was not found in time',
};

/** The network of an auction, changed first by a file where one is given. */
export async function network(id: string, file: string | undefined, options: Asking): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  const path = `${pathOf(id)}/network`;
  const found =
    file === undefined ? await house.get<Network>(path) : await house.patch<Network>(path, await readJson(file));
  if (options.json) return printJson(found);
  const range = (mw: number | readonly number[]) =>
    typeof mw === 'number' ? String(mw) : `${Math.min(...mw)} to ${Math.max(...mw)}`;
  const rows = found.lines.map(({ id, from, to, capacity, reverse, ramp }) => [
    id,
    from,
    to,
    range(capacity),
    range(reverse),
    ramp === null ? '' : range(ramp),
  ]);
  if (rows.length > 0) print(table(['line', 'from', 'to', 'MW', 'MW back', 'ramp'], rows));
  print(`${id}: ${counted(found.lines.length, 'line')}, ${counted(found.constraints.length, 'constraint')}`);
}
