/**
 * The clock of the machine, watched: what it says is held against how much time has passed. When it jumps, gates stand still until it is
 * back in line, since an auction that closes at a wrong hour cannot be held again.
 *
 * A jump is told apart from a sleep. A process that is stopped loses no time on either clock. A machine that is suspended stops the
 * monotonic clock, but counts on its uptime; where there is no uptime to read (not on Linux) a suspension looks like a jump.
 * NTP slews a clock by less than a second in half an hour: so slowly it may drift. A clock that was wrong before and is right now has
 * jumped too: that it is right is for the operator to say, by a restart, which takes the clock as it is.
 */

import { readFileSync } from 'node:fs';
import type { Clock } from '../../auction/ports.ts';
import { AuctionError } from '../../market/errors.ts';

export interface ClockFault {
  /** How far the clock is ahead of the time that has passed; negative: behind. */
  readonly seconds: number;
  /** When that was seen, by the time that has passed. */
  readonly since: string;
}

export interface WatchedClock extends Clock {
  /** For what cannot be taken back: gates, intake, deletion. `now()` throws `unavailable` while the clock is off. */
  readonly gates: Clock;
  fault(): ClockFault | undefined;
}

export interface ClockSources {
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  /** Milliseconds that have passed, those of a suspension left out. */
  readonly monotonic: () => number;
  /** Milliseconds since the machine was started, suspensions included; `undefined` where that cannot be known. */
  readonly uptime: () => number | undefined;
}

/** A leap second and a correction after some seconds without network are none. */
const boundMs = 2000;

const machine: ClockSources = { wall: Date.now, monotonic: () => performance.now(), uptime: readUptime };

function readUptime(): number | undefined {
  try {
    return Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1000;
  } catch {
    return undefined; // not on this system
  }
}

export function watchClock({ wall, monotonic, uptime }: ClockSources = machine): WatchedClock {
  const sleepSoFar = () => (uptime() ?? monotonic()) - monotonic();
  let slept = sleepSoFar();
  /** What the wall clock showed when the monotonic one began. */
  let base = wall() - monotonic();
  let fault: ClockFault | undefined;

  const look = (): ClockFault | undefined => {
    const off = () => wall() - monotonic() - base;
    if (Math.abs(off()) >= boundMs) {
      // Looked at only now: it costs the reading of a file.
      const sleep = sleepSoFar();
      base += sleep - slept;
      slept = sleep;
    }
    const ms = off();
    if (Math.abs(ms) >= boundMs) {
      fault = { seconds: Math.round(ms) / 1000, since: fault?.since ?? new Date(wall() - ms).toISOString() };
    } else {
      fault = undefined;
      base += ms;
    }
    return fault;
  };

  const gates: Clock = {
    now() {
      const seen = look();
      if (seen === undefined) return new Date(wall());
      const jump = `the clock jumped by ${seen.seconds > 0 ? '+' : ''}${seen.seconds} s`;
      throw new AuctionError(
        'unavailable',
        `${jump}: gates stand still until it is back, or until the house is started again, which takes the clock as it is`,
      );
    },
  };
  return { now: () => new Date(wall()), gates, fault: look };
}
