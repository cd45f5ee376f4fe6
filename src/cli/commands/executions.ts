/** `merit executions [ID]`: runs of the workflow, or what happened in one. */

import type { Execution, ExecutionEvent } from '../../auction/ports.ts';
import { HouseClient } from '../house-client.ts';
import { print, printJson, shortInstant, table } from '../output.ts';

export async function executions(
  id: string | undefined,
  options: { url: string; token?: string; json?: boolean; auction?: string; limit: number },
): Promise<void> {
  const house = new HouseClient(options.url, options.token);
  return id === undefined ? list(house, options) : history(house, id, options.json);
}

async function list(house: HouseClient, { auction, limit, json }: { auction?: string; limit: number; json?: boolean }) {
  const { executions } = await house.get<{ executions: Execution[] }>('/executions', { auction, limit });
  if (json) return printJson(executions);
  if (executions.length === 0) return print('there are none');
  const rows = executions.map(({ id, status, startedAt, endedAt, cause }) => [
    id,
    status,
    shortInstant(startedAt),
    endedAt === undefined ? '-' : `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1000).toFixed(2)} s`,
    cause ?? '',
  ]);
  print(table(['execution', 'status', 'started', 'took', 'cause'], rows));
}

async function history(house: HouseClient, id: string, json = false) {
  const answer = await house.get<{ execution: Execution; events: ExecutionEvent[] }>(
    `/executions/${encodeURIComponent(id)}`,
  );
  if (json) return printJson(answer);
  const start = Date.parse(answer.execution.startedAt);
  const rows = answer.events.map(({ at, type, state, detail }) => [
    `+${((Date.parse(at) - start) / 1000).toFixed(3)} s`,
    type,
    state ?? '',
    detail === undefined ? '' : shorten(JSON.stringify(detail)),
  ]);
  print(`${id}: ${answer.execution.status}\n\n${table(['at', 'event', 'state', 'detail'], rows)}`);
}

const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 77)}...` : text);
