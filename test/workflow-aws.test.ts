/** What the workflow asks of Step Functions: an execution is named, so none is looked for among the others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DescribeExecutionCommand, ExecutionDoesNotExist, SFNClient } from '@aws-sdk/client-sfn';
import { openWorkflow } from '../src/adapters/aws/workflow.ts';
import { resume } from '../src/auction/steps/resume.ts';
import { openTestHouse } from './support/house.ts';

const machine = 'arn:aws:states:eu-central-1:000000000000:stateMachine:auction';

/** Step Functions with these executions, and the names of the commands sent to it. */
function withExecutions(statuses: Record<string, string>) {
  const client = new SFNClient({ region: 'eu-central-1' });
  const asked: string[] = [];
  client.send = async (command: { constructor: { name: string }; input: { executionArn?: string } }) => {
    asked.push(command.constructor.name);
    if (!(command instanceof DescribeExecutionCommand)) return {};
    const name = command.input.executionArn!.split(':').at(-1)!;
    const status = statuses[name];
    if (status === undefined) throw new ExecutionDoesNotExist({ message: name, $metadata: {} });
    return { name, status, startDate: new Date('2025-04-01T11:00:00Z'), cause: `cause of ${name}` };
  };
  return { workflow: openWorkflow(client, machine), asked };
}

test('one execution is one question, however many there are', async () => {
  const { workflow, asked } = withExecutions({ 'a-1': 'RUNNING', 'a-2': 'TIMED_OUT' });
  assert.deepEqual(await workflow.find('a-1'), {
    id: 'a-1',
    auction: 'a',
    status: 'running',
    startedAt: '2025-04-01T11:00:00Z',
  });
  const late = await workflow.find('a-2');
  assert.deepEqual([late!.status, late!.cause], ['failed', 'cause of a-2']);
  assert.equal(await workflow.find('a-3'), undefined);
  assert.deepEqual(asked, Array(3).fill('DescribeExecutionCommand'));
});

test('the runs of one auction are asked for by their numbers; the oldest of them may be gone', async () => {
  const { workflow, asked } = withExecutions({ 'a-3': 'FAILED', 'a-4': 'SUCCEEDED', 'b-1': 'RUNNING' });
  const runs = await workflow.list({ auction: 'a' });
  assert.deepEqual(
    runs.map(({ id, status }) => [id, status]),
    [
      ['a-4', 'succeeded'],
      ['a-3', 'failed'],
    ],
  );
  assert.deepEqual(asked, Array(7).fill('DescribeExecutionCommand'));
});

test('the minute’s look at what is in the workflow lists no executions', async (t) => {
  const { ports } = await openTestHouse(t);
  const { workflow, asked } = withExecutions({ 'a-1': 'RUNNING' });
  Object.assign(ports.workflow, workflow);
  await resume(ports, { id: 'a', run: 1 });
  assert.deepEqual(asked, ['StartExecutionCommand', 'DescribeExecutionCommand']);
});
