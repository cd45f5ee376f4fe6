/** Where the house says what happens in it: one entry, one line of JSON. */
export type Log = (entry: Record<string, unknown>) => void;

export const logToStderr: Log = (entry) => console.error(JSON.stringify(entry));

/** An error as an entry's field, with its stack and what caused it. */
export const errorEntry = (error: unknown): string =>
  error instanceof Error
    ? `${error.stack ?? error.message}${error.cause === undefined ? '' : `\ncaused by ${errorEntry(error.cause)}`}`
    : String(error);
