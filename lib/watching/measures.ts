/** What can be watched of an environment, by the names that its stack gives: the house's metrics and those of the services below it. */

import { Duration, Stack } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { type MetricName, metrics } from '../../src/auction/views/metrics.ts';
import { metricService as service } from '../../src/lambda/environment.ts';
import { type FunctionName, functionNameOf, functionNames, metricNamespace } from '../functions.ts';
import { apiNameOf, stageName } from '../http-api.ts';
import { deadLettersNameOf, topicNamesOf } from '../notices.ts';
import type { Settings } from '../settings.ts';
import { tableNamesOf } from '../storage.ts';
import { workflowArn } from '../workflow.ts';

const minute = Duration.minutes(1);

export type Measures = ReturnType<typeof measuresOf>;

export function measuresOf(scope: Construct, settings: Settings) {
  const { environment } = settings;
  const of = (namespace: string, dimensionsMap: Record<string, string>) => {
    return (metricName: string, statistic: string = Stats.SUM, period = minute): Metric =>
      new Metric({ namespace, metricName, dimensionsMap, statistic, period });
  };
  const ofFunction = (name: FunctionName) => of('AWS/Lambda', { FunctionName: functionNameOf(name, environment) });
  /** Of the auction's workflow as a whole. */
  const states = of('AWS/States', { StateMachineArn: workflowArn(scope, settings) });
  const deadLettersOf = of('AWS/SQS', { QueueName: deadLettersNameOf(environment) });
  return {
    /** One of the house's own. @param options.label  which of them, where it is told apart */
    house(name: MetricName, options: { label?: string; statistic?: string; period?: Duration } = {}): Metric {
      const { label, statistic = Stats.SUM, period = minute } = options;
      const { by } = { by: undefined, ...metrics[name] };
      const dimensions = { service, ...(by !== undefined && label !== undefined && { [by]: label }) };
      return of(metricNamespace(environment), dimensions)(name, statistic, period);
    },
    /** One of the house's own, a line for each of what it is told apart by. */
    houseBy(name: MetricName & keyof typeof metrics, period = minute): IMetric {
      const { by } = { by: undefined, ...metrics[name] };
      const search = `{${metricNamespace(environment)},service,${by}} MetricName="${name}"`;
      return new MathExpression({
        expression: `SEARCH('${search}', 'Sum', ${period.toSeconds()})`,
        label: '',
        period,
      });
    },
    /** Of these functions together. */
    lambda: (metricName: string, names: readonly FunctionName[] = functionNames, period = minute): IMetric =>
      names.length === 1
        ? ofFunction(names[0]!)(metricName, Stats.SUM, period)
        : sumOf(
            names.map((name) => ofFunction(name)(metricName, Stats.SUM, period)),
            metricName,
          ),
    /** Of each function. */
    eachFunction: (metricName: string, statistic: string): Metric[] =>
      functionNames.map((name) => ofFunction(name)(metricName, statistic).with({ label: name })),
    clear: ofFunction('clear'),
    coldStarts: (): Metric[] =>
      functionNames.map((name) =>
        of(metricNamespace(environment), { service: name, function_name: functionNameOf(name, environment) })(
          'ColdStart',
        ).with({ label: name }),
      ),
    states,
    /** How executions may end badly, together. */
    badEnds: (): IMetric =>
      sumOf([states('ExecutionsFailed'), states('ExecutionsTimedOut'), states('ExecutionsAborted')], 'executions'),
    /** Of all topics together. */
    topics: (metricName: string): IMetric =>
      sumOf(
        topicNamesOf(environment).map((TopicName) => of('AWS/SNS', { TopicName })(metricName)),
        metricName,
      ),
    /** Of all tables together. */
    tables: (...metricNames: string[]): IMetric =>
      sumOf(
        tableNamesOf(settings).flatMap((TableName) =>
          metricNames.map((metricName) => of('AWS/DynamoDB', { TableName })(metricName)),
        ),
        metricNames.join(' and '),
      ),
    eachTable: (metricName: string): Metric[] =>
      tableNamesOf(settings).map((TableName) =>
        of('AWS/DynamoDB', { TableName })(metricName).with({ label: `${TableName} ${metricName}` }),
      ),
    api: of('AWS/ApiGateway', { ApiName: apiNameOf(environment), Stage: stageName }),
    deadLetters: (metricName: string): Metric => deadLettersOf(metricName, Stats.MAXIMUM),
    /** Where the stack lies. */
    region: Stack.of(scope).region,
  };
}

function sumOf(all: readonly Metric[], label: string): MathExpression {
  // Unlike `+`, SUM takes those that say nothing for none. Names are the page's: a graph may have several sums.
  const named = all.map((metric, i) => [`${metric.metricName.toLowerCase()}_${i}`, metric] as const);
  const expression = `SUM([${named.map(([name]) => name).join(',')}])`;
  return new MathExpression({ expression, usingMetrics: Object.fromEntries(named), period: all[0]!.period, label });
}
