/**
 * The app that `cdk.json` names: the stack of one environment, the house and what watches it. It needs no account and looks nothing up,
 * so `npx cdk synth` works anywhere.
 */

import { Tags } from 'aws-cdk-lib';
import { makeApp } from '../lib/app.ts';
import { environmentNames } from '../lib/environments.ts';
import { addHouse } from '../lib/house.ts';
import { readSettings } from '../lib/settings.ts';

await makeApp(async (app) => {
  const settings = await readSettings(app.node);
  const { environment } = settings;
  // Not what the CDK answers with, so that its output stays a template.
  if (!app.node.tryGetContext('environment'))
    console.error(
      `environment ${environment}, since none is named; there are ${environmentNames.join(', ')} (-c environment=NAME)`,
    );
  addHouse(app, settings);
  Tags.of(app).add('environment', environment);
});
