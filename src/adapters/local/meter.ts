/** The house's metrics in memory, and as Prometheus reads them (text format 0.0.4). They begin at nothing with each start. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type Meter, type MetricName, metricNames, metrics } from '../../auction/views/metrics.ts';

/** Upper ends of the buckets of a distribution. */
const buckets = {
  Count: [1, 10, 100, 1000, 10_000],
  Milliseconds: [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000],
  Seconds: [0.1, 0.3, 1, 3, 10, 30, 60, 120, 300, 600, 1800, 3600],
  Bytes: [1e3, 1e4, 1e5, 1e6, 1e7, 1e8],
  None: [0, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 1e-1, 1],
} as const;

export interface LocalMeter extends Meter {
  /** Everything so far. */
  text(): Promise<string>;
}

export function openMeter(): LocalMeter {
  const registry = new Registry();
  const takers = new Map(metricNames.map((name) => [name, taker(name, registry)]));
  return {
    record: (name, value, ...[label]) => takers.get(name)!(value, label),
    text: () => registry.metrics(),
  };
}

function taker(name: MetricName, registry: Registry): (value: number, label?: string) => void {
  const { kind, unit, means, by } = { by: undefined, ...metrics[name] };
  const shared = { name, help: means, registers: [registry], labelNames: by === undefined ? [] : [by] };
  const labels = (label: string | undefined) => (by === undefined ? {} : { [by]: label! });
  switch (kind) {
    case 'counter': {
      const counter = new Counter(shared);
      return (value, label) => counter.inc(labels(label), value);
    }
    case 'gauge': {
      const gauge = new Gauge(shared);
      return (value, label) => gauge.set(labels(label), value);
    }
    case 'distribution': {
      const histogram = new Histogram({ ...shared, buckets: [...buckets[unit]] });
      return (value, label) => histogram.observe(labels(label), value);
    }
  }
}
