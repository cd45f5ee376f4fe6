/** A step of the workflow as a task: JSON in, JSON out, with the error names that the workflow's `Retry` goes by. */

import type { z } from 'zod';
import { AuctionError } from '../../market/errors.ts';
import type { Ports } from '../ports.ts';

export type Task = (ports: Ports, input: unknown) => Promise<unknown>;

/** What `Retry` in the workflow waits for: a store that cannot write at the moment. It matches errors by name. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export function task<Input extends z.ZodType>(
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
