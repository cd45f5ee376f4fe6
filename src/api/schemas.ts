/** Pieces that several resources share. */

import * as z from 'zod';
import { auctionId } from '../market/book.ts';
import { instant, resolution } from '../market/time.ts';

/** A number in a query: text that is a whole number, within bounds. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));

export const limit = (usual: number, most: number) =>
  wholeNumber(1, most)
    .default(usual)
    .meta({ description: `how many at most; ${usual} unless said, up to ${most}` });

/** Continue a list after this sequence. */
export const after = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  .exactOptional()
  .meta({ description: 'only orders after this sequence; `next` of the page before' });

/** Continue a list that has no sequence of its own after so many. */
export const place = wholeNumber(0, Number.MAX_SAFE_INTEGER)
  .exactOptional()
  .meta({ description: 'leave out so many; `next` of the page before' });

export const auctionParams = z.strictObject({ id: auctionId });

/** Columns: every list under `zones` or `lines` is aligned with `start`. */
export const startColumn = z.array(instant).meta({ description: 'UTC instants at which the periods start' });
export const series = z.record(z.string(), z.array(z.number()));
export const delivered = { auction: auctionId, resolution, start: startColumn };
