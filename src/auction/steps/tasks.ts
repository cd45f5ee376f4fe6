/**
 * The Task states of `workflow/auction.asl.json` by name: JSON in, JSON out, safe to run twice.
 *
 * On one machine the workflow calls them in process, in the cloud each is a function of its own.
 */

import { clearAuction, clearInput } from './clear-auction.ts';
import { diagnoseFailure } from './diagnose.ts';
import { notifyFailure, notifyFailureInput } from './notify-failure.ts';
import { publish } from './publish.ts';
import { sealAuction } from './seal-book.ts';
import { settlePage, settlePageInput } from './settle-page.ts';
import { run } from './step.ts';
import { type Task, task } from './task.ts';
import { verifyResult } from './verify-result.ts';

export const tasks = {
  SealBook: task(run, sealAuction),
  Clear: task(clearInput, clearAuction),
  Verify: task(run, verifyResult),
  SettlePage: task(settlePageInput, settlePage),
  Publish: task(run, publish),
  NotifyFailure: task(notifyFailureInput, notifyFailure),
  Diagnose: task(run, diagnoseFailure),
} as const satisfies Record<string, Task>;

export type TaskName = keyof typeof tasks;
