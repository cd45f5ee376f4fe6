/** How a command ends: exit codes, and errors as lines that a person can act on. Never a stack trace unless asked for. */

import { CommanderError } from 'commander';
import { AuctionError, type ErrorCode, type Problem } from '../market/errors.ts';

export const exitCodes = {
  ok: 0,
  /** The question was understood and the answer is no: verification failed, orders were refused, no such auction. */
  no: 1,
  /** Wrong usage, or an input file that is not what it should be. */
  usage: 2,
  /** The house cannot be reached, a file cannot be written, or a fault of our own. */
  failed: 3,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Something that went wrong in a way that the user is told of. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exit: ExitCode;
  readonly problems: readonly Problem[];
  constructor(exit: ExitCode, message: string, problems: readonly Problem[] = [], options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
    this.problems = problems;
  }
}

const isOurs: readonly ErrorCode[] = ['unavailable', 'incompatible-data', 'damaged-data'];
const problemsShown = 10;

/** Print what went wrong on stderr. @returns the exit code */
export function report(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof Failure) return say(error.message, error.problems, error.exit);
  if (error instanceof AuctionError)
    return say(error.message, error.problems, isOurs.includes(error.code) ? exitCodes.failed : exitCodes.usage);
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  // An error from inside the solver quotes its source, one line of a hundred thousand characters.
  say(`an unexpected fault: ${message.split('\n')[0]!.slice(0, 300)}`, [], exitCodes.failed);
  console.error(process.env.MERIT_DEBUG ? stack : '  (MERIT_DEBUG=1 shows where)');
  return exitCodes.failed;
}

function say(message: string, problems: readonly Problem[], exit: ExitCode): ExitCode {
  const [head, ...lines] = linesOf(message, problems);
  console.error(`merit: ${head}`);
  for (const line of lines.slice(0, problemsShown)) console.error(`  ${line}`);
  if (lines.length > problemsShown) console.error(`  and ${lines.length - problemsShown} more`);
  return exit;
}

/** One line where there is one problem; nothing is said twice. */
function linesOf(message: string, problems: readonly Problem[]): string[] {
  const unsaid = problems.filter((problem) => !message.includes(`${problem.field ?? ''}: ${problem.message}`));
  const [first, ...others] = unsaid.map((problem) => ({ ...problem, line: problemLine(problem) }));
  if (first === undefined) return [message];
  // A message may quote its first problem, without saying of which order.
  if (message.includes(first.message))
    return [message.replace(first.message, () => first.line), ...others.map(({ line }) => line)];
  return others.length === 0 ? [`${message}: ${first.line}`] : [message, first.line, ...others.map(({ line }) => line)];
}

/** `order 3 (NORD-s-3-00012), price: off the tick` */
export function problemLine({ index, record_id, field, message }: Problem): string {
  const order = [index === undefined ? '' : `order ${index}`, record_id === undefined ? '' : `(${record_id})`];
  const where = [order.filter(Boolean).join(' '), field ?? ''].filter(Boolean).join(', ');
  return where === '' ? message : `${where}: ${message}`;
}

/** `orders.3.price` becomes order 3 with its record_id, and `price`. */
export function withOrder(problem: Problem, json: unknown): Problem {
  const [, index, field] = /^orders\.(\d+)(?:\.(.+))?$/.exec(problem.field ?? '') ?? [];
  if (index === undefined) return problem;
  const { field: _, ...rest } = problem;
  const order = (json as { orders?: ({ record_id?: unknown } | null)[] } | undefined)?.orders?.[Number(index)];
  const record_id = order?.record_id;
  return {
    ...rest,
    index: Number(index),
    ...(typeof record_id === 'string' && { record_id }),
    ...(field !== undefined && { field }),
  };
}
