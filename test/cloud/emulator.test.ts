/** The emulator itself: it starts fresh, answers on loopback only, and leaves nothing behind. */

import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { CreateTableCommand, DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { startEmulator } from './emulator.ts';

test('startEmulator() gives an AWS of its own on loopback, and stop() ends it', async (t) => {
  const starting = [startEmulator(), startEmulator()];
  t.after(async () => {
    for (const started of await Promise.allSettled(starting))
      if (started.status === 'fulfilled') await started.value.stop().catch(() => undefined);
  });
  const emulators = await Promise.all(starting);
  const [one, other] = emulators.map(({ client }) => new DynamoDBClient({ ...client, maxAttempts: 1 }));
  await one!.send(
    new CreateTableCommand({
      TableName: 'orders',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'record_id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'record_id', KeyType: 'HASH' }],
    }),
  );
  assert.deepEqual((await one!.send(new ListTablesCommand())).TableNames, ['orders']);
  assert.deepEqual((await other!.send(new ListTablesCommand())).TableNames, []);
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((address) => address?.internal === false && address.family === 'IPv4');
  if (outside !== undefined) {
    const port = new URL(emulators[0]!.endpoint).port;
    await assert.rejects(fetch(`http://${outside.address}:${port}/_ministack/health`));
  }
  await emulators[0]!.stop();
  await assert.rejects(one!.send(new ListTablesCommand()));
  assert.deepEqual((await other!.send(new ListTablesCommand())).TableNames, []);
});
