/**
 * The app of what an account has once in a region, whatever environments lie there:
 * `npx cdk deploy --app 'node bin/account.ts'`, and then `-c accountSettings=apart` for each environment.
 */

import { PermissionsBoundary, Stack } from 'aws-cdk-lib';
import { AccountSettings } from '../lib/account-settings.ts';
import { makeApp } from '../lib/app.ts';
import { readContext } from '../lib/context.ts';
import { settingKeysOfSeveral, validSettingKeys } from '../lib/settings.ts';

await makeApp((app) => {
  // What environments are told may stand in cdk.json; of that only the boundary is of an account.
  const boundary = readContext(app.node, settingKeysOfSeveral, validSettingKeys)('permissionsBoundary');
  const stack = new Stack(app, 'energy-auction-account', {
    description: 'What Merit, the open energy auction house, wants of an account and region',
    terminationProtection: true,
    ...(boundary && { permissionsBoundary: PermissionsBoundary.fromName(boundary) }),
  });
  new AccountSettings(stack, 'AccountSettings');
});
