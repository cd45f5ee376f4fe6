/**
 * The app of the pipeline: `npx cdk deploy --app 'node bin/pipeline.ts' -c repository=owner/name -c connection=ARN`. It is deployed
 * once by hand and deploys itself from then on.
 */

import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readPipelineSettings } from '../lib/pipeline-settings.ts';
import { PipelineStack } from '../lib/pipeline-stack.ts';

const app = new App();
new PipelineStack(app, 'merit-pipeline', readPipelineSettings(app.node));
Tags.of(app).add('project', 'merit');
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
