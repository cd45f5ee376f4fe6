/** What every registry of participants keeps of its promises. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Participant, Participants } from '../../src/access/identity.ts';

export interface OpenedRegistry {
  readonly participants: Participants;
  /** As `merit participant add` and its like do it. */
  add(participant: Participant): Promise<void>;
}

const acme: Participant = {
  participant: 'acme',
  client: 'client-1',
  access: 'write',
  portfolios: [
    { name: 'wind', zones: ['NORTH', 'SOUTH'], powerLimits: { buy: 0, sell: 120.5 } },
    { name: 'town', zones: ['NORTH'] },
  ],
};

export function participantsCases(name: string, open: (t: TestContext) => Promise<OpenedRegistry>): void {
  test(`${name}: find() gives the participant of a client as it was registered, and nothing for other names`, async (t) => {
    const { participants, add } = await open(t);
    await add(acme);
    await add({ ...acme, participant: 'umbra', client: 'client-2', access: 'read' });
    assert.deepEqual(await participants.find('client-1'), acme);
    assert.equal((await participants.find('client-2'))?.access, 'read');
    for (const client of ['acme', 'client-', 'CLIENT-1', 'client-1 ', '', '__proto__'])
      assert.equal(await participants.find(client), undefined, client);
  });

  test(`${name}: one client calls for one participant, and the other way round`, async (t) => {
    const { participants, add } = await open(t);
    await add(acme);
    await assert.rejects(add({ ...acme, participant: 'umbra' }), { code: 'conflict' });
    await assert.rejects(add({ ...acme, client: 'client-2' }), { code: 'conflict' });
    assert.equal((await participants.find('client-1'))?.participant, 'acme');
    assert.equal(await participants.find('client-2'), undefined);
  });
}
