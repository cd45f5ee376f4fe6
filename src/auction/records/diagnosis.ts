/** What was found out about an auction that failed (`steps/diagnose.ts` looks for it): a document of the archive. */

import * as z from 'zod';
import { auctionId } from '../../market/book.ts';
import { AuctionError } from '../../market/errors.ts';
import { orderName } from '../../market/result.ts';
import { auction as auctionSchema } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { readDocument } from './documents.ts';
import { diagnosisKey } from './keys.ts';
import { findAuction } from './moves.ts';

const findings = auctionSchema.shape.failure.unwrap().shape.diagnosis.unwrap().shape.found;
export type Finding = z.output<typeof findings>;

export const diagnosis = z
  .strictObject({
    merit: z.literal('diagnosis/1'),
    auction: auctionId,
    run: z.int().min(1),
    cause: z.string().meta({ description: 'what the whole book fails with' }),
    details: z.array(z.string()).meta({ description: 'rules that the result breaks, where there is one' }),
    found: findings.meta({
      description:
        '`clears`: it clears after all; `orders`, `participants`: it clears without `without`, which are single orders, or all of ' +
        'some participants; `nothing`: it fails even without any order, so it is the network; `spent`: the time was over first',
    }),
    without: z.array(orderName).meta({ description: 'as few orders as were found, without which the auction clears' }),
    conflicts: z
      .array(z.array(orderName))
      .meta({ description: 'orders that fail together, and without any of them do not' }),
    clearings: z.int().meta({ description: 'how many books were cleared to find this' }),
  })
  .meta({ id: 'Diagnosis' });
export type Diagnosis = z.output<typeof diagnosis>;

/** @throws AuctionError `not-found`; `wrong-state` while there is none; `damaged-data` */
export async function readDiagnosis(ports: Ports, id: string): Promise<Diagnosis> {
  const auction = await findAuction(ports, id);
  const known = auction.failure?.diagnosis;
  if (known !== undefined) {
    const key = diagnosisKey(auction);
    // A record of before diagnoses had hashes has none.
    const text = known.hash === undefined ? await ports.archive.read(key) : await readDocument(ports, key, known.hash);
    if (text !== undefined) return diagnosis.parse(JSON.parse(text));
  }
  throw new AuctionError(
    'wrong-state',
    `auction ${id} is ${auction.state}: there is no diagnosis of its run ${auction.run}`,
  );
}
