/** The auction's steps in Step Functions: `workflow/auction.asl.json` as it is, with the functions put in for its placeholders. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ArnFormat, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledgeWildcard } from './acknowledged.ts';
import type { FunctionName, Functions } from './functions.ts';
import type { Settings } from './settings.ts';

/** The workflow's tasks by name, as the file's placeholders have it, and who does them. */
export const tasks = {
  SealBook: 'seal',
  Clear: 'clear',
  Verify: 'verify',
  SettlePage: 'settle',
  Publish: 'publish',
  NotifyFailure: 'notify-failure',
  Diagnose: 'diagnose',
} as const satisfies Record<string, FunctionName>;

const definition = readFileSync(new URL('../workflow/auction.asl.json', import.meta.url), 'utf8');

/**
 * The file, with the executions of the pages of a settlement as express ones where that is chosen. The auction's own execution
 * stays a standard one: its name makes starting it twice start it once, it may take longer than five minutes, and it has a history.
 */
const definitionOf = ({ expressWorkflow }: Settings): string => {
  if (!expressWorkflow) return definition;
  const express = definition.replace('"ExecutionType": "STANDARD"', '"ExecutionType": "EXPRESS"');
  assert(express !== definition, 'the workflow has no map whose executions could be express ones');
  return express;
};

const nameOf = ({ environment }: Settings): string => `energy-auction-${environment}`;

/**
 * The ARN by name, since the functions have to know it and the state machine knows the functions.
 *
 * @param below of its executions instead
 */
export const workflowArn = (scope: Construct, settings: Settings, below?: 'executions'): string =>
  Stack.of(scope).formatArn({
    service: 'states',
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    ...(below
      ? { resource: 'execution', resourceName: `${nameOf(settings)}:*` }
      : { resource: 'stateMachine', resourceName: nameOf(settings) }),
  });

export class Workflow extends Construct {
  readonly machine: StateMachine;

  /** @param props.warm  called in place of the function that clears */
  constructor(
    scope: Construct,
    id: string,
    props: { readonly settings: Settings; readonly functions: Functions; readonly warm?: IFunction },
  ) {
    super(scope, id);
    const { settings, functions, warm } = props;
    const functionOf = (name: FunctionName): IFunction => (name === 'clear' && warm) || functions.byName[name];
    const called = Object.entries(tasks).map(([task, name]) => [task, functionOf(name).functionArn] as const);
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: nameOf(settings),
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromString(definitionOf(settings)),
      definitionSubstitutions: {
        ...Object.fromEntries(called.map(([task, arn]) => [`${task}FunctionArn`, arn])),
        SettlementMode: 'DISTRIBUTED',
      },
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Log', {
          logGroupName: `/aws/vendedlogs/states/${nameOf(settings)}`,
          retention: settings.logRetention,
          removalPolicy: settings.removalPolicy,
        }),
        level: LogLevel.ALL,
        includeExecutionData: true,
      },
      removalPolicy: settings.removalPolicy,
    });
    // A distributed map starts an execution of its own workflow per page, and looks after the run of them.
    const allow = (actions: string[], resources: string[]) =>
      this.machine.addToRolePolicy(new PolicyStatement({ actions, resources }));
    allow(
      ['lambda:InvokeFunction'],
      called.map(([, arn]) => arn),
    );
    allow(['states:StartExecution'], [workflowArn(this, settings)]);
    const ownExecutions = Stack.of(this).formatArn({
      service: 'states',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
      resource: 'execution',
      resourceName: `${nameOf(settings)}/*`,
    });
    allow(['states:DescribeExecution', 'states:StopExecution'], [ownExecutions]);
    acknowledgeWildcard(this.machine, ownExecutions, 'The executions of a map get their names when they start.');
    Validations.of(this.machine).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Delivery of logs and traces of a state machine can only be allowed for all resources.',
    });
  }
}
