/** Talks to a running house over HTTP. What it answers in problem details becomes a `Failure` with the same words. */

import type { Problem } from '../market/errors.ts';
import { exitCodes, Failure } from './failure.ts';

/** What a house answers in problem details. */
export class Refusal extends Failure {
  /** Of HTTP. */
  readonly status: number;
  /** Of the problem, such as `gate-closed`. */
  readonly code: string;
  constructor(status: number, code: string, ...of: ConstructorParameters<typeof Failure>) {
    super(...of);
    this.status = status;
    this.code = code;
  }
}

type Query = Readonly<Record<string, string | number | undefined>>;

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]));
  return given.length > 0 ? `${path}?${search}` : path;
}

export class HouseClient {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param token  who calls, in a house with access control */
  constructor(url: string, token?: string) {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new Failure(
        exitCodes.usage,
        `${JSON.stringify(url)} is no address of a house, such as http://127.0.0.1:8080`,
      );
    this.#base = url.replace(/\/+$/, '');
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  get url(): string {
    return this.#base;
  }

  /** The JSON at a path. Query values that are undefined are left out. */
  async get<T>(path: string, query: Query = {}): Promise<T> {
    return JSON.parse(await this.text(path, query)) as T;
  }

  /** How the house is, also when it is not well (503). */
  async health<T>(): Promise<T> {
    return JSON.parse(await this.#ask('/healthz', {}, 503)) as T;
  }

  /** The text at a path, byte for byte. */
  text(path: string, query: Query = {}): Promise<string> {
    return this.#ask(withQuery(path, query));
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.#send('POST', path, body);
  }

  put<T>(path: string, body: unknown, headers: Record<string, string>, query: Query = {}): Promise<T> {
    return this.#send('PUT', withQuery(path, query), body, headers);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#send('PATCH', path, body);
  }

  async delete<T>(path: string, query: Query = {}): Promise<T> {
    return JSON.parse(await this.#ask(withQuery(path, query), { method: 'DELETE' })) as T;
  }

  /** @param body  sent as it is read: a file need not be in memory */
  async upload<T>(path: string, body: Blob, type: string, query: Query = {}): Promise<T> {
    const init = { method: 'POST', headers: { 'content-type': type }, body };
    return JSON.parse(await this.#ask(withQuery(path, query), init)) as T;
  }

  async #send<T>(method: string, path: string, body: unknown, more: Record<string, string> = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...more };
    const init = { method, headers, body: JSON.stringify(body) };
    return JSON.parse(await this.#ask(path, init)) as T;
  }

  /** @param besides  a status that is no failure, if it comes with plain JSON */
  async #ask(
    path: string,
    init: RequestInit & { headers?: Record<string, string> } = {},
    besides?: number,
  ): Promise<string> {
    const url = `${this.#base}${path}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, { ...init, headers: { ...this.#headers, ...init.headers } });
      text = await response.text();
    } catch (cause) {
      // fetch() says "fetch failed"; why stands in its cause.
      const { code, message } = ((cause as Error).cause ?? cause) as NodeJS.ErrnoException;
      const why = code === 'ECONNREFUSED' ? 'nobody listens there; `merit serve` starts a house' : message;
      throw new Failure(exitCodes.failed, `cannot reach ${this.#base}: ${why}`, [], { cause });
    }
    const type = response.headers.get('content-type') ?? '';
    const isAnswer = response.ok || (response.status === besides && type.startsWith('application/json'));
    if (!isAnswer) throw failureOf(url, response, text);
    if (!/\b(json|csv)\b/.test(type))
      throw new Failure(exitCodes.failed, `${url} answers, but not like a house (no JSON)`);
    return text;
  }
}

/** Refusals (4xx) are an answer; everything else is a failure of the house. */
function failureOf(url: string, { status, headers }: Response, text: string): Failure {
  const exit = status < 500 ? exitCodes.no : exitCodes.failed;
  if (!headers.get('content-type')?.startsWith('application/problem+json'))
    return new Failure(exit === exitCodes.no ? exitCodes.failed : exit, `${url} answers ${status}, not like a house`);
  const { code, detail, problems } = JSON.parse(text) as { code: string; detail: string; problems: Problem[] };
  return new Refusal(status, code, exit, detail, problems);
}
