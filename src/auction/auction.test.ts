import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuctionState, inWorkflow, mayFollow, published, sequenceOf, states } from './auction.ts';

const names = Object.keys(states) as AuctionState[];

test('states: from scheduled the one way forward goes through each step', () => {
  const path: AuctionState[] = ['scheduled', 'open', 'closed', 'clearing', 'preliminary', 'final', 'settled'];
  for (let i = 1; i < path.length; i++) assert(mayFollow(path[i - 1]!, path[i]!), `${path[i - 1]} -> ${path[i]}`);
});

test('states: whatever the workflow works on may fail; a failed auction is restarted, goes on or is called off', () => {
  for (const state of inWorkflow) assert(mayFollow(state, 'failed'), state);
  assert.deepEqual(states.failed.next, ['closed', 'final', 'cancelled']);
});

test('states: nothing is called off between seal and failure, nothing leaves settled or cancelled', () => {
  const cancellable = names.filter((state) => mayFollow(state, 'cancelled'));
  assert.deepEqual(cancellable, ['scheduled', 'open', 'closed', 'failed']);
  assert.deepEqual([states.settled.next, states.cancelled.next], [[], []]);
});

test('states: a gate opens once and never again', () => {
  assert.deepEqual(
    names.filter((state) => mayFollow(state, 'open')),
    ['scheduled'],
  );
});

test('states: a result is public only after the verifier, also where settling it failed', () => {
  assert.deepEqual(published, ['final', 'settled']);
  assert.deepEqual(
    names.filter((state) => mayFollow(state, 'final')),
    ['preliminary', 'failed'],
  );
});

test('sequenceOf() grows with every move that there is, restarts included', () => {
  for (const [state, { next }] of Object.entries(states) as [AuctionState, { next: readonly AuctionState[] }][])
    for (const then of next) {
      const isRestart = state === 'failed' && then !== 'cancelled';
      const before = sequenceOf({ run: 1, state });
      const after = sequenceOf({ run: isRestart ? 2 : 1, state: then });
      assert(after > before, `${state} ${before}, ${then} ${after}`);
    }
});
