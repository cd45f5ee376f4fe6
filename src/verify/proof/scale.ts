/**
 * The whole numbers in which a proof is checked: volumes and ratios in units of 10^-v, prices of 10^-p, where v and p are the most
 * digits behind the point of any such number in book and proof, and 12 at the least. Money per hour is in units of 10^-(v + p), and what is a sum of gains times
 * volumes in units of 10^-(2v + p). Nothing is rounded.
 */

import type { Book } from '../../market/book.ts';
import { decimalsOf, scaledTo, tenTo } from '../../market/exact.ts';
import type { BookOrder } from '../../market/order.ts';
import type { Proof } from '../../market/proof.ts';

/** Fractions that straight lines leave are rounded to the last digit: there are so many of them at the least. */
const leastDecimals = 12;
/** No number of a book that means anything has more digits behind its point. */
const mostDecimals = 60;

export class Scale {
  readonly volumeDecimals: number;
  readonly priceDecimals: number;
  /** A whole: a ratio of 1, or 1 MW. */
  readonly one: bigint;

  constructor(volumeDecimals: number, priceDecimals: number) {
    this.volumeDecimals = volumeDecimals;
    this.priceDecimals = priceDecimals;
    this.one = tenTo(volumeDecimals);
  }

  readonly volume = (value: number): bigint => scaledTo(value, this.volumeDecimals);
  readonly price = (value: number): bigint => scaledTo(value, this.priceDecimals);

  /** A volume that is a product: a share of a power, a gradient times hours. */
  share(of: number, value: number): bigint {
    const decimals = decimalsOf(of);
    return scaledTo(of, decimals) * scaledTo(value, this.volumeDecimals - decimals);
  }
}

/** @throws RangeError for a number that has too many digits */
export function scaleOf(book: Book, proof: Proof): Scale {
  const [volume, price] = [new Most(), new Most()];
  const { priceLimits, lines, constraints, rampSets = [], netPositionRamps = [] } = book;
  price.see(priceLimits.min, priceLimits.max);
  for (const { capacity, reverse, loss, tariff } of lines) {
    volume.see(capacity, reverse, loss);
    price.see(tariff);
  }
  for (const { ramp, before } of [...lines, ...rampSets, ...netPositionRamps]) volume.see(ramp ?? 0, before ?? 0);
  for (const { ptdf, ram } of constraints) volume.see(ram, Object.values(ptdf));
  for (const order of book.orders) seeOrder(order, volume, price);
  for (const { nodes, prices } of proof.groups) {
    for (const { cells, rows } of prices) {
      price.see(cells);
      for (const [, value] of rows) price.see(value);
    }
    for (const node of nodes) {
      if (node.kind !== 'unsupported') continue;
      for (const [, value] of [...node.scaled.values, ...node.scaled.nets]) volume.see(value);
      volume.see(node.weight ?? 0);
    }
  }
  return new Scale(volume.most, price.most);
}

/** Digits behind the points of what it is shown. */
class Most {
  most = leastDecimals;

  see(...values: readonly (number | readonly number[])[]): void {
    for (const each of values) {
      if (typeof each === 'number') this.#take(each, 0);
      else for (const value of each) this.#take(value, 0);
    }
  }

  /** A product has the digits of both. */
  seeShare(of: number, value: number): void {
    this.#take(value, decimalsOf(of));
  }

  #take(value: number, more: number): void {
    const decimals = decimalsOf(value) + more;
    if (decimals > mostDecimals) throw new RangeError(`${value} has more than ${mostDecimals} digits behind its point`);
    if (decimals > this.most) this.most = decimals;
  }
}

function seeOrder(order: BookOrder, volume: Most, price: Most): void {
  if (order.kind !== 'curve' && order.kind !== 'complex') price.see(order.price);
  switch (order.kind) {
    case 'limit':
    case 'flexible':
      volume.see(order.power);
      return;
    case 'curve':
      for (const point of order.points) {
        price.see(point.price);
        volume.see(point.power);
      }
      return;
    case 'block':
      volume.see(order.power ?? 0, order.minAcceptance);
      for (const { power } of order.profile ?? []) volume.see(power);
      return;
    case 'complex':
      price.see(order.fixedTerm, order.variableTerm);
      for (const step of order.steps) {
        price.see(step.price);
        volume.seeShare(step.minAcceptance ?? 0, step.power);
      }
      for (const { power } of order.minPower ?? []) volume.see(power);
      // A gradient is times a half or a quarter of an hour.
      if (order.loadGradient !== undefined)
        for (const each of [order.loadGradient.up, order.loadGradient.down]) volume.seeShare(0.25, each);
  }
}
