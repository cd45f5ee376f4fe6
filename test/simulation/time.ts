/**
 * Simulated time: every timer and every clock of the process is turned by hand, so that a run is a function of its seed.
 *
 * Nothing in a simulation waits for the machine: SQLite works in the turn that asks, syncs and archives are simulated, and what is left
 * are promises and timers. One step runs the timer that is due next, and then all promises that follow from it.
 */

import { syncBuiltinESMExports } from 'node:module';
import FakeTimers, { type Clock } from '@sinonjs/fake-timers';

const realImmediate = setImmediate;

/** Resolves when no promise that can go on is left: `setImmediate` comes after all microtasks. */
export const drained = (): Promise<void> => new Promise((resolve) => void realImmediate(resolve));

export interface SimulatedTime {
  /** Milliseconds since 1970 of the simulation itself, which no jump of the machine's clock moves. */
  now(): number;
  /** Run what is due until then, each timer and what follows from it. */
  runUntil(time: number): Promise<void>;
  /** What the machine's clock is off from now on, in milliseconds. */
  jump(by: number): void;
  /** Timers of a process that has died never fire. */
  forgetTimers(): void;
  stop(): void;
}

/** Timers and clocks of this process are simulated until `stop()`: one simulation at a time. */
export function simulateTime(start: number): SimulatedTime {
  const install = (now: number): Clock => {
    const toFake = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
    const fake = FakeTimers.install({
      now,
      toFake: [...toFake, 'setImmediate', 'clearImmediate', 'Date', 'performance'],
    });
    syncBuiltinESMExports();
    return fake;
  };
  let clock = install(start);
  /** The clock's own time starts anew with each process; this is what passed before. */
  let off = 0;
  const now = () => clock.now - off;
  const nextAt = (): number => {
    let next = Number.POSITIVE_INFINITY;
    for (const { callAt = next } of clock.timers?.values() ?? []) next = Math.min(next, callAt);
    return next - off;
  };
  return {
    now,
    async runUntil(time) {
      await drained();
      while (nextAt() <= time) {
        clock.next();
        await drained();
      }
      if (time > now()) clock.tick(time - now());
      await drained();
    },
    jump(by) {
      clock.setSystemTime(clock.now + by);
      off += by;
    },
    forgetTimers() {
      const at = clock.now;
      clock.uninstall();
      clock = install(at);
    },
    stop() {
      clock.uninstall();
      syncBuiltinESMExports();
    },
  };
}
