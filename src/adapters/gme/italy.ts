/** The words of the Italian market that all tables share. */

import { AuctionError } from '../../market/errors.ts';

export const timeZone = 'Europe/Rome';
export const italianZones = ['NORD', 'CNOR', 'CSUD', 'SUD', 'CALA', 'SICI', 'SARD'] as const;

export const isItalian = (zone: string): boolean => (italianZones as readonly string[]).includes(zone);

/** GME publishes to five decimals: a price that comes in over a border has them, Italian limits have two. */
export const priceLimits = { min: -500, max: 4000, tick: 0.00001 } as const;

export function sideOf(text: string, where: string): 'buy' | 'sell' {
  if (text === 'demand') return 'buy';
  if (text === 'supply') return 'sell';
  throw new AuctionError('invalid-book', `${where} has side ${JSON.stringify(text)}, neither demand nor supply`);
}

/** Sums of binary fractions such as 74.89999999999999 are the kilowatts they were: GME publishes three decimals. */
export const toKilowatt = (value: number): number => Math.round(value * 1000) / 1000;
