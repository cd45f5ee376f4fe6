/** What the apps in `bin/` have in common: tags, cdk-nag over everything, and one line for whoever said something wrong. */

import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { AuctionError } from '../src/market/errors.ts';
import { ContextError } from './context.ts';

/** Make an app with these stacks. What is wrong with its context or its markets ends the process with 1, and no stack trace. */
export async function makeApp(addStacks: (app: App) => void | Promise<void>): Promise<void> {
  const app = new App();
  try {
    await addStacks(app);
  } catch (error) {
    if (!(error instanceof ContextError) && !(error instanceof AuctionError)) throw error;
    console.error(error.message);
    process.exit(1); // the app would synthesise itself at the end of the process
  }
  Tags.of(app).add('project', 'merit');
  // What it finds and nobody acknowledged beside the resource fails the synthesis.
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
