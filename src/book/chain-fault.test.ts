import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChainedEntry, chainFault } from './chain-fault.ts';
import { chain, chainStart, sequenceOf, sha256 } from './intake.ts';

/** So many entries of a shard, as a store keeps them. */
function chained(count: number, shard = 0, shards = 1): ChainedEntry[] {
  let hash = chainStart('a', shard, shards);
  return Array.from({ length: count }, (_, i) => {
    const digest = sha256(`entry ${i}`);
    hash = chain(hash, digest);
    return { sequence: sequenceOf(shard, i + 1, shards), digest, hash };
  });
}

test('chainFault() finds nothing in entries as they were written, whatever the shard', () => {
  for (const [shard, shards] of [
    [0, 1],
    [2, 3],
  ] as const) {
    const entries = chained(5, shard, shards);
    assert.equal(chainFault('a', entries, { shard, shards, head: entries[3] }), undefined);
    assert.equal(chainFault('a', [], { shard, shards }), undefined);
  }
});

test('chainFault() names the first entry that was changed, dropped, moved or cut off', () => {
  const head = chained(5)[4]!;
  const fault = (change: (entries: ChainedEntry[]) => void) => {
    const entries = chained(5);
    change(entries);
    return chainFault('a', entries, { head });
  };
  assert.match(
    fault((e) => (e[1] = { ...e[1]!, digest: sha256('other') }))!,
    /^entry 2 was changed: its stored hash is sha256:.*, computed sha256:/,
  );
  assert.match(fault((e) => (e[1] = { ...e[1]!, hash: sha256('other') }))!, /^entry 2 was changed/);
  assert.match(fault((e) => e.splice(2, 1))!, /^entry 3 is missing: 4 comes in its place/);
  assert.match(fault((e) => e.splice(3))!, /^it ends at entry 3, and entries up to 5 \(hash sha256:.*\) were acknowl/);
  assert.match(fault((e) => e.splice(0))!, /^it ends at entry 0/);
  assert.match(fault((e) => e.splice(1, 2, e[2]!, e[1]!))!, /^entry 2 is missing: 3 comes in its place/);
});

test('chainFault() sees a chain that is whole in itself, but another than was acknowledged', () => {
  const head = { sequence: 2, hash: sha256('other') };
  assert.match(chainFault('a', chained(3), { head })!, /^entry 2 is another than was acknowledged/);
});
