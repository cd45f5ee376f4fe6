import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import '../../../test/support/seeded.ts';
import { Joined } from './joined.ts';

test('Joined: members have one root, the smallest of those that hang together', () => {
  const pair = fc.tuple(fc.nat(11), fc.nat(11));
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 15 }), (pairs) => {
      const joined = new Joined(12);
      // The slow way: everybody carries the label of their group, and groups are relabelled one member at a time.
      const label = Array.from({ length: 12 }, (_, i) => i);
      for (const [a, b] of pairs) {
        const [one, other] = [label[a]!, label[b]!];
        assert.equal(joined.join(a, b), one !== other);
        for (let i = 0; i < 12; i++) if (label[i] === Math.max(one, other)) label[i] = Math.min(one, other);
      }
      assert.deepEqual(
        label.map((_, i) => joined.root(i)),
        label,
      );
    }),
  );
});
