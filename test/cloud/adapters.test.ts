/** The adapters over AWS keep the promises of their ports: the same cases as for the local ones, against the emulator. */

import { after, before, type TestContext } from 'node:test';
import { openArchive } from '../../src/adapters/aws/archive.ts';
import { openDatabase } from '../../src/adapters/aws/database.ts';
import { openRegistry } from '../../src/adapters/aws/participants.ts';
import { openSigner } from '../../src/adapters/aws/signer.ts';
import { awsStores } from '../../src/adapters/aws/stores.ts';
import { archiveCases } from '../ports/archive.cases.ts';
import { auctionStoreCases } from '../ports/auction-store.cases.ts';
import { type OpenedStore, orderStoreCases } from '../ports/order-store.cases.ts';
import { participantsCases } from '../ports/participants.cases.ts';
import { signerCases } from '../ports/signer.cases.ts';
import { recordingMeter } from '../support/meter.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { type Clients, clientsOf, createBucket, createSigningKey, createTable, createTables } from './resources.ts';

let emulator: Emulator;
let clients: Clients;
before(async () => {
  emulator = await startEmulator();
  clients = clientsOf(emulator);
});
after(async () => {
  clients.destroy();
  await emulator.stop();
});

async function openStores(_: TestContext): Promise<OpenedStore> {
  const clock = { time: '2025-04-01T10:30:00Z', now: () => new Date(clock.time) };
  const environment = await createTables(clients.dynamodb, 1);
  const opened = (): OpenedStore => {
    const { auctions, orders } = awsStores(environment, [], {
      dynamodb: clients.dynamodb,
      clock,
      meter: recordingMeter(),
      budgetMs: 120_000,
    });
    return { auctions, orders, clock, reopen: async () => opened() };
  };
  return opened();
}

auctionStoreCases('dynamodb', async (t) => (await openStores(t)).auctions);
orderStoreCases('dynamodb', openStores);
archiveCases('s3', async () => openArchive(clients.s3, await createBucket(clients.s3)));
signerCases('kms', async () => {
  const { kms } = clients;
  const first = await createSigningKey(kms);
  return {
    signer: openSigner(kms, [first]),
    rotate: async () => openSigner(kms, [first, await createSigningKey(kms)]),
  };
});
participantsCases('dynamodb', async () => {
  const registry = openRegistry(
    openDatabase(clients.dynamodb),
    await createTable(clients.dynamodb, 'participants', 'pk'),
  );
  return {
    participants: registry,
    add: (participant) => registry.add({ client: participant.client, usageKey: 'none', participant }),
  };
});
