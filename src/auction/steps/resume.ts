/** Nothing stays half done: whatever is between gate closure and settlement has a workflow that runs. */

import type { Auction } from '../auction.ts';
import type { Ports } from '../ports.ts';
import { failAuction } from './notify-failure.ts';

/**
 * Start the workflow of an auction that should have one and has none: a process may have died between closing the gate and
 * starting it. One whose workflow has ended without a word (it could not even notify), or without it, becomes `failed` here.
 */
export async function resume(ports: Ports, { id: auction, run }: Pick<Auction, 'id' | 'run'>): Promise<void> {
  const id = await ports.workflow.start(auction, run);
  const execution = await ports.workflow.find(id);
  if (execution?.status === 'failed') await failAuction(ports, auction, run, execution.cause ?? 'its workflow failed');
  // One that has settled since is left alone.
  if (execution?.status === 'succeeded')
    await failAuction(ports, auction, run, 'its workflow is said to have succeeded, and it is not settled');
}
