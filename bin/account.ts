/**
 * The app of what an account has once in a region, whatever environments lie there:
 * `npx cdk deploy --app 'node bin/account.ts'`, and then `-c accountSettings=apart` for each environment.
 */

import { PermissionsBoundary, Stack } from 'aws-cdk-lib';
import { AccountSettings } from '../lib/account-settings.ts';
import { makeApp } from '../lib/app.ts';
import { readContext } from '../lib/context.ts';

await makeApp((app) => {
  const boundary = readContext(app.node, ['permissionsBoundary'])('permissionsBoundary');
  const stack = new Stack(app, 'energy-auction-account', {
    description: 'What Merit, the open energy auction house, wants of an account and region',
    terminationProtection: true,
    ...(boundary && { permissionsBoundary: PermissionsBoundary.fromName(boundary) }),
  });
  new AccountSettings(stack, 'AccountSettings');
});
