/** Step Functions keeps the promises of the workflow's port: the same cases as for the local one, with the same workflow file. */

import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import { CreateStateMachineCommand } from '@aws-sdk/client-sfn';
import { openWorkflow } from '../../src/adapters/aws/workflow.ts';
import { taskNames } from '../../src/adapters/local/workflow.ts';
import definition from '../../workflow/auction.asl.json' with { type: 'json' };
import { type OpenedWorkflow, type OpenWorkflow, usualAnswers, workflowCases } from '../ports/workflow.cases.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type Clients, clientsOf } from './resources.ts';
import { createTaskFunctions, type TaskFunctions } from './tasks.ts';

let emulator: Emulator;
let clients: Clients;
let functions: TaskFunctions;
before(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator);
  functions = await createTaskFunctions(emulator, [...new Set(taskNames)]);
});
after(async () => {
  clients.destroy();
  await functions.close();
  await emulator.stop();
});

const localized = () =>
  JSON.stringify(definition)
    .replaceAll(/\$\{(\w+)FunctionArn\}/g, (_, task: string) => functions.arns[task]!)
    // Its pages in one execution: a distributed map has executions of its own.
    .replace(/\$\{SettlementMode\}/, 'INLINE');

const open: OpenWorkflow = async (_, answers) => {
  const calls: OpenedWorkflow['calls'][number][] = [];
  functions.answerWith((task, input) => {
    calls.push({ task, input });
    return (answers[task] ?? usualAnswers[task])?.(input);
  });
  const machine = await clients.sfn.send(
    new CreateStateMachineCommand({
      name: `auction-${randomUUID()}`,
      definition: localized(),
      roleArn: 'arn:aws:iam::000000000000:role/workflow',
    }),
  );
  return { workflow: openWorkflow(clients.sfn, machine.stateMachineArn!), calls };
};

workflowCases('step functions', open, { iterations: false });
