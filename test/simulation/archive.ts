/** A simulated archive: objects that are written whole or not at all, and outlive the process. */

import type { Archive } from '../../src/auction/ports.ts';
import { AuctionError } from '../../src/market/errors.ts';

export interface SimulatedArchive extends Archive {
  readonly objects: ReadonlyMap<string, string>;
}

export function simulateArchive(): SimulatedArchive {
  const objects = new Map<string, string>();
  return {
    objects,
    async write(key, text) {
      const known = objects.get(key);
      if (known !== undefined && known !== text) throw new AuctionError('conflict', `${key} has other content`);
      objects.set(key, text);
    },
    read: async (key) => objects.get(key),
    list: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}
