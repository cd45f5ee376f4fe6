#!/usr/bin/env -S node --disable-warning=ExperimentalWarning --max-semi-space-size=8
/** The command `merit`. What it can do stands in `program.ts`; here is only how it ends. */

import { report } from './failure.ts';
import { program } from './program.ts';

// A reader that has seen enough (`merit auctions | head -1`) is no fault: what is still written goes nowhere.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  await program().parseAsync();
} catch (error) {
  process.exitCode = report(error);
}
