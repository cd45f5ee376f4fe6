/**
 * What `npm test` shows: a line for each file, whole errors and the output of what failed, and at the end in one line whether it is green.
 *
 *     node --test --test-reporter=./scripts/test-reporter.ts FILE...
 *
 * A case that is known to be open fails as it is expected to, and is one line. It says nothing that the exit code does not: both are
 * the runner's own verdict.
 */

import { relative, resolve } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

interface Noted {
  readonly name: string;
  /** In the project, with its line. */
  readonly where: string;
  /** As the test says it: why it is skipped, or what is open. */
  readonly why: string;
}

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failed: Noted[] = [];
  const open: Noted[] = [];
  const closed: Noted[] = [];
  const skipped: Noted[] = [];
  /** What a file has written, until it is known whether anybody wants to read it. */
  const written = new Map<string, string>();
  const take = (file: string): string => {
    const text = written.get(resolve(file)) ?? '';
    written.delete(resolve(file));
    return text;
  };
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr')
      written.set(resolve(data.file), `${written.get(resolve(data.file)) ?? ''}${data.message}`);
    // Those without a file are the runner's own summary, which the last line has.
    else if (type === 'test:diagnostic' && data.file !== undefined) yield `      ${data.message}\n`;
    else if (type === 'test:pass') {
      if (said(data.skip)) skipped.push(noted(data, data.skip));
      else if (said(data.todo)) closed.push(noted(data, data.todo));
    } else if (type === 'test:fail') {
      if (said(data.todo)) open.push(noted(data, data.todo));
      // A test whose own tests failed has no failure of its own.
      else if (failureOf(data.details.error) !== 'subtestsFailed') {
        const failure = noted(data, undefined);
        failed.push(failure);
        yield `${take(data.file ?? '')}\nFAIL  ${failure.name}\n      ${failure.where}\n${inspect(data.details.error.cause, { maxStringLength: 4000 })}\n\n`;
      }
    } else if (type === 'test:summary' && data.file !== undefined)
      yield `${data.success ? '' : take(data.file)}${data.success ? 'ok  ' : 'FAIL'}  ${relative(process.cwd(), data.file)}  ${counted(data.counts.tests, 'test')}, ${seconds(data)}\n`;
    else if (type === 'test:summary') {
      yield '\n';
      for (const { name, why } of open) yield `known open case: ${name}${because(why)}\n`;
      for (const { name, where } of closed) yield `no longer open, take its mark off: ${name} (${where})\n`;
      for (const { name, where } of failed) yield `failed: ${name} (${where})\n`;
      const { tests } = data.counts;
      const parts = data.success ? [counted(tests, 'test')] : [`${failed.length} of ${counted(tests, 'test')} failed`];
      if (open.length > 0) parts.push(counted(open.length, 'known open case'));
      if (skipped.length > 0) parts.push(`${skipped.length} skipped (${reasons(skipped)})`);
      yield `${data.success ? 'green' : 'red'}: ${[...parts, seconds(data)].join(', ')}\n`;
    }
  }
}

/** A mark with a reason, or without one. */
const said = (mark: string | boolean | undefined): mark is string | true => mark !== undefined && mark !== false;

const noted = (
  { name, file = '', line }: { name: string; file?: string; line?: number },
  mark: string | true | undefined,
): Noted => ({
  name,
  where: `${relative(process.cwd(), file)}:${line}`,
  why: typeof mark === 'string' ? mark : '',
});

const failureOf = (error: Error): unknown => ('failureType' in error ? error.failureType : undefined);

const because = (why: string): string => (why === '' ? '' : `: ${why}`);

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

const seconds = ({ duration_ms }: { duration_ms: number }): string => `${(duration_ms / 1000).toFixed(1)} s`;

/** Each once, the most frequent first. */
function reasons(skipped: readonly Noted[]): string {
  const byReason = [...Map.groupBy(skipped, ({ why }) => why || 'no reason given')];
  return byReason
    .sort((a, b) => b[1].length - a[1].length)
    .map(([why]) => why)
    .join('; ');
}
