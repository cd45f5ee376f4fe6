/** A fresh folder for a test, and what is to be undone after it, the last first: servers end before their disk goes. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface Place {
  readonly folder: string;
  undo(step: () => unknown): void;
}

export function openPlace(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'merit-faults-'));
  const steps: (() => unknown)[] = [() => rmSync(folder, { recursive: true })];
  t.after(async () => {
    const failures: unknown[] = [];
    for (const step of steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'not everything could be undone');
  });
  return { folder, undo: (step) => void steps.push(step) };
}
