/** The workflow's third step: no result becomes final that the independent checker rejects. */

import type { z } from 'zod';
import { checkIntake } from '../../book/check-intake.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Verification } from '../../verify/verify.ts';
import { verify } from '../../verify/verify.ts';
import { signResult } from '../evidence/statements.ts';
import type { Ports } from '../ports.ts';
import { readSealedBook, readUnpublished } from '../views/results.ts';
import { auctionInRun, moveOn, type run } from './step.ts';

/** @throws AuctionError `invalid-result` that names the broken invariants */
export async function verifyResult(ports: Ports, input: z.output<typeof run>) {
  const auction = await auctionInRun(ports, input, 'preliminary');
  if (auction.state === 'preliminary') {
    const book = await readSealedBook(ports, auction);
    const result = await readUnpublished(ports, auction);
    const check = ports.engine?.verify ?? verify;
    const problems = [...checkIntake(book), ...problemsIn(await check(book, auction.book!.hash, result))];
    if (problems.length > 0) {
      ports.meter.record('results_refused', 1);
      // The cause of a failed auction is public, and orders are not: the diagnosis has them.
      const broken = [...Map.groupBy(problems, ({ code }) => code)].map(([code, some]) => `${code} (${some.length})`);
      throw new AuctionError('invalid-result', `the verifier rejects the result: ${broken.join(', ')}`, problems);
    }
    const statement = { auction: auction.id, book: auction.book!.hash, result: auction.result!.hash };
    await moveOn(ports, auction, 'final', { result: { ...auction.result!, ...(await signResult(ports, statement)) } });
  }
  return { rules: 'hold', decisions: 'unchecked' } as const;
}

const problemsIn = ({ ok, checks }: Verification): Problem[] =>
  ok
    ? []
    : checks
        .filter((check) => check.violations.length > 0)
        .flatMap(({ invariant, title, violations }) =>
          violations.map(({ where, message }) => ({ code: invariant, message: `${title}, ${where}: ${message}` })),
        );
