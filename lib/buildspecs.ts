/**
 * What CodeBuild runs: the commands, apart from where they run, so that the tests run them as they are written.
 *
 * They find what differs in their environment: `ENVIRONMENT`; `PIPELINE_CONTEXT` and `STACK_CONTEXT`, options as the
 * pipeline was deployed with.
 */

export const environmentOrder = ['dev', 'staging', 'prod'] as const;

/** Any Node can install the project; the one that runs it comes along. */
const install = ['npm ci'];

const synthesised = environmentOrder.map(
  (name) => `npx cdk synth -q $STACK_CONTEXT -c environment=${name} -o cdk.out/${name}`,
);

export const commands = {
  /** The README's test command, and the template of each environment with cdk-nag over it: built once, deployed as it is. */
  build: { install: [], build: ['npm ci && npm test', ...synthesised] },
  /** The pipeline deploys itself first, so that a change of it holds for the rest of the run. */
  mutate: {
    install,
    build: ["npx cdk deploy merit-pipeline --app 'node bin/pipeline.ts' $PIPELINE_CONTEXT --require-approval never"],
  },
  deploy: {
    install,
    build: [
      'npx cdk deploy "energy-auction-$ENVIRONMENT" "energy-auction-watching-$ENVIRONMENT" --app "cdk.out/$ENVIRONMENT" --require-approval never --outputs-file outputs.json',
      'npm run smoke -- --outputs outputs.json',
    ],
  },
} as const satisfies Record<string, { install: readonly string[]; build: readonly string[] }>;

export type Job = keyof typeof commands;

/** As CodeBuild takes it. */
export const buildspecOf = (job: Job, files?: readonly string[]) => ({
  version: 0.2,
  env: { shell: 'bash' },
  phases: {
    install: { 'runtime-versions': { nodejs: 22 }, commands: [...commands[job].install] },
    build: { 'on-failure': 'ABORT', commands: [...commands[job].build] },
  },
  ...(files && { artifacts: { files: [...files], 'exclude-paths': ['node_modules/**/*'] } }),
});
