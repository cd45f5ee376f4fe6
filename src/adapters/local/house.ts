/** The house on one machine: every port over the data folder, wired. */

import { join } from 'node:path';
import type { Clock, Ports } from '../../auction/ports.ts';
import { findAuction } from '../../auction/records/moves.ts';
import { failAuction } from '../../auction/steps/notify-failure.ts';
import { tasks } from '../../auction/steps/tasks.ts';
import type { Finding } from '../../auction/views/health.ts';
import { AuctionError } from '../../market/errors.ts';
import type { Market } from '../../market/market.ts';
import { type MailSettings, openMail } from '../mail.ts';
import { openSigner } from './access/signing-keys.ts';
import { openArchive } from './archive.ts';
import { startCheckpoints } from './checkpoints.ts';
import { type ClockFault, type WatchedClock, watchClock } from './clock.ts';
import { holdDataFolder } from './data-folder.ts';
import { type LocalEventLog, openEventLog, telling } from './event-log.ts';
import { type HealthWatch, watchHealth } from './health.ts';
import { type Log, logToStderr } from './log.ts';
import { openMeter } from './meter.ts';
import { type HouseWebhook, type NoticesOptions, openNotices } from './notices.ts';
import { type Retention, startRetention, usualRetention } from './retention.ts';
import { databaseName, openStore } from './stores.ts';
import { openTaskThreads } from './threads/task-threads.ts';
import { type LocalWebhooks, openWebhooks } from './webhooks.ts';
import { openWorkflow } from './workflow.ts';

export { startTimekeeper, type Timekeeper } from './timekeeper.ts';

export interface HouseOptions {
  readonly folder: string;
  /** The first one is the default market. */
  readonly markets: readonly Market[];
  /** Without it the machine's, watched. One that is not watched is believed. */
  readonly clock?: Clock | WatchedClock;
  readonly log?: Log;
  /** Where notices are posted to, besides the log. */
  readonly webhook?: HouseWebhook;
  /** Where tasks of the workflow run: here, so that a test can look at its own ports, or in threads beside. */
  readonly tasks?: 'here' | 'in threads';
  /** Milliseconds that the workflow waits in a state, by its name, instead of what clearing and the file say. */
  readonly waits?: Readonly<Record<string, number>>;
  /** Whether webhooks of participants may lie on private addresses. */
  readonly privateWebhooks?: boolean;
  /** Where the operator gets mail, if anywhere. */
  readonly mail?: MailSettings;
  /** How long what is kept. */
  readonly retention?: Retention;
}

export interface House {
  readonly ports: Ports;
  readonly webhooks: LocalWebhooks;
  /** What happens, for streams of events. */
  readonly events: LocalEventLog;
  /** What was counted and measured, in the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  /** Why nothing can be written any more, where the files of the data folder are not those that are open; undefined while all is well. */
  readonly storageFault: () => string | undefined;
  /** Resolves when the disk has all that somebody waits for by now. */
  readonly settled: () => Promise<void>;
  /** Begin to look after its own health, and at what else may be wrong, until it is closed. */
  readonly watch: (...others: readonly (() => Finding)[]) => HealthWatch;
  /** What gates go by, and how far it is off (`fault()`). */
  readonly clock: WatchedClock;
  /** Stop the timekeeper first. What is cut here goes on at the next start. */
  close(): Promise<void>;
}

const longestSearchMs = 600_000;

/**
 * Open the data folder and go on with what a crash cut.
 *
 * @throws AuctionError `incompatible-data`, `damaged-data`, `unavailable` (another process has the folder), `invalid-market`
 */
export async function openHouse(options: HouseOptions): Promise<House> {
  const { folder, clock = watchClock(), log = logToStderr, tasks: where = 'here', waits } = options;
  const { retention = usualRetention } = options;
  const watched = isWatched(clock) ? clock : believed(clock);
  const markets = byId(options.markets);
  const hold = holdDataFolder(folder);
  const closing: (() => unknown)[] = [() => hold.release()];
  const close = async () => {
    for (const step of closing.splice(0).reverse()) await step();
  };
  try {
    const store = openStore(folder, clock, watched.gates);
    closing.push(() => store.close());
    const archiveFolder = join(folder, 'archive');
    const archive = openArchive(archiveFolder, () => store.storage.check());
    const signer = openSigner(folder);
    closing.push(() => signer.close());
    const meter = openMeter();
    const { database, durability } = store;
    if (where === 'in threads') {
      const checkpoints = startCheckpoints({ database, durability, file: join(folder, databaseName), log });
      closing.push(() => checkpoints.close());
    }
    const { webhooks, notices } = openMessengers({ database, durability, clock, log, meter }, options);
    closing.push(
      () => webhooks.close(),
      () => notices.close(),
    );
    const threads = where === 'here' ? undefined : openTaskThreads({ folder, markets, longestSearchMs }, () => ports);
    const workflow = openWorkflow({
      database,
      durability,
      clock,
      log,
      runTask: threads?.runTask ?? ((task, input) => tasks[task](ports, input)),
      ...(waits && { waits }),
    });
    // Tasks are ended while the workflow waits for them.
    closing.push(() => Promise.all([workflow.close(), threads?.close()]));
    const events = openEventLog();
    const { orders } = store;
    const auctions = telling(store.auctions, events);
    const ports: Ports = {
      ...{ clock, markets, auctions, orders, archive, notices, workflow, meter, signer, longestSearchMs },
    };
    for (const { auction, fault } of store.damaged) await stopDamaged(ports, log, auction, fault);
    workflow.resume();
    const retaining = startRetention({
      database,
      forget: store.forget,
      archive: archiveFolder,
      clock: watched.gates,
      log,
      retention,
    });
    closing.push(() => retaining.stop());
    const watch: House['watch'] = (...others) => {
      const health = watchHealth({
        folder,
        database,
        durability,
        ports,
        others,
        faults: {
          'data folder': {
            fault: () => store.storage.fault(),
            todo: 'Stop the house and put the folder back: what was acknowledged is in the files that are gone.',
          },
          clock: {
            fault: () => jumpOf(watched.fault()),
            todo: 'Gates and intake stand still. Set the clock right; or, if it is right now, restart the house.',
          },
        },
      });
      closing.push(() => health.close());
      return health;
    };
    return {
      ports,
      events,
      webhooks,
      metrics: meter.text,
      storageFault: () => store.storage.fault(),
      settled: () => durability.settled(),
      watch,
      clock: watched,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What tells the operator, and the participants who wish it. */
function openMessengers(
  shared: Omit<NoticesOptions, 'webhook' | 'webhooks'>,
  { webhook, mail: mailed, privateWebhooks: anywhere = false }: HouseOptions,
) {
  const webhooks = openWebhooks({ ...shared, anywhere, ...(mailed && { mail: openMail(mailed) }) });
  return { webhooks, notices: openNotices({ ...shared, webhooks, ...(webhook && { webhook }) }) };
}

/** The gate of such an auction must not stay open; once its book is sealed, the book counts. */
async function stopDamaged(ports: Ports, log: Log, id: string, fault: string): Promise<void> {
  log({ event: 'data-damaged', auction: id, found: fault });
  const { state, run } = await findAuction(ports, id);
  if (state === 'open') await failAuction(ports, id, run, `its intake is damaged: ${fault}`);
}
const jumpOf = (fault: ClockFault | undefined): string | undefined =>
  fault && `it is ${Math.round(fault.seconds)} s off the time that has passed, since ${fault.since}`;

const isWatched = (clock: Clock): clock is WatchedClock => 'gates' in clock;
const believed = (clock: Clock): WatchedClock => ({ now: () => clock.now(), gates: clock, fault: () => undefined });

function byId(markets: readonly Market[]): Map<string, Market> {
  const known = new Map<string, Market>();
  for (const market of markets) {
    if (known.has(market.market)) throw new AuctionError('invalid-market', `there are two markets ${market.market}`);
    known.set(market.market, market);
  }
  return known;
}
