/** A real server process that can be killed and started again on the same data folder. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/server.ts', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly json: unknown;
}

export class ServerProcess {
  readonly #data: string;
  readonly #markets: string;
  #child: ChildProcess | undefined;
  #url: Promise<string> = Promise.reject(new Error('not started'));
  /** The last that it said on stderr. */
  errors = '';

  readonly #env: Readonly<Record<string, string>>;

  /** @param env  more settings */
  constructor(data: string, markets: string, env: Readonly<Record<string, string>> = {}) {
    this.#data = data;
    this.#markets = markets;
    this.#env = env;
    this.#url.catch(() => undefined);
  }

  start(): void {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], {
      env: { ...process.env, MERIT_DATA: this.#data, MERIT_MARKETS: this.#markets, MERIT_PORT: '0', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors = (this.errors + text).slice(-4000);
    });
    this.#child = child;
    this.#url = new Promise((resolve, reject) => {
      createInterface(child.stdout).on('line', (line) => {
        const [, url] = /listens on (http:\S+)/.exec(line) ?? [];
        if (url) resolve(url);
      });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${this.errors}`)));
    });
    this.#url.catch(() => undefined); // a kill before it listens is nobody's error
  }

  /** Of the process that runs. */
  get pid(): number {
    assert(this.#child?.pid !== undefined && this.#child.exitCode === null, `it does not run: ${this.errors}`);
    return this.#child.pid;
  }

  /** What it says when it does not come up; `undefined` when it does. */
  async refusal(): Promise<string | undefined> {
    const child = this.#child!;
    const isUp = await this.#url.then(
      () => true,
      () => false,
    );
    if (isUp) return undefined;
    if (child.exitCode === null) await once(child, 'exit');
    this.#child = undefined;
    return this.errors;
  }

  /** Where it listens, once it does. */
  url(): Promise<string> {
    return this.#url;
  }

  /** Resolves when the process has ended as it was told to. */
  async stop(): Promise<void> {
    const child = this.#child!;
    this.#child = undefined;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    assert.deepEqual(await gone, [0, null]);
  }

  /** Resolves when the process is gone, and with it every lock it had. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    assert.equal(child.exitCode, null, `the server died by itself: ${this.errors}`);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  /** `undefined` when the process went away under the request: whether it was served is unknown. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    try {
      const answer = await fetch(`${await this.#url}${path}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return { status: answer.status, json: await answer.json() };
    } catch {
      return undefined;
    }
  }
}
