/** The workflow run by Step Functions: an execution's name is `{auction}-{run}`, so that there is one of each. */

import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListExecutionsCommand,
  type SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { Execution, ExecutionEvent, Workflow } from '../../auction/ports.ts';
import { utc } from '../../market/time.ts';
import { unavailable } from './unavailable.ts';

/** Longest text of an event's detail that is passed on. */
const detailSize = 2000;

export function openWorkflow(client: SFNClient, machine: string): Workflow {
  const arnOf = (id: string): string => `${machine.replace(':stateMachine:', ':execution:')}:${id}`;

  async function sent<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw unavailable('the workflow', error);
    }
  }

  /** Pages, those that ended last first. */
  async function* executions(): AsyncGenerator<ExecutionListItem[]> {
    let next: string | undefined;
    do {
      const command = new ListExecutionsCommand({ stateMachineArn: machine, ...(next && { nextToken: next }) });
      const answer = await sent(client.send(command));
      yield answer.executions ?? [];
      next = answer.nextToken;
    } while (next !== undefined);
  }

  /** The list does not say why one failed. */
  async function withCause({ executionArn, name, status, startDate, stopDate }: ExecutionListItem): Promise<Execution> {
    const execution: Execution = {
      id: name!,
      auction: auctionOf(name!),
      status: status === 'RUNNING' ? 'running' : status === 'SUCCEEDED' ? 'succeeded' : 'failed',
      startedAt: utc(startDate!),
      ...(stopDate && { endedAt: utc(stopDate) }),
    };
    if (execution.status !== 'failed') return execution;
    const { cause, error } = await sent(client.send(new DescribeExecutionCommand({ executionArn })));
    return { ...execution, cause: cause ?? error ?? `the execution ended as ${status}` };
  }

  return {
    async start(auction, run) {
      const id = `${auction}-${run}`;
      const input = JSON.stringify({ auction, run });
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn: machine, name: id, input }));
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw unavailable('the workflow', error);
      }
      return id;
    },
    async list({ auction, limit = 100 } = {}) {
      const found: ExecutionListItem[] = [];
      // Executions are kept for 90 days, so this is no endless walk, even for an auction that has none.
      for await (const page of executions()) {
        found.push(...page.filter(({ name }) => auction === undefined || auctionOf(name!) === auction));
        if (found.length >= limit) break;
      }
      found.sort((a, b) => b.startDate!.getTime() - a.startDate!.getTime());
      return Promise.all(found.slice(0, limit).map(withCause));
    },
    async history(id) {
      const events: ExecutionEvent[] = [];
      let next: string | undefined;
      do {
        const command = new GetExecutionHistoryCommand({
          executionArn: arnOf(id),
          includeExecutionData: true,
          ...(next && { nextToken: next }),
        });
        try {
          const answer = await client.send(command);
          events.push(...(answer.events ?? []).map(eventOf));
          next = answer.nextToken;
        } catch (error) {
          if (error instanceof ExecutionDoesNotExist) return undefined;
          throw unavailable('the workflow', error);
        }
      } while (next !== undefined);
      return events;
    },
  };
}

const auctionOf = (name: string): string => name.slice(0, name.lastIndexOf('-'));

/** Step Functions has the details of each type of event in a field of its own: one of them is there. */
function eventOf({ timestamp, type, id: _, previousEventId: __, ...details }: HistoryEvent): ExecutionEvent {
  const detail = Object.values(details).find((each) => typeof each === 'object' && each !== null) as
    | Record<string, unknown>
    | undefined;
  const { name, ...rest } = detail ?? {};
  return {
    at: utc(timestamp!),
    type: type!,
    ...(typeof name === 'string' && { state: name }),
    ...(Object.keys(rest).length > 0 && { detail: Object.fromEntries(Object.entries(rest).map(short)) }),
  };
}

const short = ([key, value]: [string, unknown]): [string, unknown] =>
  typeof value === 'string' && value.length > detailSize ? [key, { characters: value.length }] : [key, value];
