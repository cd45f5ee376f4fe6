/**
 * Which orders name another order or a group: an index of each participant's names in the intake's table.
 *
 * An entry is put by the very transaction that claims the order, so none is missing, and taken away by the one that cancels it; one that
 * replaces it does both. It promises nothing: an order names something when it is in the log and not cancelled, so who looks a name up looks its orders up.
 * Entries lie in the order in which their orders came, so the first live one is mostly the first; those that cannot come
 * true any more (their request was aborted) are deleted by who meets them.
 */

import type { NamingField } from '../../auction/ports.ts';
import type { Order } from '../../market/order.ts';
import { limiter } from '../limiter.ts';
import type { Action, Database, Item, Key } from './database.ts';
import type { IntakeLog } from './intake-log.ts';
import { isCommitted, type RequestRecord } from './log-readers.ts';
import { asOrderItem, keyOf, type OrderItem, orderOf } from './order-items.ts';

const fields = ['linkedTo', 'loopWith', 'exclusiveGroup'] as const satisfies readonly NamingField[];

/** Entries of a name that are looked at together. */
const lookedAt = 8;
/** Names that are looked up at one time. */
const atOnce = 16;

type Naming = Pick<OrderItem, 'auction' | 'participant' | 'claimed_at' | 'position'>;

const partitionOf = (auction: string, participant: string, field: NamingField, name: string): string =>
  `${auction}#names#${participant}#${field}#${name}`;

function keysOf({ auction, participant, claimed_at, position }: Naming, order: Order): Key[] {
  if (order.kind !== 'block') return [];
  const sk = `${String(claimed_at).padStart(14, '0')}#${String(position).padStart(6, '0')}#${order.record_id}`;
  return fields.flatMap((field) =>
    order[field] === undefined ? [] : [{ pk: partitionOf(auction, participant, field, order[field]), sk }],
  );
}

/** The entries of an order that is claimed. */
export const namesPut = (table: string, item: Naming & Pick<OrderItem, 'ttl'>, order: Order): Action[] =>
  keysOf(item, order).map((key) => ({ table, put: { ...key, record_id: order.record_id, ttl: item.ttl } }));

/** The same taken away. */
export const namesRemoved = (table: string, item: OrderItem): Action[] =>
  keysOf(item, orderOf(item)).map((remove) => ({ table, remove }));

/** Those of an order that is replaced taken away, and those of its next version put. */
export function namesMoved(table: string, item: OrderItem, next: OrderItem): Action[] {
  const same = (a: Key, b: Key) => a.pk === b.pk && a.sk === b.sk;
  const [before, after] = [keysOf(item, orderOf(item)), keysOf(next, orderOf(next))];
  const { record_id } = orderOf(next);
  return [
    ...before.filter((key) => !after.some((other) => same(key, other))).map((remove) => ({ table, remove })),
    ...after
      .filter((key) => !before.some((other) => same(key, other)))
      .map((key) => ({ table, put: { ...key, record_id, ttl: next.ttl } })),
  ];
}

export interface NamesOptions {
  readonly database: Database;
  readonly ordersTable: string;
  readonly intakeTable: string;
  readonly log: IntakeLog;
}

/** What is known of an order that an entry is about. */
interface Candidate {
  readonly entry: Key;
  /** Of the very claim that put the entry: another request may have taken over the id since. */
  readonly item: OrderItem | undefined;
  readonly request: RequestRecord | undefined;
}

/** @returns of each of these names the item of the first live order whose `field` it is; names without one are left out */
export async function firstNaming(
  options: NamesOptions,
  auction: string,
  participant: string,
  field: NamingField,
  names: readonly string[],
): Promise<Map<string, OrderItem>> {
  const { database, intakeTable } = options;
  const found = new Map<string, OrderItem>();
  const dead: Key[] = [];
  const limit = limiter(atOnce);

  /** The next entries of a name, after one of them. */
  async function entriesAfter(name: string, after: string): Promise<Item[]> {
    const entries: Item[] = [];
    const range = { from: `${after} `, limit: lookedAt };
    const pk = partitionOf(auction, participant, field, name);
    for await (const entry of database.query(intakeTable, pk, range)) if (entries.push(entry) === lookedAt) break;
    return entries;
  }

  let open = new Map(names.map((name) => [name, '']));
  while (open.size > 0) {
    const next = await Promise.all(
      [...open].map(([name, after]) => limit(async () => [name, await entriesAfter(name, after)] as const)),
    );
    const candidates = await candidatesOf(
      options,
      auction,
      participant,
      next.flatMap(([, entries]) => entries),
    );
    const byEntry = new Map(candidates.map((each) => [`${each.entry.pk} ${each.entry.sk}`, each]));
    open = new Map();
    for (const [name, entries] of next) {
      const own = entries.map(({ pk, sk }) => byEntry.get(`${pk} ${sk}`)!);
      const first = own.find(isLive);
      dead.push(...own.filter(isDead).map(({ entry }) => entry));
      if (first !== undefined) found.set(name, first.item!);
      else if (entries.length === lookedAt) open.set(name, entries.at(-1)!.sk as string);
    }
  }
  if (dead.length > 0) await database.deleteMany(intakeTable, dead);
  return found;
}

/** What is known of the orders that these entries are about. */
async function candidatesOf(
  { database, ordersTable, log }: NamesOptions,
  auction: string,
  participant: string,
  entries: readonly Item[],
): Promise<Candidate[]> {
  const keys = entries.map(({ record_id }) => ({ record_id: keyOf(auction, participant, record_id as string) }));
  const items = (await database.getMany(ordersTable, keys)).map(asOrderItem);
  const byKey = new Map(items.map((item) => [item.record_id, item]));
  const requests = await log.records(
    auction,
    items.map(({ request_id }) => request_id),
  );
  return entries.map(({ pk, sk }, i) => {
    const entry = { pk: pk as string, sk: sk as string };
    const item = byKey.get(keys[i]!.record_id);
    const isItsOwn = item && keysOf(item, orderOf(item)).some((key) => key.pk === pk && key.sk === sk);
    return isItsOwn
      ? { entry, item, request: requests.get(item.request_id) }
      : { entry, item: undefined, request: undefined };
  });
}

/** The items of all live orders whose `field` is that name. */
export async function allNaming(
  options: NamesOptions,
  auction: string,
  participant: string,
  field: NamingField,
  name: string,
): Promise<OrderItem[]> {
  const entries: Item[] = [];
  for await (const entry of options.database.query(options.intakeTable, partitionOf(auction, participant, field, name)))
    entries.push(entry);
  return (await candidatesOf(options, auction, participant, entries)).filter(isLive).map(({ item }) => item!);
}

const isLive = ({ item, request }: Candidate): boolean => isCommitted(request) && item?.cancelled_by === undefined;

/** It will never be live: an entry whose order is still on its way is not dead. */
const isDead = ({ item, request }: Candidate): boolean =>
  item === undefined || item.cancelled_by !== undefined || (request !== undefined && !request.committed);
