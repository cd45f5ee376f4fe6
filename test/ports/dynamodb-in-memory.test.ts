/** The adapters over DynamoDB keep the promises of their ports, on tables in memory: the logic above the tables, without an emulator. */

import { openAuctionStore } from '../../src/adapters/aws/auction-store.ts';
import { openOrderStore } from '../../src/adapters/aws/order-store.ts';
import { openRegistry } from '../../src/adapters/aws/participants.ts';
import { openMemoryTables } from '../support/memory-table.ts';
import { auctionStoreCases } from './auction-store.cases.ts';
import { type OpenedStore, orderStoreCases } from './order-store.cases.ts';
import { participantsCases } from './participants.cases.ts';

async function openStores(): Promise<OpenedStore> {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const database = openMemoryTables();
  const opened = (): OpenedStore => {
    const auctions = openAuctionStore(database, 'auctions', 1);
    const tables = { ordersTable: 'orders', intakeTable: 'intake' };
    const orders = openOrderStore({ database, ...tables, auctions, clock, budgetMs: 120_000 });
    return { auctions, orders, clock, reopen: async () => opened() };
  };
  return opened();
}

auctionStoreCases('dynamodb in memory', async () => (await openStores()).auctions);
orderStoreCases('dynamodb in memory', openStores);
participantsCases('dynamodb in memory', async () => {
  const registry = openRegistry(openMemoryTables(), 'participants');
  return {
    participants: registry,
    add: (participant) => registry.add({ client: participant.client, usageKey: 'none', participant }),
  };
});
