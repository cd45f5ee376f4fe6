/**
 * What both pipelines run, run as it is written: the steps of `deploy.yml` that need no GitHub, and the commands of CodeBuild, in
 * a copy of the project, against the emulator. Left out is `npm test`, which continuous integration has run before this.
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
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { commands } from '../../lib/buildspecs.ts';
import { type Emulator, startEmulator } from './emulator.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
let project: string;
let emulator: Emulator;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'merit-pipelines-'));
  project = join(folder, 'project');
  const { stdout } = spawnSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  for (const file of stdout.trim().split('\n')) {
    await mkdir(dirname(join(project, file)), { recursive: true });
    await cp(join(root, file), join(project, file));
  }
  emulator = await startEmulator();
  const bootstrap = `cdk bootstrap aws://000000000000/us-east-1 -c environment=dev -o ${folder}/cdk.boot`;
  await run(bootstrap, { PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter) }, root);
});
after(async () => {
  await emulator?.stop();
  await rm(folder, { recursive: true });
});

/** As a step of GitHub or CodeBuild: bash in the project, stopping at the first command that fails. */
async function run(command: string, variables: Record<string, string> = {}, cwd = project): Promise<string> {
  const child = spawn('bash', ['-e', '-c', command], {
    cwd,
    env: { ...process.env, ...emulator.environment, CI: 'true', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.equal(code, 0, `${command}\n${out}${err}`);
  return out + err;
}

async function outputsOf(): Promise<Record<string, string>> {
  const stacks = Object.values(JSON.parse(await readFile(join(project, 'outputs.json'), 'utf8')));
  return (stacks as Record<string, string>[]).find(({ Url }) => Url !== undefined)!;
}

/**
 * What a smoke auction finds in its environment: the secrets that are set up once, with a client made as docs/deploy.md says. The
 * emulator has gateways and user pools under its own address, not under the names that the stack says.
 */
async function smokeVariables(): Promise<Record<string, string>> {
  const { hostname, pathname } = new URL((await outputsOf()).Url!);
  const client = smokeClient ?? JSON.parse(await run(addSmokeClient));
  smokeClient = client;
  return {
    MERIT_URL: `${emulator.endpoint}/restapis/${hostname.split('.')[0]}/${pathname.replaceAll('/', '')}/_user_request_`,
    MERIT_TOKEN_URL: `${emulator.endpoint}/oauth2/token`,
    MERIT_CLIENT_ID: client.clientId,
    MERIT_CLIENT_SECRET: client.clientSecret,
  };
}
let smokeClient: Record<'clientId' | 'clientSecret', string> | undefined;
const addSmokeClient =
  'node scripts/add-client.ts smoke --outputs outputs.json --role operator --participant smoke --zones MERIT';

test('deploy.yml: install, synth, diff, deploy, smoke auction, Slack', async (t) => {
  const { jobs } = parse(await readFile(join(project, '.github/workflows/deploy.yml'), 'utf8'));
  const steps = (jobs.deploy.steps as { name?: string; run?: string }[]).filter(({ run: command }) => command);
  const said: string[] = [];
  const slack = createServer(async (request, response) => {
    said.push(JSON.parse(await text(request)).text);
    response.end();
  }).listen(0, '127.0.0.1');
  await once(slack, 'listening');
  t.after(() => slack.close());
  const summary = join(folder, 'summary.md');
  for (const { name, run: command } of steps) {
    const began = performance.now();
    await run(command!.replace(/ && npm test$/, ''), {
      GITHUB_STEP_SUMMARY: summary,
      ...(name === 'Smoke auction' && (await smokeVariables())),
      ...(name === 'Tell Slack' && {
        SLACK_WEBHOOK_URL: `http://127.0.0.1:${(slack.address() as AddressInfo).port}`,
        OUTCOME: 'success',
        WHAT: 'dev, a change',
        WHO: 'ada',
        LINK: 'https://github.example.org/runs/1',
      }),
    });
    t.diagnostic(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
  assert.match(await readFile(summary, 'utf8'), /^## Difference.*\n```\n.*AWS::DynamoDB::Table.*```\n$/s);
  assert.deepEqual(said, [
    ':white_check_mark: success: dev, a change, by ada (<https://github.example.org/runs/1|look>)',
  ]);
});

test('CodeBuild: the build makes each environment, a deployment deploys one of them and holds a smoke auction', async (t) => {
  const { build, deploy } = commands;
  const variables = { ENVIRONMENT: 'dev', STACK_CONTEXT: '-c alarmAddresses=a@example.org' };
  for (const command of [...build.build.slice(1), ...deploy.install, ...deploy.build]) {
    const began = performance.now();
    await run(command, { ...variables, ...(command.includes('smoke') && (await smokeVariables())) });
    t.diagnostic(`${command}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  }
});

test('CodeBuild: the pipeline deploys itself, as far as its changes', async () => {
  const PIPELINE_CONTEXT = '-c repository=merit/house -c tokenSecret=github';
  for (const command of commands.mutate.build) {
    // The emulator has no CodePipeline: the same app with the same options, held against what is deployed.
    const said = await run(command.replace('cdk deploy', 'cdk diff').replace('--require-approval never', ''), {
      PIPELINE_CONTEXT,
    });
    assert.match(said, /AWS::CodePipeline::Pipeline/);
  }
});
