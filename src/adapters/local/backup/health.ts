/** Whether the last good backup is as young as it should be. */

import type { Ports } from '../../../auction/ports.ts';
import type { Finding } from '../../../auction/views/health.ts';
import type { Backups } from './schedule.ts';

/** One may be late, be it by a failure that the next one mends; and some minutes more, where one comes each minute. */
const most = (everyMinutes: number): number => 2 * everyMinutes + 10;

export function backupHealth(
  backups: Pick<Backups, 'newest'>,
  everyMinutes: number,
  { clock, meter }: Pick<Ports, 'clock' | 'meter'>,
): Finding {
  const seconds = Math.max(0, clock.now().getTime() - backups.newest()) / 1000;
  meter.record('backup_age_seconds', seconds);
  const minutes = Math.round(seconds / 60);
  if (minutes <= most(everyMinutes)) return { name: 'backup', status: 'ok', found: 'as it should be' };
  return {
    name: 'backup',
    status: 'warning',
    found: `there has been no good backup for ${minutes} minutes; one is due every ${everyMinutes}`,
    todo: 'The log says why (`backup-failed`): no room, no rights, or a copy that has not passed its check (docs/backup.md).',
  };
}
