/**
 * The server on one machine: opens the house, serves the API, keeps time, and stops without dropping a request.
 *
 * `node src/server.ts` takes its settings from the environment (`settings.ts`); `merit serve`, the demo and the tests call
 * `serve()`.
 */

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, type HttpBindings } from '@hono/node-server';
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, Hono, MiddlewareHandler } from 'hono';
import packageJson from '../package.json' with { type: 'json' };
import type { LocalAccess } from './adapters/local/access/access.ts';
import { type AccessControl, openAccessControl } from './adapters/local/access/control.ts';
import { backupHealth } from './adapters/local/backup/health.ts';
import { type Backups, startBackups } from './adapters/local/backup/schedule.ts';
import type { WatchedClock } from './adapters/local/clock.ts';
import { mostConnections, oneAtATime } from './adapters/local/connections.ts';
import { type House, openHouse, startTimekeeper } from './adapters/local/house.ts';
import { type Log, logToStderr } from './adapters/local/log.ts';
import type { Retention } from './adapters/local/retention.ts';
import { createApp } from './api/app.ts';
import { identifyBearer } from './api/identify.ts';
import { type CallLimits, openLimits } from './api/limits.ts';
import type { Clock, Ports } from './auction/ports.ts';
import { keepTime } from './auction/schedule/keep-time.ts';
import { AuctionError } from './market/errors.ts';
import type { Market } from './market/market.ts';
import { checkSettings, readMarkets, type Settings, type SettingsInput, settingsFrom } from './settings.ts';

export interface ServeOptions extends Omit<SettingsInput, 'markets'> {
  /** The folder with the market files, or the markets themselves, the default one first. */
  readonly markets?: string | readonly Market[];
  readonly clock?: Clock | WatchedClock;
  readonly log?: Log;
}

export interface Serving {
  readonly url: string;
  readonly ports: Ports;
  /** Its clients and its issuer, when that is built in. */
  readonly access?: LocalAccess;
  /** Take no more connections, finish the requests that are there, stop the clock, close the stores. */
  close(): Promise<void>;
}

/** Requests that are still there this long after `close()` are cut: what is being written takes milliseconds. */
const patienceMs = 1500;
/** Requests at work at a time. */
const mostAtOnce = 500;
/** A connection on which nothing moves for so long is cut: its client does not read what it asked for. */
const silenceMs = 60_000;

/** @throws AuctionError for a wrong setting, a market file with a mistake, a data folder or a port that can't be used */
export async function serve(options: ServeOptions = {}): Promise<Serving> {
  const { markets: given, clock, log = logToStderr, ...rest } = options;
  const settings = checkSettings(typeof given === 'string' ? { ...rest, markets: given } : rest);
  const markets =
    given === undefined || typeof given === 'string'
      ? await readMarkets(settings.markets, settings.market)
      : [...given];
  const house = await openHouse({
    folder: settings.data,
    markets,
    log,
    tasks: 'in threads',
    retention: retentionOf(settings),
    ...(clock && { clock }),
    privateWebhooks: settings.privateWebhooks,
    ...(settings.mailServer && { mail: mailOf(settings) }),
    ...(settings.webhook && { webhook: webhookOf(settings) }),
  });
  // So that an order finds its auction from the first request on. The timekeeper does it again, and logs what fails.
  await keepTime(house.ports).catch(() => undefined);
  const control = await openControl(settings, house);
  const builtIn = control?.builtIn;
  const backups = backupsOf(settings, house, log);
  const streams = new AbortController();
  const app = createApp(house.ports, {
    version: packageJson.version,
    log,
    accessLog: settings.accessLog,
    limits: openLimits(limitsOf(settings)),
    before: onceOnDisk(house),
    docsScript: readDocsScript,
    metrics: house.metrics,
    webhooks: house.webhooks,
    events: { log: house.events, stop: streams.signal, addressOf, cut },
    findings: house.watch(...(backups ? [() => backupHealth(backups, settings.backupMinutes, house.ports)] : []))
      .findings,
    ...(control && { identify: identifyBearer(control.identify), tokens: control.tokens }),
    ...(builtIn && { issuer: builtIn }),
  });
  const server = await listen(app, settings.host, settings.port).catch(async (error) => {
    await backups?.stop();
    control?.close();
    await house.close();
    throw error;
  });
  const timekeeper = startTimekeeper(house.ports, log, house.clock);
  let closing: Promise<void> | undefined;
  const close = async () => {
    streams.abort();
    await stop(server);
    await backups?.stop();
    await timekeeper.stop();
    control?.close();
    await house.close();
  };
  return {
    url: urlOf(server),
    ports: house.ports,
    ...(builtIn && { access: builtIn }),
    close: () => (closing ??= close()),
  };
}

/**
 * What is read may have been committed a moment ago, and is answered once the disk has it: nobody sees what a loss of power could take
 * back. How the house is does not wait for the disk.
 */
const onceOnDisk =
  ({ settled }: House): MiddlewareHandler =>
  (c, next) =>
    c.req.method === 'GET' && !ofItself.has(c.req.path) ? next().then(settled) : next();
const ofItself = new Set(['/healthz', '/readyz', '/livez', '/metrics']);

const addressOf: CallLimits['addressOf'] = (c) => getConnInfo(c).remote.address ?? 'nowhere';

/** What was written to it and not read goes with it. */
const cut = (c: Context): void => void (c.env as HttpBindings).outgoing.destroy();

/** Whoever can reach a house without an issuer is on this machine, and may do everything anyway. */
function limitsOf({ issuer, requestsPerSecond = issuer === undefined ? undefined : 100 }: Settings): CallLimits {
  return { ...(requestsPerSecond !== undefined && { perSecond: requestsPerSecond }), atOnce: mostAtOnce, addressOf };
}

const mailOf = ({ mailServer, mailFrom, mailTo }: Settings) => ({ server: mailServer!, from: mailFrom!, to: mailTo! });
const webhookOf = ({ webhook: url, webhookSecret: secret }: Settings) => ({ url: url!, ...(secret && { secret }) });

function backupsOf(
  { backup, backupMinutes, backupKeep, data }: Settings,
  { ports }: House,
  log: Log,
): Backups | undefined {
  if (backup === undefined) return undefined;
  return startBackups({ data, to: backup, everyMinutes: backupMinutes, keep: backupKeep, clock: ports.clock, log });
}
const retentionOf = ({ keepNotices, keepHistory, keepAuctions }: Settings): Retention => ({
  keepNotices,
  keepHistory,
  ...(keepAuctions && { keepAuctions }),
});

/** Of calls, where the settings name an issuer. What goes wrong closes the house. */
async function openControl(settings: Settings, house: House): Promise<AccessControl | undefined> {
  const { issuer, audience, tokenUse, data } = settings;
  if (issuer === undefined) return undefined;
  try {
    const access = { issuer, ...(audience && { audience }), ...(tokenUse && { tokenUse }) };
    return openAccessControl(access, data, house.ports.clock);
  } catch (error) {
    await house.close();
    throw error;
  }
}

async function listen(app: Hono, host: string, port: number): Promise<Server> {
  const server = createServer(oneAtATime(getRequestListener(app.fetch, { hostname: host })));
  server.maxConnections = mostConnections();
  server.timeout = silenceMs;
  server.listen(port, host);
  try {
    await once(server, 'listening');
    return server;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program has it' : message;
    throw new AuctionError('unavailable', `cannot listen on port ${port} of ${host}: ${why}`, [], { cause });
  }
}

/** A connection whose last request ends while the server stops would be kept open for the next one. */
async function stop(server: Server): Promise<void> {
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const cut = setTimeout(() => server.closeAllConnections(), patienceMs);
  await new Promise((resolve) => server.close(resolve));
  clearInterval(idle);
  clearTimeout(cut);
}

function urlOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** The script of the page at `/docs`, from an installed package, so that the page needs no network. */
function readDocsScript(): Promise<string> {
  try {
    return readFile(new URL('js/standalone.js', import.meta.resolve(docsPackage)), 'utf8');
  } catch (cause) {
    throw new AuctionError('not-found', `the script of /docs comes with ${docsPackage}, not installed`, [], { cause });
  }
}
const docsPackage = '@scalar/fastify-api-reference';

const start = async (): Promise<Serving> => serve(settingsFrom(process.env));

async function main(): Promise<void> {
  const serving = await start().catch((error) => {
    if (!(error instanceof AuctionError)) throw error;
    console.error(`merit: ${error.message}`);
    process.exit(1);
  });
  console.log(`Merit listens on ${serving.url}\n  ${serving.url}/docs to read and try the API`);
  const stopOn = (signal: NodeJS.Signals) => process.once(signal, () => void serving.close());
  stopOn('SIGTERM');
  stopOn('SIGINT');
}

if (import.meta.main) await main();
