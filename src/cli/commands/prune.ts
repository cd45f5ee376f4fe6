/** `merit prune`: delete now what a running house deletes by itself, once an hour. For a data folder that no house has. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdDataFolder } from '../../adapters/local/data-folder.ts';
import { executionTables } from '../../adapters/local/execution-log.ts';
import { noticeTables } from '../../adapters/local/notices.ts';
import { prune } from '../../adapters/local/retention.ts';
import { openStore } from '../../adapters/local/stores.ts';
import { webhookTables } from '../../adapters/local/webhooks.ts';
import { settingsFrom } from '../../settings.ts';
import { exitCodes, Failure } from '../failure.ts';
import { counted, print } from '../output.ts';

export async function pruneFolder({ data, keepAuctions }: { data: string; keepAuctions?: number }): Promise<void> {
  if (!existsSync(join(data, 'merit.json'))) throw new Failure(exitCodes.usage, `${data} is no data folder of a house`);
  const retention = { ...settingsFrom(process.env), ...(keepAuctions && { keepAuctions }) };
  const hold = holdDataFolder(data);
  const clock = { now: () => new Date() };
  try {
    const store = openStore(data, clock);
    try {
      const { database, forget } = store;
      database.exec(`${noticeTables} ${webhookTables} ${executionTables}`);
      const orders = await store.orders.expire(clock.now());
      const pruned = await prune({ database, forget, archive: join(data, 'archive'), clock, retention });
      database.exec('VACUUM');
      print(
        `deleted: ${counted(orders, 'order')}, ${Object.entries(pruned)
          .map(([what, n]) => `${n} ${what}`)
          .join(', ')}`,
      );
    } finally {
      await store.close();
    }
  } finally {
    hold.release();
  }
}
