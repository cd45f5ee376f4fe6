/** Many orders in one stream, as NDJSON or CSV. */

import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import * as z from 'zod';
import { uploadOrders } from '../auction/intake/upload-orders.ts';
import type { Ports } from '../auction/ports.ts';
import { auctionId } from '../market/book.ts';
import { AuctionError } from '../market/errors.ts';
import { ownerOf } from './intake.ts';
import { type Route, route } from './route.ts';
import { csvLines, jsonLines } from './upload-lines.ts';

/** Bytes of one upload. */
const mostBytes = 200_000_000;

const lineProblem = z.strictObject({
  line: z.int().min(1).meta({ description: 'of the upload, from 1; of CSV the header is the first' }),
  record_id: z.string().exactOptional(),
  field: z.string().exactOptional(),
  code: z.string(),
  message: z.string(),
});

const uploadReport = z
  .strictObject({
    auction: auctionId,
    accepted: z.int().min(0).meta({ description: 'orders that have a place in the intake now, or had it before' }),
    refused: z.int().min(0),
    problems: z.array(lineProblem).meta({ description: 'why, the first thousand' }),
    stopped: z
      .strictObject({ line: z.int().min(1), code: z.string(), message: z.string() })
      .exactOptional()
      .meta({ description: 'the upload did not come to its end: nothing was taken from that line on' }),
  })
  .meta({ id: 'UploadReport' });

const formats = { 'application/x-ndjson': jsonLines, 'text/csv': csvLines } as const;

/** @throws HTTPException 415 */
function formatOf(c: Context) {
  const type = c.req.header('content-type') ?? '';
  const encoding = c.req.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw new HTTPException(415, { message: `the body is encoded as ${encoding}; send it plain` });
  const name = type.split(';')[0]!.trim().toLowerCase();
  if (Object.hasOwn(formats, name)) return formats[name as keyof typeof formats];
  const accepted = Object.keys(formats).join(' or ');
  throw new HTTPException(415, { message: `the body is declared as ${type || 'nothing'}; send it as ${accepted}` });
}

async function* counted(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  try {
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > mostBytes)
        throw new AuctionError('too-large', `the upload is longer than ${mostBytes} bytes; send it in several`);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof AuctionError) throw cause;
    throw new AuctionError('invalid-request', 'the connection ended before the body did', [], { cause });
  }
}

export const uploadRoute = (ports: Ports): Route =>
  route({
    id: 'uploadOrders',
    method: 'post',
    path: '/order-uploads',
    tag: 'Orders',
    summary: 'Send many orders in one stream',
    description:
      'One order a line as JSON (`application/x-ndjson`), or as CSV (`text/csv`) whose header names the fields; an empty cell is a field that is left ' +
      'out. Each order is taken or refused for itself, unlike those of one `POST /orders`; who names another one comes after it. The answer comes at the ' +
      'end and counts them, with line, field and code of those that were refused. The same upload again takes what is missing. Receipts are in ' +
      '`GET /orders`, whose orders have their stamps and hashes.',
    query: z.strictObject({ auction: auctionId.exactOptional() }),
    documentedStream: Object.keys(formats),
    answers: { 200: { description: 'How many were taken and refused', schema: uploadReport } },
    errors: [
      ...(['invalid-request', 'not-found', 'gate-closed', 'gate-not-open', 'unavailable'] as const),
      ...(['too-large', 'unsupported-media-type'] as const),
    ],
    handle: async (c, { query, identity }) => {
      const read = formatOf(c);
      return c.json(await uploadOrders(ports, ownerOf(identity), query.auction, read(counted(c.req.raw.body))));
    },
  });
