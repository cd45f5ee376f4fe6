/** `merit serve`: the house over HTTP until it is told to stop. */

import { type ServeOptions, serve } from '../../server.ts';
import { settingsFrom } from '../../settings.ts';
import { print } from '../output.ts';
import { untilStopped } from '../signals.ts';

export async function serveHouse(options: Omit<ServeOptions, 'clock' | 'log'>): Promise<void> {
  const serving = await serve({ ...settingsFrom(process.env), ...options });
  const markets = [...serving.ports.markets.keys()].join(', ');
  print(`Merit listens on ${serving.url}\n  markets  ${markets}\n  API      ${serving.url}/docs`);
  await untilStopped();
  await serving.close();
}
