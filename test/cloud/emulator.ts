/**
 * An emulator of AWS on this machine: MiniStack, a pinned version in a Python environment of its own, made at the first use.
 *
 * Each start is a fresh one: own port on loopback, own folder, nothing kept. `emulator.py` beside this file says what it makes
 * good; what the emulator cannot show stands in docs/aws.md.
 */

import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const version = '1.5.33';
const root = fileURLToPath(new URL('../..', import.meta.url));
/** Git ignores it; delete it to install anew. */
const cache = join(root, '.emulator');
const startMs = 180_000;

export interface Emulator {
  readonly endpoint: string;
  /** What a process needs in its environment to work with the emulator instead of AWS. */
  readonly environment: Readonly<Record<string, string>>;
  /** What an SDK client is made with. */
  readonly client: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** What it has said so far, for a test that failed. */
  log(): Promise<string>;
  /** Resolves when it and the functions it ran are gone. */
  stop(): Promise<void>;
}

const region = 'us-east-1';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** @param enforces  whether it refuses what the policies of roles, topics, queues, buckets and keys do not allow */
export async function startEmulator({ enforces = false } = {}): Promise<Emulator> {
  const python = await pythonWith(`ministack[full]==${version}`);
  const folder = await mkdtemp(join(tmpdir(), 'merit-emulator-'));
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const environment = {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: region,
    AWS_REGION: region,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const log = join(folder, 'emulator.log');
  const modules = join(root, 'node_modules');
  // A shell writes the log so that no pipe is left to be emptied; its own end of the input tells the emulator to end.
  const child = spawn(
    '/bin/sh',
    ['-c', 'exec "$0" "$1" >"$2" 2>&1', python, join(import.meta.dirname, 'emulator.py'), log],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: folder,
      // A group of its own: the functions it runs are its children, and end with it.
      detached: true,
      env: {
        HOME: folder,
        PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter),
        NODE_PATH: modules,
        TMPDIR: folder,
        S3_DATA_DIR: join(folder, 's3'),
        BIND_HOST: '127.0.0.1',
        MINISTACK_HOST: '127.0.0.1',
        GATEWAY_PORT: String(port),
        IOT_MTLS_ENABLED: '0',
        SFTP_ENABLED: '0',
        LAMBDA_EXECUTOR: 'local',
        LOG_LEVEL: 'WARNING',
        AUTH: String(enforces),
        // The functions that it runs find it by these.
        ...environment,
      },
    },
  );
  const exited = once(child, 'exit');
  const readLog = () => readFile(log, 'utf8').catch(() => '');

  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM');
      await Promise.race([exited, sleep(5000, undefined, { ref: false })]);
    }
    endGroup(child.pid!);
    await exited;
    await rm(folder, { recursive: true, maxRetries: 5 });
  };

  try {
    await answering(endpoint, () => child.exitCode === null);
  } catch (error) {
    const said = await readLog();
    await stop();
    throw new Error(`the emulator did not start: ${(error as Error).message}\n${said}`);
  }
  return { endpoint, environment, client: { endpoint, region, credentials }, log: readLog, stop };
}

/**
 * The Python of an environment that has a package, made at the first use. Scripts beside it know only
 * where it was made: let it run them.
 *
 * @param requirement  as pip takes it, with its version
 */
export async function pythonWith(...requirements: string[]): Promise<string> {
  const home = join(cache, requirements.join('-').replaceAll(/[^a-z0-9.-]+/g, '-'));
  const python = join(home, 'bin', 'python');
  if (existsSync(python)) return python;
  // Made aside and renamed, so that it is whole or not there; each on its own, also where one process asks twice.
  const unfinished = join(cache, `unfinished-${randomUUID()}`);
  await mkdir(cache, { recursive: true });
  const run = promisify(execFile);
  await run('python3', ['-m', 'venv', unfinished]);
  await run(join(unfinished, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...requirements]);
  try {
    await rename(unfinished, home);
  } catch (error) {
    await rm(unfinished, { recursive: true });
    if (!existsSync(python)) throw error; // else somebody else was first
  }
  return python;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a socket on loopback has a port');
  return address.port;
}

async function answering(endpoint: string, isAlive: () => boolean): Promise<void> {
  for (const since = performance.now(); performance.now() - since < startMs; await sleep(50)) {
    if (!isAlive()) throw new Error('it has ended');
    const response = await fetch(`${endpoint}/_ministack/health`).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.ok) return;
  }
  throw new Error(`no answer within ${startMs} ms`);
}

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
