/** The workflow's third step: no result becomes final that the independent checker rejects. */

import type { z } from 'zod';
import { checkIntake } from '../book/seal.ts';
import { AuctionError, type Problem } from '../market/errors.ts';
import type { Verification } from '../verify/verify.ts';
import { verify } from '../verify/verify.ts';
import type { Ports } from './ports.ts';
import { readSealedBook, readUnpublished } from './results.ts';
import { auctionInRun, moveOn, type run } from './step.ts';

/** @throws AuctionError `invalid-result` that names the broken invariants */
export async function verifyResult(ports: Ports, input: z.output<typeof run>) {
  const auction = await auctionInRun(ports, input, 'preliminary');
  if (auction.state === 'preliminary') {
    const book = await readSealedBook(ports, auction);
    const result = await readUnpublished(ports, auction);
    const problems = [...checkIntake(book), ...problemsIn(verify(book, auction.book!.hash, result))];
    if (problems.length > 0) {
      ports.meter.record('results_refused', 1);
      const few = problems.slice(0, 5).map((problem) => `${problem.code}: ${problem.message}`);
      const more = problems.length > few.length ? `; and ${problems.length - few.length} more` : '';
      throw new AuctionError('invalid-result', `the verifier rejects the result: ${few.join('; ')}${more}`, problems);
    }
    await moveOn(ports, auction, 'final');
  }
  return { verified: true };
}

const problemsIn = ({ ok, checks }: Verification): Problem[] =>
  ok
    ? []
    : checks
        .filter((check) => check.violations.length > 0)
        .flatMap(({ invariant, title, violations }) =>
          violations.map(({ where, message }) => ({ code: invariant, message: `${title}, ${where}: ${message}` })),
        );
