/** One test file in a process of its own, which ends with all that it started. */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Verdict {
  readonly verdict: 'passes' | 'fails' | 'times out' | 'stopped';
  /** The first case that fails, or how the process ended. */
  readonly why: string;
  readonly ms: number;
}

interface Options {
  /** Longer than this it may not take. */
  readonly mostMs: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Stops it from outside. */
  readonly signal?: AbortSignal;
}

const mark = 'MERIT_TEST_RUN';

/** Ends the processes of a run: its group, and where the system lists processes, whoever inherited its mark from it. */
function endAll(pid: number, run: string): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is gone.
  }
  if (process.platform !== 'linux') return;
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      if (readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0').includes(`${mark}=${run}`))
        process.kill(Number(entry), 'SIGKILL');
    } catch {
      // It ended by itself, or belongs to somebody else.
    }
}

/**
 * Runs a test file in a folder, until its first case fails.
 *
 * It is over when the process has ended, not when its output is closed: what it started may hold that open for ever. Its temporary
 * folders are removed.
 */
export function runTest(folder: string, file: string, { mostMs, env, signal }: Options): Promise<Verdict> {
  const run = randomUUID();
  const scratch = mkdtempSync(join(tmpdir(), 'merit-test-'));
  const begin = performance.now();
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--test-reporter=spec', file], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, ...env, TMPDIR: scratch, [mark]: run },
  });
  return new Promise((resolve) => {
    let text = '';
    let stopped: Pick<Verdict, 'verdict' | 'why'> | undefined;
    const stop = (verdict: Verdict['verdict'], why: string) => {
      stopped ??= { verdict, why };
      endAll(child.pid!, run);
    };
    const timer = setTimeout(() => stop('times out', `no end within ${Math.round(mostMs / 1000)} s`), mostMs);
    const abort = () => stop('stopped', 'stopped');
    signal?.addEventListener('abort', abort);
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /^\s*✖ (.*)$/m.exec(text)?.[1];
      if (found !== undefined) stop('fails', found);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      endAll(child.pid!, run);
      child.stdout.destroy();
      rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
      const ended =
        code === 0
          ? ({ verdict: 'passes', why: '' } as const)
          : ({ verdict: 'fails', why: `exit code ${code}` } as const);
      resolve({ ...(stopped ?? ended), ms: performance.now() - begin });
    });
    if (signal?.aborted) abort();
  });
}
