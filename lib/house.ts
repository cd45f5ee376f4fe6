/** The stacks of one environment: one, unless what watches the house is to stand apart. */

import type { App } from 'aws-cdk-lib';
import { EnergyAuctionStack } from './energy-auction-stack.ts';
import type { Settings } from './settings.ts';
import { WatchingStack } from './watching-stack.ts';

export const houseNameOf = (environment: string): string => `energy-auction-${environment}`;

export function addHouse(app: App, settings: Settings): { house: EnergyAuctionStack; watching?: WatchingStack } {
  const { environment } = settings;
  const house = new EnergyAuctionStack(app, houseNameOf(environment), { settings });
  if (settings.watching !== 'apart') return { house };
  const watching = new WatchingStack(app, `energy-auction-watching-${environment}`, { settings });
  // Once there is something to watch.
  watching.addStackDependency(house);
  return { house, watching };
}
