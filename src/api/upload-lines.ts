/** The lines of an upload, read as they come: each an order, or what is wrong with it. No line is kept longer than it takes. */

import { Readable } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import type { UploadedLine } from '../auction/intake/upload-orders.ts';
import { AuctionError, type Problem } from '../market/errors.ts';
import { deepest, isDeeperThan } from './body.ts';

/** Bytes of one line. */
const longest = 500_000;
const lineFeed = 10;

const faulty = (line: number, code: string, message: string): UploadedLine => ({
  line,
  fault: { code, message } satisfies Omit<Problem, 'index'>,
  characters: 0,
});

/** One JSON text a line; empty lines are none. */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<UploadedLine> {
  let number = 0;
  for await (const bytes of split(chunks)) {
    number++;
    if (bytes === undefined) yield faulty(number, 'too-long', `the line is longer than ${longest} bytes`);
    else {
      const line = jsonLine(number, bytes);
      if (line !== undefined) yield line;
    }
  }
}

function jsonLine(line: number, bytes: Uint8Array): UploadedLine | undefined {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).trim();
  } catch {
    return faulty(line, 'not-utf8', 'the line is not UTF-8');
  }
  if (text === '') return undefined;
  if (isDeeperThan(text, deepest))
    return faulty(line, 'too-deep', `the line has more than ${deepest} lists and objects within each other`);
  try {
    return { line, order: JSON.parse(text), characters: text.length };
  } catch (error) {
    return faulty(line, 'broken-json', `the line is not JSON: ${(error as Error).message}`);
  }
}

/** The bytes of each line without its end; undefined for one that is too long. */
async function* split(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array | undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const add = (part: Uint8Array): void => {
    size += part.length;
    if (size <= longest) parts.push(part);
    else parts = [];
  };
  const taken = (): Uint8Array | undefined => {
    const line = size > longest ? undefined : Buffer.concat(parts);
    parts = [];
    size = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      add(chunk.subarray(from, end));
      yield taken();
      from = end + 1;
    }
    add(chunk.subarray(from));
  }
  if (size > 0) yield taken();
}

/** Fields of an order that a cell can hold. */
const textColumns = [
  'record_id',
  'portfolio',
  'zone',
  'kind',
  'side',
  'resolution',
  'linkedTo',
  'exclusiveGroup',
  'loopWith',
];
const numberColumns = [
  ...['period', 'price', 'power', 'from', 'to', 'minAcceptance', 'duration', 'earliest', 'latest'],
];
const columns = new Set([...textColumns, ...numberColumns]);
const decimal = /^-?\d+(\.\d+)?(e-?\d{1,3})?$/i;

/** A header that names fields, and a row for each order. @throws AuctionError `invalid-request` for a header that names others */
export async function* csvLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<UploadedLine> {
  const skipped: UploadedLine[] = [];
  const parser = parse({
    bom: true,
    info: true,
    trim: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    max_record_size: longest,
    columns: headerOf,
    on_skip: (error: CsvError | undefined) => {
      if (error !== undefined) skipped.push(faulty(Number(error.lines ?? 1), 'broken-csv', error.message));
      return undefined;
    },
  });
  const source = Readable.from(chunks);
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const each of parser) {
      yield* skipped.splice(0);
      const { record, info } = each as { record: Record<string, string>; info: { lines: number } };
      yield { line: info.lines, order: orderOf(record), characters: JSON.stringify(record).length };
    }
  } catch (error) {
    if (error instanceof AuctionError) throw error;
    throw new AuctionError('invalid-request', `this is no CSV: ${(error as Error).message}`, [], { cause: error });
  } finally {
    source.destroy();
  }
  yield* skipped;
}

function headerOf(header: string[]): string[] {
  const unknown = header.find((name) => !columns.has(name));
  const twice = header.find((name, at) => header.indexOf(name) !== at);
  const wrong = unknown ?? twice;
  if (wrong === undefined) return header;
  const message = `column ${JSON.stringify(wrong.slice(0, 60))} is ${unknown === undefined ? 'there twice' : 'no field'}; they are ${[...columns].join(', ')}`;
  throw new AuctionError('invalid-request', message);
}

/** What is no number stays text, and is refused as such. */
function orderOf(record: Record<string, string>): Record<string, string | number> {
  const cells = Object.entries(record).filter(([, cell]) => cell !== '');
  return Object.fromEntries(
    cells.map(([name, cell]) => [name, numberColumns.includes(name) && decimal.test(cell) ? Number(cell) : cell]),
  );
}
