/**
 * A public instance of minimum-profit orders (Madani and Van Vyve, "Revisiting minimum profit conditions in uniform price
 * day-ahead electricity auctions", arXiv 1508.07967), read from its tables, as a book.
 *
 * Two zones, 24 hours without a date. Quantities are MW in one hour: negative sells, positive buys. A minimum-profit order (`MP`)
 * has a fixed cost `FC`, which counts in the welfare, and steps, each with its marginal cost `PH` and the least ratio `AR` that is
 * executed of it while the order is on. `VC` and `VH` belong to the minimum-income variant of the paper, and are not read.
 */

import { basename } from 'node:path';
import type { Book } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Line } from '../../market/network.ts';
import type { ComplexOrder, LimitOrder } from '../../market/order.ts';
import { readTable } from '../table.ts';

export const priceLimits = { min: -500, max: 3000 } as const;

/**
 * @param folder  one instance, such as `instance-1`
 * @throws AuctionError `not-found` without the folder or a table; `invalid-book` naming file, line and column
 */
export async function importInstance(folder: string): Promise<Book> {
  const zones = (await readTable(folder, 'areas', ['V1'])).map((row) => row.text('V1'));
  const hours = await readTable(folder, 'periods', ['V1']);
  hours.forEach((row, i) => {
    if (row.number('V1') !== i + 1) throw row.wrong('V1', `hour ${row.text('V1')} where ${i + 1} comes`);
  });
  const periods = hours.length;
  return {
    merit: 'book/1',
    auction: auctionOf(folder),
    currency: 'EUR',
    // The tables name no day; any will do.
    start: '2015-01-01T00:00:00Z',
    resolution: 'PT60M',
    periods,
    priceLimits,
    zones,
    lines: await readLines(folder, periods),
    constraints: [],
    orders: [...(await readSteps(folder)), ...(await readOrders(folder))],
  };
}

/** `minimum-profit-` and the folder's name, as far as an id may have it. */
const auctionOf = (folder: string): string =>
  `minimum-profit-${basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]/g, '-')}`.slice(0, 64);

/** A line for each pair of zones; the direction that is named first is `from -> to`. */
async function readLines(folder: string, periods: number): Promise<Line[]> {
  const lines = new Map<string, { from: string; to: string; capacity: number[]; reverse: number[] }>();
  for (const row of await readTable(folder, 'line_cap', ['from', 'too', 't', 'linecap'])) {
    const [from, to, hour] = [row.text('from'), row.text('too'), row.number('t')];
    const back = lines.get(`${to}-${from}`);
    const line = back ?? lines.get(`${from}-${to}`) ?? { from, to, capacity: [], reverse: [] };
    if (!back) lines.set(`${from}-${to}`, line);
    if (!Number.isInteger(hour) || hour < 1 || hour > periods)
      throw row.wrong('t', `${hour} is none of ${periods} hours`);
    const capacities = back ? line.reverse : line.capacity;
    if (capacities[hour - 1] !== undefined) throw row.wrong('t', `hour ${hour} of ${from} -> ${to} is there twice`);
    capacities[hour - 1] = row.number('linecap');
  }
  return [...lines].map(([id, line]) => {
    for (let t = 0; t < periods; t++)
      for (const direction of ['capacity', 'reverse'] as const)
        if (line[direction][t] === undefined)
          throw new AuctionError('invalid-book', `${folder}: line_cap: ${id} lacks hour ${t + 1} in one direction`);
    return { id, ...line, loss: 0, tariff: 0, ramp: null };
  });
}

/** One limit order for each step of the hourly curves. */
async function readSteps(folder: string): Promise<LimitOrder[]> {
  const rows = await readTable(folder, 'hourly_quad', ['I', 'PI0', 'PI1', 'QI', 'LI', 'TI']);
  return rows.flatMap((row) => {
    const [price, last, power] = [row.number('PI0'), row.number('PI1'), row.number('QI')];
    if (price !== last) throw row.wrong('PI1', `${last} after ${price}: only steps are read, no slopes`);
    if (power === 0) return [];
    const order = { zone: row.text('LI'), period: row.number('TI'), price, power: Math.abs(power) };
    return [{ record_id: `i-${row.text('I')}`, kind: 'limit' as const, side: sideOf(power), ...order }];
  });
}

/** One complex order for each header, with its steps in the order of the table. */
async function readOrders(folder: string): Promise<ComplexOrder[]> {
  const orders = new Map<string, ComplexOrder>();
  for (const row of await readTable(folder, 'mp_headers', ['MP', 'LC', 'FC'])) {
    const id = row.text('MP');
    if (orders.has(id)) throw row.wrong('MP', `order ${id} is there twice`);
    orders.set(id, {
      record_id: `mp-${id}`,
      kind: 'complex',
      zone: row.text('LC'),
      side: 'sell',
      condition: 'minimum-profit',
      fixedTerm: row.number('FC'),
      variableTerm: 0,
      steps: [],
    });
  }
  for (const row of await readTable(folder, 'mp_hourly', ['PH', 'QH', 'TH', 'MP', 'AR', 'LH'])) {
    const order = orders.get(row.text('MP'));
    if (order === undefined) throw row.wrong('MP', `there is no order ${row.text('MP')} in mp_headers`);
    if (row.text('LH') !== order.zone) throw row.wrong('LH', `order ${row.text('MP')} lies in zone ${order.zone}`);
    const power = row.number('QH');
    if (power > 0) throw row.wrong('QH', `${power} buys: a minimum-profit order sells`);
    if (power === 0) continue;
    const step = { period: row.number('TH'), price: row.number('PH'), power: -power };
    const least = row.number('AR');
    order.steps.push(least === 0 ? step : { ...step, minAcceptance: least });
  }
  return [...orders.values()];
}

const sideOf = (power: number): 'buy' | 'sell' => (power > 0 ? 'buy' : 'sell');
