/** What watches an environment, in a stack of its own: by `-c watching=apart`, where others than the house's change alarms. */

import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';
import { Watching } from './watching.ts';

export class WatchingStack extends Stack {
  constructor(scope: Construct, id: string, { settings }: { readonly settings: Settings }) {
    super(scope, id, {
      description: `What watches Merit, the open energy auction house (${settings.environment})`,
      terminationProtection: settings.terminationProtection,
    });
    new Watching(this, 'Watching', { settings });
  }
}
