/**
 * What both pipelines run, run as it is written: the steps of `deploy.yml` that need no GitHub, and the commands of CodeBuild, each job
 * in a checkout of its own, against the emulator. Left out is `npm test`, which continuous integration has run before this.
 */

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RestoreTableToPointInTimeCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { parse } from 'yaml';
import { commands } from '../../lib/buildspecs.ts';
import { type Emulator, startEmulator } from './emulator.ts';
import { newDynamo } from './resources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let emulator: Emulator;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merit-pipelines-'));
  emulator = await startEmulator();
  const bootstrap = `npx cdk bootstrap aws://000000000000/us-east-1 -o ${folder}/cdk.boot`;
  await run(root, bootstrap);
});
after(async () => {
  await emulator?.stop();
  await rm(folder, { recursive: true });
});

/** The project as a job finds it: what Git has, or would have. */
async function checkout(name: string): Promise<string> {
  const project = join(folder, name);
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of stdout.trim().split('\n')) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await cp(join(root, file), join(project, file));
  }
  return project;
}

/** Without what npm has put there for the run of the tests: a job finds its own. */
const path = (process.env.PATH ?? '').split(delimiter).filter((each) => !each.includes('node_modules'));

type Variables = Readonly<Record<string, string>>;

/** As a step of GitHub or CodeBuild: bash in the project, stopping at the first command that fails. */
async function run(project: string, command: string, variables: Variables = {}, tools: string[] = []): Promise<string> {
  const child = spawn('bash', ['-e', '-c', command], {
    cwd: project,
    env: {
      ...process.env,
      ...emulator.environment,
      CI: 'true',
      PATH: [...tools, ...path].join(delimiter),
      ...variables,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(code, 0, `${command}\n${out}${err}`);
  return out + err;
}

/** With the time it took. */
async function timed(t: TestContext, name: string, work: () => Promise<string>): Promise<string> {
  const began = performance.now();
  const said = await work();
  t.diagnostic(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return said;
}

/** The emulator has gateways and user pools under its own address, not under the names that the stack says. */
async function houseOf(project: string): Promise<Variables> {
  const stacks = Object.values(JSON.parse(await readFile(join(project, 'outputs.json'), 'utf8')));
  const { Url } = (stacks as Record<string, string>[]).find((outputs) => outputs.Url !== undefined)!;
  const { hostname, pathname } = new URL(Url!);
  return {
    MERIT_URL: `${emulator.endpoint}/restapis/${hostname.split('.')[0]}/${pathname.replaceAll('/', '')}/_user_request_`,
    MERIT_TOKEN_URL: `${emulator.endpoint}/oauth2/token`,
  };
}

/** As docs/deploy.md says it. */
const addSmokeClient =
  'npm run -s add-client -- smoke --outputs outputs.json --role operator --participant smoke --zones MERIT';
let smokeClient: string;

test('deploy.yml: what one job has made is deployed by the next, whose first smoke auction waits for its client', async (t) => {
  const { jobs } = parse(await readFile(join(root, '.github/workflows/deploy.yml'), 'utf8'));
  // Both set up Node 24.
  const node = [dirname(process.execPath)];
  const step = (project: string, job: string, name: string, variables?: Variables) =>
    timed(t, `${job}: ${name}`, () => {
      const { run: command } = jobs[job].steps.find((each: { name?: string }) => each.name === name);
      return run(project, command.replace(/ && npm test$/, ''), variables, node);
    });
  const [building, deploying, telling] = [await checkout('build'), await checkout('deploy'), await checkout('tell')];

  await step(building, 'build', 'Test');
  await step(building, 'build', 'Synthesise, with cdk-nag', { STACK_CONTEXT: '-c alarmAddresses=a@example.org' });
  const { path: artifact } = jobs.build.steps.find((each: { with?: { path?: string } }) => each.with?.path).with;
  await cp(join(building, artifact), join(deploying, artifact), { recursive: true });

  await step(deploying, 'deploy', 'Install');
  const summary = join(folder, 'summary.md');
  await step(deploying, 'deploy', 'Difference to what is deployed', { GITHUB_STEP_SUMMARY: summary });
  assert.match(await readFile(summary, 'utf8'), /^## Difference.*\n```\n.*AWS::DynamoDB::Table.*```\n$/s);
  await step(deploying, 'deploy', 'Deploy to dev');
  const house = await houseOf(deploying);
  const unset = { MERIT_CLIENT_ID: '', MERIT_CLIENT_SECRET: '' };
  assert.match(
    await step(deploying, 'deploy', 'Smoke auction', { ...house, ...unset }),
    /no smoke auction was held: a token of \S+ needs MERIT_CLIENT_ID and MERIT_CLIENT_SECRET/,
  );
  await cp(join(deploying, 'outputs.json'), join(building, 'outputs.json'));
  smokeClient = await run(building, addSmokeClient);
  const { clientId, clientSecret } = JSON.parse(smokeClient);
  const set = { MERIT_CLIENT_ID: clientId, MERIT_CLIENT_SECRET: clientSecret };
  assert.match(await step(deploying, 'deploy', 'Smoke auction', { ...house, ...set }), /settled at 30 in/);

  const said: string[] = [];
  const slack = createServer(async (request, response) => {
    said.push(JSON.parse(await text(request)).text);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(slack, 'listening');
  t.after(() => slack.close());
  await step(telling, 'tell', 'Tell Slack', {
    SLACK_WEBHOOK_URL: `http://127.0.0.1:${(slack.address() as AddressInfo).port}`,
    OUTCOME: 'success',
    WHAT: 'dev, a change',
    WHO: 'ada',
    LINK: 'https://github.example.org/runs/1',
  });
  assert.deepEqual(said, [
    ':white_check_mark: success: dev, a change, by ada (<https://github.example.org/runs/1|look>)',
  ]);
});

test('CodeBuild: the build makes the templates of all environments and of the pipeline', async (t) => {
  const variables = {
    STACK_CONTEXT: '-c alarmAddresses=a@example.org -c prod.budget=900',
    PIPELINE_CONTEXT: '-c repository=merit/house -c tokenSecret=github',
  };
  for (const command of commands.build.build.slice(1))
    await timed(t, command, () => run(join(folder, 'build'), command, variables));
});

test('CodeBuild: a deployment deploys what was built, and reads its secret when it needs it', async (t) => {
  const { mutate, deploy } = commands;
  const building = join(folder, 'build');
  // The artifact of the build, without what it leaves out.
  const stage = join(folder, 'stage');
  await cp(building, stage, { recursive: true, filter: (file) => !file.includes(`${building}/node_modules`) });
  for (const command of deploy.install) await timed(t, command, () => run(stage, command));

  // The emulator has no CodePipeline: the pipeline as it is made, held against what is deployed.
  for (const command of mutate.build) {
    const diff = command.replace('cdk deploy', 'cdk diff').replace('--require-approval never', '');
    assert.match(await run(stage, diff), /AWS::CodePipeline::Pipeline/);
  }

  const [deployed, smoke] = deploy.build;
  await timed(t, deployed, () => run(stage, deployed, { ENVIRONMENT: 'dev' }));
  const held = async () => run(stage, smoke, { ENVIRONMENT: 'dev', ...(await houseOf(stage)) });
  const secrets = new SecretsManagerClient(emulator.client);
  t.after(() => secrets.destroy());
  const none = /no smoke auction was held: (there is no|nobody has put a client into the) secret merit\/smoke\/dev/;
  assert.match(await held(), none);
  await secrets.send(new CreateSecretCommand({ Name: 'merit/smoke/dev', SecretString: '{}' }));
  assert.match(await held(), none);
  await secrets.send(new PutSecretValueCommand({ SecretId: 'merit/smoke/dev', SecretString: smokeClient }));
  assert.match(await timed(t, smoke, held), /settled at 30 in/);
});

test('docs/restore.md: the house goes on with tables of other names, and with what is in them', async (t) => {
  const project = join(folder, 'build');
  const dynamodb = newDynamo(emulator.client);
  t.after(() => dynamodb.destroy());
  for (const name of ['orders', 'intake', 'auctions', 'participants']) {
    const tables = { SourceTableName: `${name}-dev`, TargetTableName: `${name}-dev-restored` };
    await dynamodb.send(new RestoreTableToPointInTimeCommand({ ...tables, UseLatestRestorableTime: true }));
    await waitUntilTableExists({ client: dynamodb, maxWaitTime: 60 }, { TableName: tables.TargetTableName });
  }
  const deploy = 'npx cdk deploy -c restoredTables=restored --require-approval never --outputs-file outputs.json';
  assert.match(await timed(t, deploy, () => run(project, deploy)), /^environment dev, since none is named/m);
  const house = await houseOf(project);
  const { clientId, clientSecret } = JSON.parse(smokeClient);
  const client = { MERIT_CLIENT_ID: clientId, MERIT_CLIENT_SECRET: clientSecret };
  assert.match(await run(project, 'npm run smoke', { ...house, ...client }), /settled at 30 in/);
  const before = (await (await fetch(`${house.MERIT_URL}/auctions?state=settled`)).json()) as { auctions: unknown[] };
  assert.ok(before.auctions.length >= 3, 'those of before are there, and the new one');
});
