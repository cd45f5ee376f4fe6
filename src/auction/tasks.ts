/**
 * The Task states of `workflow/auction.asl.json` by name: JSON in, JSON out, safe to run twice.
 *
 * On one machine the workflow calls them in process, in the cloud each is a function of its own.
 */

import type { z } from 'zod';
import { AuctionError } from '../market/errors.ts';
import { clearAuction, clearInput } from './clear-auction.ts';
import { notifyFailure, notifyFailureInput } from './notify-failure.ts';
import type { Ports } from './ports.ts';
import { publish } from './publish.ts';
import { sealAuction } from './seal-book.ts';
import { settlePage, settlePageInput } from './settle-page.ts';
import { run } from './step.ts';
import { verifyResult } from './verify-result.ts';

export type Task = (ports: Ports, input: unknown) => Promise<unknown>;

export const tasks = {
  SealBook: task(run, sealAuction),
  Clear: task(clearInput, clearAuction),
  Verify: task(run, verifyResult),
  SettlePage: task(settlePageInput, settlePage),
  Publish: task(run, publish),
  NotifyFailure: task(notifyFailureInput, notifyFailure),
} as const satisfies Record<string, Task>;

export type TaskName = keyof typeof tasks;

/** What `Retry` in the workflow waits for: a store that cannot write at the moment. It matches errors by name. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

function task<Input extends z.ZodType>(
  input: Input,
  step: (ports: Ports, input: z.output<Input>) => Promise<unknown>,
): Task {
  return async (ports, value) => {
    try {
      return await step(ports, input.parse(value));
    } catch (error) {
      if (!(error instanceof AuctionError)) throw error;
      if (error.code === 'unavailable') throw new Unavailable(error.message, { cause: error });
      throw error;
    }
  };
}
