/**
 * What the house counts and measures: the one table. `/metrics` on one machine and CloudWatch in the cloud have these names, the
 * dashboard and the alarms of `lib/watching/` are drawn over them, docs/runbook.md says what to do when they are off.
 *
 * Steps may run twice, and then count twice: a metric shows that something is wrong, the books say what happened.
 */

interface Metric {
  /** `counter`: so many more; `gauge`: so much now; `distribution`: one of many values. */
  readonly kind: 'counter' | 'gauge' | 'distribution';
  readonly unit: 'Count' | 'Milliseconds' | 'Seconds' | 'Bytes' | 'None';
  /** Where it is measured, if not in both settings: in the cloud the services below have figures of their own. */
  readonly only?: 'one machine';
  /** What it is told apart by. */
  readonly by?: string;
  readonly means: string;
}

export const metrics = {
  orders_received: { kind: 'counter', unit: 'Count', means: 'orders that got a receipt' },
  orders_replaced: { kind: 'counter', unit: 'Count', means: 'orders that got a new version before the gate closed' },
  orders_cancelled: { kind: 'counter', unit: 'Count', means: 'orders taken back before the gate closed' },
  submissions_refused: {
    kind: 'counter',
    unit: 'Count',
    by: 'code',
    means: 'requests with orders that were refused, by the code of the problem',
  },
  intake_milliseconds: {
    kind: 'distribution',
    unit: 'Milliseconds',
    means: 'from a request with orders to its durable receipts',
  },
  oldest_unsettled_seconds: {
    kind: 'gauge',
    unit: 'Seconds',
    means: 'how long the gate of the auction that waits longest for its settlement has been closed; 0 when none waits',
  },
  gates_overdue_seconds: {
    kind: 'gauge',
    unit: 'Seconds',
    means: 'how long the gate that waits longest should have been opened or closed; 0 when none is overdue',
  },
  store_writable: {
    kind: 'gauge',
    unit: 'None',
    only: 'one machine',
    means: '1 while the database takes writes, else 0',
  },
  disk_free_bytes: { kind: 'gauge', unit: 'Bytes', only: 'one machine', means: 'room where the data folder is' },
  notices_waiting: { kind: 'gauge', unit: 'Count', only: 'one machine', means: 'notices that are to be delivered yet' },
  event_loop_delay_milliseconds: {
    kind: 'gauge',
    unit: 'Milliseconds',
    only: 'one machine',
    means: 'how long the server did nothing else at most, since it was looked at last',
  },
  clearing_milliseconds: { kind: 'distribution', unit: 'Milliseconds', means: 'one call of clearing' },
  clearing_retries: { kind: 'counter', unit: 'Count', means: 'times that clearing answered `results: false`' },
  clearing_gap: { kind: 'distribution', unit: 'None', means: 'relative gap between welfare and bound of a result' },
  programs_solved_again: {
    kind: 'counter',
    unit: 'Count',
    means:
      'programs whose answer of the solver did not hold by our own arithmetic: solved again with its other settings',
  },
  programs_doubtful: {
    kind: 'counter',
    unit: 'Count',
    means: 'those that no settings answered so that it holds: the nearest answer was taken, and the verifier decides',
  },
  checkpoints_refused: {
    kind: 'counter',
    unit: 'Count',
    means: 'checkpoints of a search that could not be gone on from: it began anew',
  },
  results_refused: {
    kind: 'counter',
    unit: 'Count',
    means: 'results that the verifier rejected, which never become final',
  },
  orders_accepted: { kind: 'counter', unit: 'Count', means: 'orders settled as accepted, in whole or in part' },
  orders_rejected: {
    kind: 'counter',
    unit: 'Count',
    by: 'reason',
    means: 'orders settled as rejected, by the reason their participants get',
  },
  gate_to_result_seconds: {
    kind: 'distribution',
    unit: 'Seconds',
    means: 'from an auction’s gate closure to its settlement',
  },
  auctions_settled: { kind: 'counter', unit: 'Count', means: 'auctions whose every order has its outcome' },
  auctions_failed: { kind: 'counter', unit: 'Count', means: 'auctions whose workflow ended with a cause' },
  auctions_failed_now: {
    kind: 'gauge',
    unit: 'Count',
    means: 'auctions that have failed and were not restarted yet',
  },
  notices_sent: {
    kind: 'counter',
    unit: 'Count',
    by: 'kind',
    means: 'notices handed over for delivery, by their kind',
  },
  webhook_messages_undelivered: {
    kind: 'counter',
    unit: 'Count',
    only: 'one machine',
    means: 'messages to webhooks of participants given up after the last attempt',
  },
  notices_undelivered: { kind: 'counter', unit: 'Count', means: 'notices given up after the last attempt' },
  backup_age_seconds: {
    kind: 'gauge',
    unit: 'Seconds',
    only: 'one machine',
    means: 'how old the last good backup is, or how long the house has run without one; not there where it makes none',
  },
  clock_jump_seconds: {
    kind: 'gauge',
    unit: 'Seconds',
    only: 'one machine',
    means: 'how far the clock is off since it jumped, while gates stand still; 0 when it is in line',
  },
  canary_auctions: {
    kind: 'counter',
    unit: 'Count',
    by: 'outcome',
    means: 'auctions held to see whether the house works: `settled` as expected, or `failed`',
  },
  canary_seconds: { kind: 'distribution', unit: 'Seconds', means: 'how long such an auction took as a whole' },
  faults: { kind: 'counter', unit: 'Count', means: 'faults of our own, each with a line in the log' },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as MetricName[];

type Labelled = { [N in MetricName]: (typeof metrics)[N] extends { by: string } ? N : never }[MetricName];

/** Takes values as they arise. It never fails and never waits: no auction depends on being watched. */
export interface Meter {
  /** @param label  what the metric is told apart by, where it is (`by` in the table) */
  record<N extends MetricName>(name: N, value: number, ...label: N extends Labelled ? [label: string] : []): void;
}
