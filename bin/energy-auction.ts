/**
 * The app that `cdk.json` names: the stacks of one environment, the house and what watches it. It needs no account and looks nothing up, so
 * `npx cdk synth -c environment=prod` works anywhere.
 */

import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EnergyAuctionStack } from '../lib/energy-auction-stack.ts';
import { readSettings } from '../lib/settings.ts';
import { WatchingStack } from '../lib/watching-stack.ts';

const app = new App();
const settings = await readSettings(app.node);
const house = new EnergyAuctionStack(app, `energy-auction-${settings.environment}`, { settings });
// Once there is something to watch.
new WatchingStack(app, `energy-auction-watching-${settings.environment}`, { settings }).addDependency(house);
Tags.of(app).add('project', 'merit');
Tags.of(app).add('environment', settings.environment);
// What it finds and nobody acknowledged beside the resource fails the synthesis.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
