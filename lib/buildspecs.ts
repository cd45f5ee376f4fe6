/**
 * What CodeBuild runs: the commands, apart from where they run, so that the tests run them as they are written.
 *
 * They find what differs in their environment: `ENVIRONMENT`; `PIPELINE_CONTEXT` and `STACK_CONTEXT`, options as the
 * pipeline was deployed with.
 */

export const environmentOrder = ['dev', 'staging', 'prod'] as const;

/** In Secrets Manager: the client that holds smoke auctions, as `npm run add-client` prints it. */
export const smokeSecret = (environment: string): string => `merit/smoke/${environment}`;

/**
 * Where deploying is allowed no script of a dependency runs, but that of the package `node`: it brings the Node that runs ours. All
 * that is made of our code was made by the build.
 */
const install = ['npm ci --ignore-scripts', 'npm rebuild node'];

const synthesised = environmentOrder.map(
  (name) => `npx cdk synth -q $STACK_CONTEXT -c environment=${name} -o cdk.out/${name}`,
);

export const commands = {
  /** The README's test command, and the templates with cdk-nag over them: built once, deployed as they are. */
  build: {
    install: [],
    build: [
      'npm ci && npm test',
      ...synthesised,
      "npx cdk synth -q --app 'node bin/pipeline.ts' $PIPELINE_CONTEXT -o cdk.out/pipeline",
    ],
  },
  /** The pipeline deploys itself first, so that a change of it holds for the rest of the run. */
  mutate: { install, build: ['npx cdk deploy --all --app cdk.out/pipeline --require-approval never'] },
  /** Until somebody has put a client into the secret, the smoke auction says that it was not held, and does not fail. */
  deploy: {
    install,
    build: [
      'npx cdk deploy --all --app "cdk.out/$ENVIRONMENT" --require-approval never --outputs-file outputs.json',
      `npm run smoke -- --outputs outputs.json --secret "${smokeSecret('$ENVIRONMENT')}" --skip-without-client`,
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
