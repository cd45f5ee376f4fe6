/**
 * A book as the proof's checker reads it: what everybody may do, and what ties them together.
 *
 * Limit and curve orders as curves, columns of all else that trades, rows over these columns, and the decisions. It is the
 * checker's own reading of market rules 2 and 3: it shares the names of `market/proof.ts` with the engine, and no code. All numbers
 * are whole (`scale.ts`).
 */

import type { Book } from '../../market/book.ts';
import { isUnit, spanOf } from '../view/units.ts';
import { Building, type Model } from './building.ts';
import { Curve, type Piece, piecesOf } from './curve.ts';
import { addLines, addRamps, addRegions } from './network.ts';
import type { Scale } from './scale.ts';
import { addUnits } from './units.ts';

/** @throws TypeError where two things of the book have one name */
export function modelOf(book: Book, scale: Scale): Model {
  const to = new Building(book, scale);
  addLines(to);
  addRegions(to);
  addRamps(to);
  addUnits(to, book.orders.filter(isUnit));
  const { columns, rows, decisions } = to;
  const { zones, periods } = book;
  const priceLimits = { min: scale.price(book.priceLimits.min), max: scale.price(book.priceLimits.max) };
  return { scale, zones, periods, priceLimits, curves: curvesOf(to, priceLimits), columns, rows, decisions };
}

function curvesOf({ book, scale }: Building, limits: Model['priceLimits']): Curve[] {
  const crowds = new Map<string, { zone: number; from: number; span: number; pieces: Piece[] }>();
  const zones = new Map(book.zones.map((id, z) => [id, z]));
  for (const order of book.orders) {
    if (order.kind !== 'limit' && order.kind !== 'curve') continue;
    const span = spanOf(order, book);
    const [zone, from] = [zones.get(order.zone)!, (order.period - 1) * span];
    const key = `${zone}/${from}/${span}`;
    const crowd = crowds.get(key) ?? { zone, from, span, pieces: [] };
    crowds.set(key, crowd);
    for (const piece of piecesOf(order, scale, limits)) crowd.pieces.push(piece);
  }
  return [...crowds.values()].map(({ zone, from, span, pieces }) => new Curve(zone, from, span, pieces, limits));
}
