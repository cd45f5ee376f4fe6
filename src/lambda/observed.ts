/** What every function does around its work: log under its request, count cold starts and faults. */

import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import type { Log } from '../api/problems.ts';
import { meter } from './meter.ts';

export const logger = new Logger();
const metrics = new Metrics();

export type LambdaContext = Parameters<Logger['addContext']>[0];

/** Where the app says what failed. */
export const log: Log = ({ event, ...rest }) => {
  logger.error(String(event), rest);
  if (event === 'request-failed') meter.record('faults', 1);
};

export type Handler<Event, Answer> = (event: Event, context: LambdaContext) => Promise<Answer>;

export function observed<Event, Answer>(work: Handler<Event, Answer>): Handler<Event, Answer> {
  return async (event, context) => {
    logger.addContext(context);
    metrics.setFunctionName(context.functionName);
    metrics.captureColdStartMetric();
    try {
      return await work(event, context);
    } catch (error) {
      for (const each of error instanceof AggregateError ? error.errors : [error])
        logger.error('the function failed', each as Error);
      meter.record('faults', 1);
      throw error;
    } finally {
      if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
    }
  };
}
