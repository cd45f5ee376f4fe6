/** What a search may spend, from the command line. The clock is here: clearing has none. */

import type { ClearingBudget } from '../clearing/clear.ts';

export interface BudgetOptions {
  readonly branches?: number;
  readonly seconds?: number;
}

export function budgetFrom({ branches, seconds }: BudgetOptions): ClearingBudget {
  const end = seconds === undefined ? undefined : performance.now() + seconds * 1000;
  return {
    ...(branches !== undefined && { branches }),
    ...(end !== undefined && { until: () => performance.now() >= end }),
  };
}
