/**
 * How many requests are taken: of one caller in a time, and of all at one time. What is more gets 429 and `retry-after`, before anything of
 * it is looked at, so that nobody takes the house away from the others. In the cloud the gateway has such limits.
 */

import type { Context, MiddlewareHandler } from 'hono';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Identity } from '../access/identity.ts';
import { answerProblem } from './problems.ts';

export interface CallLimits {
  /** Requests a second of one client, or of one address without a token; any number without it. In ten seconds ten times as many. */
  readonly perSecond?: number;
  /** Requests that are worked on at one time. */
  readonly atOnce: number;
  /** Where a request comes from. */
  readonly addressOf: (c: Context) => string;
}

/** A refusal, or nothing for a caller within its limit. */
export type LimitCaller = (c: Context, identity: Identity | undefined) => Promise<Response | undefined>;

const windowSeconds = 10;

/** What an app is given, so that one behind a gateway comes without the library. */
export interface Limits {
  readonly all: MiddlewareHandler;
  /** Where callers have a limit. */
  readonly caller?: LimitCaller;
}

export const openLimits = ({ perSecond, atOnce, addressOf }: CallLimits): Limits => ({
  all: limitAll(atOnce),
  ...(perSecond !== undefined && { caller: limitCallers(perSecond, addressOf) }),
});

function limitCallers(perSecond: number, addressOf: CallLimits['addressOf']): LimitCaller {
  const limiter = new RateLimiterMemory({ points: perSecond * windowSeconds, duration: windowSeconds });
  return async (c, identity) => {
    try {
      await limiter.consume(identity === undefined ? `address ${addressOf(c)}` : `client ${identity.client}`);
      return undefined;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      const seconds = Math.ceil(refusal.msBeforeNext / 1000);
      const who = identity === undefined ? 'this address' : `client ${identity.client}`;
      const detail = `${who} has made more than ${perSecond * windowSeconds} requests in ${windowSeconds} s`;
      return answerProblem(c, 'too-many-requests', detail, { headers: { 'retry-after': String(seconds) } });
    }
  };
}

function limitAll(atOnce: number): MiddlewareHandler {
  let atWork = 0;
  return async (c, next) => {
    if (atWork >= atOnce) {
      const detail = `${atOnce} requests are being worked on; this one was not taken up`;
      return answerProblem(c, 'too-many-requests', detail, { headers: { 'retry-after': '1' } });
    }
    atWork++;
    try {
      return await next();
    } finally {
      atWork--;
    }
  };
}
