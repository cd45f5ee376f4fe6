/**
 * The app that `cdk.json` names: the stack of one environment. It needs no account and looks nothing up, so
 * `npx cdk synth -c environment=prod` works anywhere.
 */

import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EnergyAuctionStack } from '../lib/energy-auction-stack.ts';
import { readSettings } from '../lib/settings.ts';

const app = new App();
const settings = await readSettings(app.node);
new EnergyAuctionStack(app, `energy-auction-${settings.environment}`, { settings });
Tags.of(app).add('project', 'merit');
Tags.of(app).add('environment', settings.environment);
// What it finds and nobody acknowledged beside the resource fails the synthesis.
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
