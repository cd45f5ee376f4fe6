/** What a simulated house runs on, one machine or the cloud: the same traders, operator and truth meet either. */

import type { Notice, Ports } from '../../src/auction/ports.ts';
import type { Faults } from './faults.ts';
import type { Plant } from './planted.ts';
import type { SimulatedTime } from './time.ts';

/** Whoever answers a request. */
export interface Process {
  /** As clients have them: with faults. */
  readonly ports: Ports;
  /** Resolves when it has died, if requests then have no answer. */
  readonly died: Promise<void>;
}

export interface Setting {
  /** Who would answer now; undefined while nobody does. */
  process(): Process | undefined;
  /** Without faults, to look at what is there; undefined while nobody is there. */
  own(): Ports | undefined;
  /** Start it, or start it again once it is time. */
  start(): Promise<void>;
  readonly restartAt: () => number;
  readonly objects: ReadonlyMap<string, string>;
  /** What those who are to be told have heard. */
  readonly heard: readonly Notice[];
  /** Whether nobody waits to be told. */
  isQuiet(): boolean;
  /** What may happen to it besides: each looks whether it is to happen. */
  readonly mishaps: readonly ((auction: string) => Promise<void>)[];
  /** Auctions whose stored orders somebody has changed. */
  readonly altered: ReadonlySet<string>;
  stop(): Promise<void>;
}

export interface SettingOptions {
  readonly time: SimulatedTime;
  readonly faults: Faults;
  /** What is wrong with the house, to see whether the simulation finds it. */
  readonly plant?: Plant | undefined;
}

/** What the request of a process that has died fails with. */
export const killed = 'this process is no more';
