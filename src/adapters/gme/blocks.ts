/**
 * Block orders, all-or-none, in one of two ways.
 *
 * `orders`: as the blocks they are; clearing decides. `replay`: those that GME accepted enter as orders that take any price,
 * one per leg, the others are dropped: what is left is convex, and must give the published prices.
 */

import { AuctionError } from '../../market/errors.ts';
import type { BlockOrder, LimitOrder } from '../../market/order.ts';
import { isItalian, priceLimits, sideOf } from './italy.ts';
import { readTable, type Source } from './table.ts';

export const blockModes = ['orders', 'replay'] as const;
export type Blocks = (typeof blockModes)[number];

/** What became of a block: accepted, rejected, paradoxically rejected. */
export const publishedStatuses = ['ACC', 'REJ', 'PREJ'] as const;
export type PublishedStatus = (typeof publishedStatuses)[number];

interface PublishedBlock {
  readonly zone: string;
  readonly side: 'buy' | 'sell';
  readonly price: number;
  readonly status: PublishedStatus;
  readonly profile: { period: number; power: number }[];
}

/** @throws AuctionError `invalid-book` when the legs of a block contradict each other */
export async function blockOrders(source: Source, as: Blocks): Promise<(BlockOrder | LimitOrder)[]> {
  const blocks = [...(await readBlocks(source))];
  if (as === 'orders')
    return blocks.map(([record_id, { zone, side, price, profile }]) => ({
      record_id,
      kind: 'block',
      zone,
      side,
      price,
      profile,
      minAcceptance: 1,
    }));
  return blocks
    .filter(([, { status }]) => status === 'ACC')
    .flatMap(([id, { zone, side, profile }]) =>
      profile.map(({ period, power }) => ({
        record_id: `${id}-${period}`,
        kind: 'limit' as const,
        zone,
        side,
        period,
        price: side === 'buy' ? priceLimits.max : priceLimits.min,
        power,
      })),
    );
}

/** What became of each block of a day, to compare decisions with: by `block_id`, which is the `record_id` of the order. */
export async function readBlockStatuses(source: Source): Promise<Map<string, PublishedStatus>> {
  return new Map([...(await readBlocks(source))].map(([id, { status }]) => [id, status]));
}

async function readBlocks(source: Source): Promise<Map<string, PublishedBlock>> {
  const name = 'block-orders';
  const columns = ['block_id', 'zone', 'side', 'quantity_mwh', 'price_eur_per_mwh', 'published_status'] as const;
  const { rows } = await readTable(source, name, columns);
  const blocks = new Map<string, PublishedBlock>();
  for (const row of rows) {
    const [id, period] = [row.text('block_id'), row.period()];
    const wrong = (what: string) => new AuctionError('invalid-book', `${source.folder}: ${name}: block ${id} ${what}`);
    const terms = {
      zone: row.text('zone'),
      side: sideOf(row.text('side'), `${source.folder}: ${name}`),
      price: row.number('price_eur_per_mwh'),
      status: statusOf(row.text('published_status'), wrong),
    };
    const block = blocks.get(id) ?? { ...terms, profile: [] };
    blocks.set(id, block);
    if (!isItalian(terms.zone)) throw wrong(`lies in zone ${terms.zone}`);
    for (const field of ['zone', 'side', 'price', 'status'] as const)
      if (terms[field] !== block[field]) throw wrong(`has ${field} ${block[field]} and ${terms[field]}`);
    if (block.profile.some((leg) => leg.period === period)) throw wrong(`has period ${period} twice`);
    const power = row.megawatts('quantity_mwh');
    if (power > 0) block.profile.push({ period, power });
  }
  for (const [id, { profile }] of blocks) {
    profile.sort((a, b) => a.period - b.period);
    if (profile.length === 0) blocks.delete(id);
  }
  return blocks;
}

function statusOf(text: string, wrong: (what: string) => AuctionError): PublishedStatus {
  const status = publishedStatuses.find((each) => each === text);
  if (status === undefined) throw wrong(`has status ${JSON.stringify(text)}`);
  return status;
}
