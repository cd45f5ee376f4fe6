/** Notices are sent, and counted by their kind. */

import type { Notice, Ports } from '../ports.ts';

export async function tell(ports: Pick<Ports, 'notices' | 'meter'>, news: readonly Notice[]): Promise<void> {
  if (news.length === 0) return;
  await ports.notices.send(news);
  for (const [kind, some] of Map.groupBy(news, (notice) => notice.kind))
    ports.meter.record('notices_sent', some.length, kind);
}
