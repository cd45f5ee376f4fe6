/** A meter that remembers: what was recorded, in order. */

import type { Meter, MetricName } from '../../src/auction/views/metrics.ts';

export interface Recorded {
  readonly name: MetricName;
  readonly value: number;
  readonly label?: string;
}

export function recordingMeter(): Meter & { readonly recorded: readonly Recorded[] } {
  const recorded: Recorded[] = [];
  return {
    recorded,
    record: (name, value, ...[label]) => void recorded.push({ name, value, ...(label !== undefined && { label }) }),
  };
}
