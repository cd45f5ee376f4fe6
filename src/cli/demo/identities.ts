/** Who the simulated participants are to the house, who holds its auctions, and who the person before the terminal may be. */

import type { Participant } from '../../access/identity.ts';
import { scopesOfRole } from '../../access/roles.ts';
import type { LocalAccess } from '../../adapters/local/access/access.ts';
import { HouseClient } from '../house-client.ts';
import { bidsOfDay } from './participants.ts';

export interface Identities {
  /** Holds the auctions and looks at the books: operator and auditor in one. */
  readonly house: HouseClient;
  /** By the name of a simulated participant. */
  bidder(name: string): HouseClient;
  /** Of a participant who sends nothing, for the person before the terminal. */
  readonly yours: { readonly name: string; readonly token: string };
}

const hours = 24;
/** A demo may run in the data folder of a house: its names stay apart from the ones that are there. */
const named = (name: string) => `demo-${name}`;

/** They have no secrets: only whoever has the data folder gets tokens for them. */
export async function demoIdentities(access: LocalAccess, url: string, zones: readonly string[]): Promise<Identities> {
  const { clients } = access;
  const tokenOf = async (client: string) => (await access.issue(client, undefined, hours * 3600)).token;
  const participantNamed = async (name: string, zones: Iterable<string>): Promise<string> => {
    const portfolios = [{ name, zones: [...zones] }];
    const participant: Participant = { participant: name, client: name, access: 'write', portfolios };
    if (clients.get(name)) clients.changeParticipant(participant);
    else clients.addParticipant(participant);
    return tokenOf(name);
  };

  const house = named('house');
  if (!clients.get(house)) clients.add(house, [...scopesOfRole('operator'), ...scopesOfRole('auditor')]);
  const bidders = new Map<string, HouseClient>();
  const day = bidsOfDay(
    1,
    Array.from({ length: 24 }, (_, hour) => hour),
  );
  for (const { name, orders } of day) {
    const own = new Set(orders.flatMap(({ zone }) => zone ?? []));
    bidders.set(name, new HouseClient(url, await participantNamed(named(name), own)));
  }
  const you = named('you');
  return {
    house: new HouseClient(url, await tokenOf(house)),
    bidder: (name) => bidders.get(name)!,
    yours: { name: you, token: await participantNamed(you, zones) },
  };
}
