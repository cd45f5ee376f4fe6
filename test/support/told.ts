/** Where an auction was when something of it was told: what every notice has. */

import type { Notice } from '../../src/auction/ports.ts';

export const toldOf = (auction: string): Pick<Notice, 'auction' | 'state' | 'run' | 'sequence' | 'at'> => ({
  auction,
  state: 'final',
  run: 1,
  sequence: 15,
  at: '2025-04-01T11:00:00Z',
});
