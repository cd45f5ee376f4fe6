/**
 * The least that a durable intake can be, to measure ours against: node:http, JSON.parse, and one sqlite transaction a request. It
 * checks nothing, chains nothing, and gives a count for a receipt.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const [folder] = process.argv.slice(2);
const database = new DatabaseSync(join(folder!, 'bare.sqlite'));
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE orders (record_id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID`);
const insert = database.prepare('INSERT INTO orders (record_id, body) VALUES (?, ?)');

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const { orders } = JSON.parse(Buffer.concat(chunks).toString()) as { orders: { record_id: string }[] };
    database.exec('BEGIN');
    for (const order of orders) insert.run(order.record_id, JSON.stringify(order));
    database.exec('COMMIT');
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ receipts: orders.length }));
  });
});
server.listen(0, '127.0.0.1', () => {
  process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders` });
});
process.on('disconnect', () => process.exit());
