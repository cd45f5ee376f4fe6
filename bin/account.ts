/**
 * The app of what an account has once in a region, whatever environments lie there:
 * `npx cdk deploy --app 'node bin/account.ts'`, and then `-c accountSettings=apart` for each environment.
 */

import { Stack } from 'aws-cdk-lib';
import { AccountSettings } from '../lib/account-settings.ts';
import { makeApp } from '../lib/app.ts';
import { readContext } from '../lib/context.ts';

await makeApp((app) => {
  readContext(app.node, [], 'none, this app takes no choices');
  const stack = new Stack(app, 'energy-auction-account', {
    description: 'What Merit, the open energy auction house, wants of an account and region',
    terminationProtection: true,
  });
  new AccountSettings(stack, 'AccountSettings');
});
