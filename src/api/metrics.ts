/** The house's metrics, for a Prometheus to read. In the cloud they are CloudWatch's, and this route is not there. */

import { type Route, route } from './route.ts';

export const metricRoutes = (read: () => Promise<string>): Route[] => [
  route({
    id: 'readMetrics',
    method: 'get',
    path: '/metrics',
    tag: 'House',
    summary: 'Metrics of the house since its start, in the text format of Prometheus',
    answers: { 200: { description: 'Each metric with what it means', type } },
    handle: async (c) => c.body(await read(), 200, { 'content-type': `${type}; version=0.0.4; charset=utf-8` }),
  }),
];

const type = 'text/plain';
