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

/** Executions are kept for 90 days: so many runs in a row that are not there are taken for the end of them. */
const mostMissing = 3;
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

  /** By its name; runs of an auction are numbered, so none is looked for in a list. */
  async function find(id: string): Promise<Execution | undefined> {
    try {
      const { name, status, startDate, stopDate, cause, error } = await client.send(
        new DescribeExecutionCommand({ executionArn: arnOf(id) }),
      );
      const execution = executionOf({ name, status, startDate, stopDate });
      return execution.status === 'failed'
        ? { ...execution, cause: cause ?? error ?? `the execution ended as ${status}` }
        : execution;
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return undefined;
      throw unavailable('the workflow', error);
    }
  }

  /** The runs of one auction, newest first: they are numbered from 1, and the first of them may be gone, being so old. */
  async function runsOf(auction: string): Promise<Execution[]> {
    const runs: Execution[] = [];
    for (let run = 1, missing = 0; missing < mostMissing; run++) {
      const execution = await find(`${auction}-${run}`);
      missing = execution === undefined ? missing + 1 : 0;
      if (execution !== undefined) runs.push(execution);
    }
    return runs.reverse();
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
    find,
    async list({ auction, limit = 100 } = {}) {
      if (auction !== undefined) return (await runsOf(auction)).slice(0, limit);
      const found: ExecutionListItem[] = [];
      for await (const page of executions()) if (found.push(...page) >= limit) break;
      found.sort((a, b) => b.startDate!.getTime() - a.startDate!.getTime());
      // The list does not say why one failed.
      const withCause = (each: ExecutionListItem) =>
        each.status === 'RUNNING' || each.status === 'SUCCEEDED' ? executionOf(each) : find(each.name!);
      return (await Promise.all(found.slice(0, limit).map(withCause))).filter((each) => each !== undefined);
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

const executionOf = ({ name, status, startDate, stopDate }: Partial<ExecutionListItem>): Execution => ({
  id: name!,
  auction: auctionOf(name!),
  status: status === 'RUNNING' ? 'running' : status === 'SUCCEEDED' ? 'succeeded' : 'failed',
  startedAt: utc(startDate!),
  ...(stopDate && { endedAt: utc(stopDate) }),
});

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
