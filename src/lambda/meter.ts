/** The house's metrics as lines of the log in Embedded Metric Format, which CloudWatch takes its figures from. */

import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type Meter, metrics } from '../auction/views/metrics.ts';
import { metricService } from './environment.ts';

const emf = new Metrics({ defaultDimensions: { service: metricService } });

export const meter: Meter = {
  record(name, value, ...[label]) {
    const { unit, by } = { by: undefined, ...metrics[name] };
    const line = emf.singleMetric();
    if (by !== undefined) line.addDimension(by, label!);
    line.addMetric(name, unit === 'None' ? MetricUnit.NoUnit : MetricUnit[unit], value);
  },
};
