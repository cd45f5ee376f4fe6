/**
 * The month's spending of one environment, held against what its table says: told at 80 %, at 100 %, and when the forecast says so.
 *
 * AWS counts by the tag `environment`, which has to be switched on once as a cost allocation tag (docs/cost.md).
 */

import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

export class Spending extends Construct {
  constructor(scope: Construct, id: string, props: { readonly settings: Settings; readonly errors: ITopic }) {
    super(scope, id);
    const { environment, budget } = props.settings;
    const told = (notificationType: 'ACTUAL' | 'FORECASTED', threshold: number) => ({
      notification: { notificationType, threshold, thresholdType: 'PERCENTAGE', comparisonOperator: 'GREATER_THAN' },
      subscribers: [{ subscriptionType: 'SNS', address: props.errors.topicArn }],
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: `energy-auction-${environment}`,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: budget, unit: 'USD' },
        costFilters: { TagKeyValue: [`user:environment$${environment}`] },
      },
      notificationsWithSubscribers: [told('ACTUAL', 80), told('ACTUAL', 100), told('FORECASTED', 100)],
    });
  }
}
