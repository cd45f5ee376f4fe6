/** Which faults happen in a simulation, and how often each did. Every kind has chances of its own, so that one can be left out. */

import { type Dice, diceOf } from '../support/extreme-markets.ts';

/** Each kind, what it is, and how likely at most it is at one of its occasions. */
export const faults = {
  crash: { means: 'the process dies at a call of a port, before or after it is done', most: 0.01 },
  'power-loss': { means: 'it dies, and the log that was not synced is lost, perhaps torn', most: 0.01 },
  slow: { means: 'a call of a port takes up to 5 s', most: 0.1 },
  refused: { means: 'a call of a port fails and does nothing', most: 0.1 },
  unanswered: { means: 'a call of a port is done, but fails', most: 0.1 },
  late: { means: 'a request to a service of the cloud is given up, and is done later', most: 0.02 },
  doubled: { means: 'a request to a service of the cloud is delivered twice', most: 0.05 },
  'late-results': { means: 'the engine has no result yet', most: 0.6 },
  'step-twice': { means: 'a step of the workflow runs a second time beside the first', most: 0.5 },
  'disk-full': { means: 'the database cannot grow for up to a minute', most: 0.7 },
  'sync-failed': { means: 'the log cannot be synced', most: 0.1 },
  'clock-jump': { means: 'the clock is off by up to an hour for up to half a minute', most: 0.5 },
  'webhook-down': { means: 'a webhook does not answer, or refuses', most: 0.7 },
  'altered-row': { means: 'somebody changes the database by SQL', most: 0.5 },
} as const satisfies Record<string, { means: string; most: number }>;

export type FaultKind = keyof typeof faults;
export const faultKinds = Object.keys(faults) as FaultKind[];

export class Faults {
  /** How often each has happened. */
  readonly counts = Object.fromEntries(faultKinds.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  readonly #dice = new Map<FaultKind, Dice>();
  readonly #rates = new Map<FaultKind, number>();
  #isOver = false;

  /** Of each kind a seed has none, a few or many. */
  constructor(seed: number, without: readonly FaultKind[] = []) {
    for (const [at, kind] of faultKinds.entries()) {
      const dice = diceOf(seed * 64 + at);
      const rate = dice.isSo(0.5) ? 0 : dice.share() * faults[kind].most;
      this.#dice.set(kind, dice);
      this.#rates.set(kind, without.includes(kind) ? 0 : rate);
    }
  }

  /** Whether it happens at this occasion. */
  happens(kind: FaultKind): boolean {
    if (this.#isOver || !this.dice(kind).isSo(this.#rates.get(kind)!)) return false;
    this.counts[kind]++;
    return true;
  }

  /** For how long, how far and the like. */
  dice(kind: FaultKind): Dice {
    return this.#dice.get(kind)!;
  }

  /** From now on all is well, so that what can end ends. */
  end(): void {
    this.#isOver = true;
  }
}
