/**
 * A trace of a function's work, with what went wrong in it. `post-orders` goes without: the library is a fifth of what it may
 * weigh, and Lambda traces its calls anyway.
 */

import { Tracer } from '@aws-lambda-powertools/tracer';
import { type Handler, observed } from './observed.ts';

const tracer = new Tracer();

export function traced<Event, Answer>(work: Handler<Event, Answer>): Handler<Event, Answer> {
  return observed(async (event, context) => {
    const parent = tracer.getSegment();
    const segment = parent?.addNewSubsegment(`## ${context.functionName}`);
    if (segment) tracer.setSegment(segment);
    tracer.annotateColdStart();
    tracer.addServiceNameAnnotation();
    try {
      return await work(event, context);
    } catch (error) {
      tracer.addErrorAsMetadata(error as Error);
      throw error;
    } finally {
      segment?.close();
      if (parent) tracer.setSegment(parent);
    }
  });
}
