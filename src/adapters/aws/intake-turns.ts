/**
 * Whose turn it is to move the head of a shard, so that requests get into the log in a rush as when they are alone.
 *
 * Who finds nobody before the shard commits at once, alone. Who does not gets into its queue (`intake-queue.ts`). There the first one
 * commits for all that wait, in one transaction; the others look again a little later, the later the further behind they are, and mostly
 * find that they are in the log. Where the first one stands still (its function has died, say), the next goes ahead with it.
 * Nobody depends on another's doing: each is as good as alone, and only the transaction decides.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Receipt } from '../../book/intake.ts';
import { type Action, type Key, limits } from './database.ts';
import type { Against, IntakeLog, LogRequest } from './intake-log.ts';
import { type IntakeQueue, mostSeen, type Waiting } from './intake-queue.ts';
import type { Place } from './log-readers.ts';

/** What a request knows of its turn. */
export interface Turn {
  readonly place: Place;
  /** It met others, and goes by the queue. */
  isCrowded: boolean;
  /** Where it waits. */
  waits?: Key | undefined;
  /** Who was first in the queue at the last look, and how often in a row. */
  seen?: { readonly first: string; readonly times: number } | undefined;
  /** How often it was too far behind to be seen. */
  unseen?: number;
}

export type Attempt =
  | { readonly state: 'committed'; readonly receipts: Receipt[] }
  /** Who has been in the queue, or has sent a commit, may be in the log all the same. */
  | { readonly state: 'closed'; readonly isCertain: boolean }
  /** Others are there: what can be done before is to be done now, then it goes by the queue. */
  | { readonly state: 'crowded'; readonly isCertain: boolean }
  /** Its turn had not come: the pause is over, and others may have committed it since. */
  | { readonly state: 'waiting' }
  /** It is not in the queue any more: it is in the log, or aborted, or what it asks cannot be. */
  | { readonly state: 'gone' }
  | ({ readonly state: 'refused'; readonly isCertain: boolean } & Against);

/** Of the pages of requests that are committed together, beside what else is in the transaction. */
const togetherBytes = 2_500_000;
/** How long it takes to commit for all: whoever is behind looks again after that. */
const turnMs = 14;
/** How often the first one may be found in its place before the next one goes ahead. */
const patience = 2;

/** @param staleMs  how long a request may wait that only its owner can commit, until it is taken for dead */
export function openTurns(log: IntakeLog, queue: IntakeQueue, staleMs: number) {
  /** Commit alone. */
  async function alone(place: Place, request: LogRequest, stamp: () => string): Promise<Attempt> {
    const [head, waiting] = await Promise.all([log.headOf(place), queue.look(place)]);
    if (head.closed) return { state: 'closed', isCertain: true };
    if (waiting.length > 0) return { state: 'crowded', isCertain: true };
    const answer = await log.commit(place, head, [request], stamp());
    if (answer.done) return { state: 'committed', receipts: answer.receipts[0]! };
    const [against] = answer.against;
    if (against!.recorded !== undefined || against!.refused.size > 0)
      return { state: 'refused', isCertain: answer.isCertain, ...against! };
    if (answer.closed) return { state: 'closed', isCertain: false };
    return { state: 'crowded', isCertain: answer.isCertain };
  }

  /** Commit for all, or wait. */
  async function inQueue(turn: Turn, request: LogRequest, stamp: () => string): Promise<Attempt> {
    const { place } = turn;
    const [head, waiting] = await Promise.all([log.headOf(place), queue.look(place)]);
    const rank = waiting.findIndex((each) => each.request === request.request);
    if (rank < 0 && waiting.length < mostSeen) return { state: 'gone' };
    if (head.closed) return { state: 'closed', isCertain: false };
    if (rank !== 0) {
      const first = waiting[0]!.request;
      const times = turn.seen?.first === first ? turn.seen.times + 1 : 1;
      turn.seen = { first, times };
      if (times <= patience) {
        await sleep(turnMs * (0.5 + Math.random()) * (rank > 0 ? 1 : longerFor(turn)));
        return { state: 'waiting' };
      }
      turn.seen = undefined;
    }
    const received_at = stamp();
    const others = waiting.filter((each) => each.request !== request.request);
    const together = chosen(queue, request, turn.waits!, others);
    const answer = await log.commit(
      place,
      head,
      together.map((each) => each.request),
      received_at,
    );
    const stale = others.filter(({ read, since }) => read === undefined && Date.parse(received_at) - since > staleMs);
    const impossible = answer.done ? [] : together.slice(1).filter((_, at) => isImpossible(answer.against[at + 1]!));
    const outs = [...stale, ...impossible].map(({ key }) => key);
    if (outs.length > 0) await queue.putOut(outs);
    if (answer.done) return { state: 'committed', receipts: answer.receipts[0]! };
    if (answer.closed) return { state: 'closed', isCertain: false };
    const [own] = answer.against;
    if (isImpossible(own!)) return { state: 'refused', isCertain: answer.isCertain, ...own! };
    if (impossible.length === 0) await sleep(turnMs * Math.random());
    return { state: 'waiting' };
  }

  return {
    /** Try once. @param stamp  the time of the write, unless the gate is closed then; it throws */
    async attempt(turn: Turn, request: LogRequest, stamp: () => string, ttl: number): Promise<Attempt> {
      if (!turn.isCrowded) return alone(turn.place, request, stamp);
      turn.waits ??= await queue.join(turn.place, request, ttl);
      return inQueue(turn, request, stamp);
    },
    /** Off the queue, if it is in it. */
    async leave(turn: Turn): Promise<void> {
      if (turn.waits !== undefined) await queue.putOut([turn.waits]);
      turn.waits = undefined;
      turn.seen = undefined;
    },
  };
}

/** Turns that whoever is too far behind to be seen sits out: the longer the queue, the fewer looks at it, or they alone would fill the day. */
function longerFor(turn: Turn): number {
  const unseen = turn.unseen ?? 0;
  turn.unseen = unseen + 1;
  return 3 * 2 ** Math.min(unseen, 4);
}

const isImpossible = ({ recorded, refused }: Against): boolean =>
  recorded !== undefined || [...refused.values()].some(({ code }) => code === 'ConditionalCheckFailed');

/** Of a request that brings none: its record, a page, the note for its participant, its place in the queue. */
const leastActions = 4;

interface Together {
  readonly key: Key;
  readonly request: LogRequest;
}

/** A request and those of the others that fit into one transaction with it; each leaves the queue by it. */
function chosen(queue: IntakeQueue, own: LogRequest, key: Key, others: readonly Waiting[]): Together[] {
  const together: Together[] = [];
  const touched = new Set<string>();
  let actions = 1; // the head's
  let bytes = 0;
  const add = (request: LogRequest, key: Key): void => {
    const names = [request.request, ...request.actions.map(nameOf)]; // a request may have got into the queue twice
    const more = leastActions - 1 + request.pages.length + request.actions.length;
    const size = request.pages.reduce((sum, { content }) => sum + content.length, 0);
    const fits = actions + more <= limits.actions && bytes + size <= togetherBytes;
    if (together.length > 0 && (!fits || names.some((name) => touched.has(name)))) return;
    for (const name of names) touched.add(name);
    actions += more;
    bytes += size;
    together.push({ key, request: { ...request, actions: [...request.actions, queue.leaving(key)] } });
  };
  add(own, key);
  for (const { read, key } of others)
    if (read !== undefined && actions + leastActions <= limits.actions) add(read(), key);
  return together;
}

const nameOf = (action: Action): string => {
  const { record_id, pk, sk } = 'put' in action ? action.put : 'remove' in action ? action.remove : action.update;
  return JSON.stringify([action.table, record_id, pk, sk]);
};
