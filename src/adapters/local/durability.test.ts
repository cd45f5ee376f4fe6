import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { AuctionError } from '../../market/errors.ts';
import { openDurability } from './durability.ts';
import type { Heads } from './heads.ts';

/** A log whose syncs end when the test says so, and what was called, in order. */
function scene() {
  const calls: string[] = [];
  const syncs: { resolve: () => void; reject: (why: Error) => void }[] = [];
  let fault: Error | undefined;
  const heads = {
    take: () => new Map(),
    putBack: () => void calls.push('put back'),
    write() {
      if (fault !== undefined) throw fault;
      calls.push('heads');
    },
  } as unknown as Heads;
  const log = {
    sync() {
      calls.push('sync');
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      syncs.push({ resolve, reject });
      return promise;
    },
    syncNow: () => void calls.push('sync now'),
    repair: () => void calls.push('repair'),
    close: () => void calls.push('close'),
  };
  const durability = openDurability(log, heads);
  return {
    durability,
    calls,
    /** Ends the sync that began last. */
    end: (why?: Error) => (why === undefined ? syncs.at(-1)!.resolve() : syncs.at(-1)!.reject(why)),
    breakHeads(why: Error | undefined) {
      fault = why;
    },
  };
}

/** Whether it is over by now. */
async function isOver(promise: Promise<unknown>): Promise<boolean> {
  await turn();
  return Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    turn(false),
  ]);
}

test('synced(): who comes while the disk is at work waits for the next sync, all of them for the same', async () => {
  const { durability, calls, end } = scene();
  const first = durability.synced();
  const [second, third] = [durability.synced(), durability.synced()];
  assert.equal(second, third);
  assert.deepEqual(calls, ['sync']);
  end();
  await first;
  assert.equal(await isOver(second), false);
  assert.deepEqual(calls, ['sync', 'heads', 'sync']);
  end();
  await second;
  assert.equal(await isOver(durability.settled()), true);
});

test('synced(): after a sync that failed, the next one repairs, and only that one', async () => {
  const { durability, calls, end } = scene();
  const failed = durability.synced();
  end(new Error('no room'));
  await assert.rejects(failed, { code: 'unavailable', message: /no room/ });
  await durability.synced();
  assert.deepEqual(calls, ['sync', 'put back', 'repair', 'heads']);
  const next = durability.synced();
  end();
  await next;
  assert.deepEqual(calls.slice(4), ['sync', 'heads']);
});

test('synced(): heads that cannot be written are told, and tear nothing', async () => {
  const { durability, calls, end, breakHeads } = scene();
  breakHeads(new AuctionError('unavailable', 'heads'));
  const failed = durability.synced();
  end();
  await assert.rejects(failed, { message: 'heads' });
  breakHeads(undefined);
  const next = durability.synced();
  end();
  await next;
  assert.deepEqual(calls, ['sync', 'put back', 'sync', 'heads']);
});

test('settled() waits for what others wait for, however it ends', async () => {
  const { durability, end } = scene();
  assert.equal(await isOver(durability.settled()), true);
  const failed = durability.synced();
  const settled = durability.settled();
  assert.equal(await isOver(settled), false);
  end(new Error('no room'));
  await assert.rejects(failed);
  assert.equal(await isOver(settled), true);
});

test('later(): one sync within a second, for all that asked', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { durability, calls } = scene();
  durability.later();
  durability.later();
  t.mock.timers.tick(999);
  assert.deepEqual(calls, []);
  t.mock.timers.tick(1);
  assert.deepEqual(calls, ['sync']);
});

test('close() syncs at once where the disk is at rest, after the sync that is at work otherwise', async () => {
  const idle = scene();
  assert.equal(idle.durability.close(), undefined);
  assert.deepEqual(idle.calls, ['close', 'heads']);
  await assert.rejects(idle.durability.synced(), { code: 'unavailable', message: 'the house is closing' });
  const busy = scene();
  const synced = busy.durability.synced();
  const closed = busy.durability.close()!;
  assert.equal(await isOver(closed), false);
  assert.deepEqual(busy.calls, ['sync']);
  busy.end();
  await Promise.all([synced, closed]);
  assert.deepEqual(busy.calls, ['sync', 'heads', 'close', 'heads']);
});
