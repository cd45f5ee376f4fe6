/**
 * The app of the pipeline: `npx cdk deploy --app 'node bin/pipeline.ts' -c repository=owner/name -c connection=ARN`. It is deployed
 * once by hand and deploys itself from then on.
 */

import { makeApp } from '../lib/app.ts';
import { readPipelineSettings } from '../lib/pipeline-settings.ts';
import { PipelineStack } from '../lib/pipeline-stack.ts';

await makeApp((app) => {
  new PipelineStack(app, 'merit-pipeline', readPipelineSettings(app.node));
});
