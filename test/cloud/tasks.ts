/**
 * The tasks of the workflow as functions in the emulator, which ask this process for their answers: so that the cases of the
 * workflow's port run with Step Functions.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import type { TaskName } from '../../src/auction/steps/tasks.ts';
import type { Emulator } from './emulator.ts';

export type RunTask = (task: TaskName, input: Record<string, unknown>) => unknown;

export interface TaskFunctions {
  /** By task. */
  readonly arns: Readonly<Record<string, string>>;
  /** From now on tasks are answered by this. */
  answerWith(run: RunTask): void;
  close(): Promise<void>;
}

const code = `
export const handler = async (input) => {
  const body = JSON.stringify({ task: process.env.TASK, input });
  const { error, output } = await (await fetch(process.env.ANSWERS, { method: 'POST', body })).json();
  if (error) throw Object.assign(new Error(error.message), { name: error.name });
  return output ?? null;
};
`;

export async function createTaskFunctions({ endpoint }: Emulator, tasks: readonly TaskName[]): Promise<TaskFunctions> {
  let run: RunTask = () => undefined;
  const server = createServer(async (request, response) => {
    const { task, input } = JSON.parse(await text(request)) as { task: TaskName; input: Record<string, unknown> };
    try {
      response.end(JSON.stringify({ output: await run(task, input) }));
    } catch (error) {
      const { name, message } = error as Error;
      response.end(JSON.stringify({ error: { name, message } }));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answers = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const arns: Record<string, string> = {};
  for (const task of tasks) {
    const response = await fetch(`${endpoint}/2015-03-31/functions`, {
      method: 'POST',
      body: JSON.stringify({
        FunctionName: `task-${task}`,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Role: 'arn:aws:iam::000000000000:role/task',
        Timeout: 120,
        Environment: { Variables: { TASK: task, ANSWERS: answers } },
        Code: { ZipFile: zipOf('index.mjs', Buffer.from(code)).toString('base64') },
      }),
    });
    const { FunctionArn } = (await response.json()) as { FunctionArn?: string };
    if (FunctionArn === undefined) throw new Error(`function ${task} was not made: ${response.status}`);
    arns[task] = FunctionArn;
  }
  return {
    arns,
    answerWith(answering) {
      run = answering;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A zip archive of one file, stored as it is: local header, file, directory, end of directory. */
export function zipOf(name: string, content: Buffer): Buffer {
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0); // version needed
  common.writeUInt16LE(0x21, 8); // 1 January 1980
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(content.length, 14);
  common.writeUInt32LE(content.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), content]);
  const attributes = Buffer.alloc(14);
  attributes.writeUInt32LE((0o100644 << 16) >>> 0, 6);
  const directory = Buffer.concat([
    Buffer.from('PK\x01\x02'),
    Buffer.from([20, 3]),
    common,
    attributes,
    Buffer.from(name),
  ]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, directory, Buffer.from('PK\x05\x06'), end]);
}
