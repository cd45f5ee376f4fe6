/** `merit doctor`: how a house is, in plain words, and what helps. */

import type { Finding } from '../../auction/views/health.ts';
import { exitCodes, Failure } from '../failure.ts';
import { HouseClient } from '../house-client.ts';
import { print, printJson, table } from '../output.ts';

interface Health {
  readonly status: 'ok' | 'warning' | 'failing';
  readonly findings?: readonly Finding[];
}

/** @throws Failure `no` when something keeps the house from its promises, `failed` when it does not answer */
export async function doctor({ url, json }: { url: string; json?: boolean }): Promise<void> {
  const health = await new HouseClient(url).health<Health>();
  if (json) printJson(health);
  else tell(url, health);
  if (health.status === 'failing') throw new Failure(exitCodes.no, `the house at ${url} cannot keep its promises now`);
}

function tell(url: string, { status, findings = [] }: Health): void {
  print(`${url} is ${status === 'ok' ? 'well' : status}\n`);
  if (findings.length > 0)
    print(
      table(
        ['what', 'state', 'found'],
        findings.map(({ name, status, found }) => [name, status, found]),
      ),
    );
  for (const { name, todo } of findings) if (todo !== undefined) print(`\n${name}: ${todo}`);
}
