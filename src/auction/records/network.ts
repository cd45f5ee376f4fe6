/**
 * The network of an auction: its market's when it was made, and what an operator changes until its gate closes.
 *
 * A network is a document of the archive, named by its hash, and an auction's record says which one is its own; so a change takes
 * effect with one move of the record, and the seal cannot miss it.
 */

import { canonical } from '../../book/canonical.ts';
import { sha256 } from '../../book/intake.ts';
import { networkOn } from '../../market/delivery-network.ts';
import { AuctionError, type Problem } from '../../market/errors.ts';
import type { Market } from '../../market/market.ts';
import { type Network, type NetworkChanges, network as networkSchema } from '../../market/network.ts';
import { networkFaults } from '../../market/network-rules.ts';
import { type Delivery, utc } from '../../market/time.ts';
import { toTheWatt } from '../../market/to-the-watt.ts';
import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { readDocument } from './documents.ts';
import { networkKey } from './keys.ts';
import { findAuction, marketOf, termsIn, wrongState } from './moves.ts';

/** @throws AuctionError `invalid-request` where a list of the market has no value for each market time unit of this delivery */
export function marketNetwork(market: Market, delivery: Delivery): Network {
  const network = networkOn(market, delivery);
  check(network, market.zones, delivery, `the network of market ${market.market} does not fit this auction`);
  return network;
}

/** Put a network into the archive. @returns what an auction's record names it by */
export async function keepNetwork({ archive }: Pick<Ports, 'archive'>, network: Network): Promise<{ hash: string }> {
  const text = canonical(network);
  const hash = sha256(text);
  await archive.write(networkKey(hash), text);
  return { hash };
}

/** @throws AuctionError `damaged-data` where the archive has not the one that the record names */
export async function networkOf(ports: Pick<Ports, 'archive' | 'markets'>, auction: Auction): Promise<Network> {
  if (auction.network === undefined) return marketNetwork(marketOf(ports, auction.market), auction.delivery);
  const { hash } = auction.network;
  return networkSchema.parse(JSON.parse(await readDocument(ports, networkKey(hash), hash)));
}

/** @throws AuctionError `not-found` */
export const readNetwork = async (ports: Ports, id: string): Promise<Network> =>
  networkOf(ports, await findAuction(ports, id));

/**
 * Change the network of an auction whose gate has not closed. The same changes again change nothing.
 *
 * @throws AuctionError `invalid-request` with each field that is wrong, and then nothing is changed; `gate-closed`; `wrong-state`
 */
export async function changeNetwork(ports: Ports, id: string, changes: NetworkChanges): Promise<Network> {
  const auction = await findAuction(ports, id);
  const network = changed(await networkOf(ports, auction), changes);
  check(network, termsIn(ports, auction).zones, auction.delivery, 'this is no network');
  const { hash } = await keepNetwork(ports, network);
  if (hash === auction.network?.hash) return network;
  if (auction.state !== 'scheduled' && auction.state !== 'open')
    throw wrongState(auction, 'its network can be changed until its gate closes');
  const now = ports.clock.now();
  if (Date.parse(auction.gateClosure) <= now.getTime())
    throw new AuctionError('gate-closed', `the gate of auction ${id} closed at ${auction.gateClosure}`);
  const isDone = await ports.auctions.advance(auction, { ...auction, network: { hash }, updatedAt: utc(now) });
  // Another writer was first: these changes are made to what is there now.
  return isDone ? network : changeNetwork(ports, id, changes);
}

function changed(network: Network, { lines, rampSets, netPositionRamps, constraints }: NetworkChanges): Network {
  const problems: Problem[] = [];
  const withChanges = <T extends { readonly id: string }>(
    field: string,
    all: readonly T[] = [],
    changes: readonly { readonly id: string }[] = [],
  ): T[] => {
    const byId = new Map(all.map((each) => [each.id, each]));
    changes.forEach(({ id, ...change }, i) => {
      const before = byId.get(id);
      if (before === undefined) {
        const known = all.length === 0 ? 'there are none' : `there are ${all.map((each) => each.id).join(', ')}`;
        problems.push({ field: `${field}.${i}.id`, code: 'unknown-id', message: `${id} is none of them: ${known}` });
      } else byId.set(id, { ...before, ...change } as T);
    });
    return [...byId.values()];
  };
  const next: Network = toTheWatt({
    ...network,
    lines: withChanges('lines', network.lines, lines),
    ...(network.rampSets || rampSets ? { rampSets: withChanges('rampSets', network.rampSets, rampSets) } : {}),
    ...(network.netPositionRamps || netPositionRamps
      ? { netPositionRamps: withChanges('netPositionRamps', network.netPositionRamps, netPositionRamps) }
      : {}),
    ...(constraints && { constraints }),
  });
  if (problems.length > 0) throw refusal('this is no network', problems);
  return next;
}

function check(network: Network, zones: readonly string[], { periods }: Delivery, what: string): void {
  const faults = networkFaults({ ...network, zones, periods });
  if (faults.length > 0) throw refusal(what, faults);
}

const refusal = (what: string, problems: readonly Problem[]): AuctionError =>
  new AuctionError('invalid-request', `${what}: ${problems[0]!.field}: ${problems[0]!.message}`, problems);
