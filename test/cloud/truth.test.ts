/** The truth at the gate (`test/support/intake-truth.ts`) over DynamoDB, with faults put into the clients. */

import { after, before } from 'node:test';
import { awsStores } from '../../src/adapters/aws/stores.ts';
import { truthCases } from '../support/intake-truth.ts';
import { recordingMeter } from '../support/meter.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { injectFaults } from './faults.ts';
import { createTables, newDynamo } from './resources.ts';

let emulator: Emulator;
before(async () => {
  emulator = await startEmulator();
});
after(() => emulator.stop());

truthCases('dynamodb', {
  seeds: [1, 2],
  shards: [1, 4],
  writers: 4,
  requestsEach: 20,
  open: async (shards, clock) => {
    const clean = newDynamo(emulator.client);
    const environment = await createTables(clean, shards);
    const meter = recordingMeter();
    return {
      ...awsStores(environment, [], { dynamodb: clean, clock, meter }),
      process: (random, faults) => {
        const dynamodb = newDynamo(emulator.client);
        const injected = injectFaults(dynamodb, random, faults);
        const patience = { patienceMs: 400, budgetMs: 5000 };
        const { orders } = awsStores(environment, [], { dynamodb, clock, meter, ...patience });
        return { orders, injected, close: () => dynamodb.destroy() };
      },
      close: () => clean.destroy(),
    };
  },
});
