/** What a house knows of its own state, for whoever watches it. */

import * as z from 'zod';
import { instant } from '../../market/time.ts';

export const healthStatus = z.enum(['ok', 'warning', 'failing']).meta({
  description: '`failing`: it cannot keep its promises now; `warning`: a person has to look',
});
export type HealthStatus = z.output<typeof healthStatus>;

export const finding = z
  .strictObject({
    name: z.string().meta({ description: 'what was looked at, such as `disk space`' }),
    status: healthStatus,
    found: z.string(),
    todo: z.string().exactOptional().meta({ description: 'what helps, where it is not ok' }),
  })
  .meta({ id: 'Finding' });
export type Finding = z.output<typeof finding>;

export const health = z
  .strictObject({
    status: healthStatus,
    time: instant,
    markets: z.array(z.string()),
    findings: z.array(finding).exactOptional().meta({ description: 'where the house looks after itself' }),
  })
  .meta({ id: 'Health' });

const order: readonly HealthStatus[] = ['ok', 'warning', 'failing'];

/** The worst of what was found. */
export const worst = (findings: readonly Finding[]): HealthStatus =>
  order[Math.max(0, ...findings.map(({ status }) => order.indexOf(status)))]!;
