/** `cdk synth` as whoever deploys calls it: the app in a process of its own, functions bundled, cdk-nag over all of it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { environmentNames } from '../../lib/environments.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binaries = join(root, 'node_modules/.bin');

/** @returns with the seconds of the processor, which are the same on a machine that has much else to do */
async function synth(...options: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'merit-synth-'));
  const timed = 'TIMEFORMAT="processor %U %S"; time "$0" "$@"';
  const command = [join(binaries, 'cdk'), 'synth', '-o', folder, ...options];
  try {
    const {
      status,
      stdout,
      stderr: all,
    } = spawnSync('bash', ['-c', timed, ...command], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PATH: [binaries, process.env.PATH].join(delimiter) },
      maxBuffer: 50_000_000,
    });
    const [line, user, system] = /processor (\S+) (\S+)\n/.exec(all) ?? assert.fail(all);
    return { status, stdout, stderr: all.replace(line, ''), seconds: Number(user) + Number(system) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('cdk synth as it stands is dev, says so in one line, and answers with the template of one stack', async () => {
  const { status, stdout, stderr } = await synth();
  assert.equal(status, 0, stderr);
  const said = stderr.split('\n').filter((line) => line.startsWith('environment '));
  assert.deepEqual(said, ['environment dev, since none is named; there are dev, staging, prod (-c environment=NAME)']);
  const { Resources } = parse(stdout, { maxAliasCount: -1, logLevel: 'error' });
  assert.ok(Object.keys(Resources).length > 200);
});

test('cdk synth with something wrong ends with 1 and one line that says what is right', async () => {
  for (const [wrong, line] of [
    ['environment=production', /^context environment: there is no production; say -c environment=dev or .*$/m],
    [
      'alarmAdresses=a@example.org',
      /^context alarmAdresses: there is no such key; say environment, alarmAddresses, .*$/m,
    ],
    ['budget=much', /^context budget: expected a whole number from 1 on, found "much"$/m],
    ['markets=nowhere', /^nowhere: the folder with the markets cannot be read$/m],
  ] as const) {
    const { status, stdout, stderr } = await synth('-q', '-c', wrong);
    assert.equal(status, 1, wrong);
    assert.match(stderr, line);
    // The second line is the CDK's own: that the app has ended with 1.
    assert.equal(stderr.trim().split('\n').length, 2, stderr);
    assert.equal(stdout, '');
  }
});

test('cdk synth of the apps of an account and of the pipeline is clean, and they refuse what they do not know', async () => {
  const app = (name: string) => ['-q', '--app', `node --disable-warning=ExperimentalWarning bin/${name}.ts`];
  const told = ['-c', 'repository=merit/house', '-c', 'tokenSecret=github', '-c', 'prod.budget=900'];
  for (const options of [app('account'), [...app('pipeline'), ...told]]) {
    const { status, stderr } = await synth(...options);
    assert.equal(status, 0, stderr);
  }
  for (const [options, line] of [
    [[...app('account'), '-c', 'budgets=3'], /^context budgets: there is no such key; say environment, .*$/m],
    [[...app('pipeline'), ...told, '-c', 'branch=main'], /^context branch: there is no such key; say repository, .*$/m],
    [app('pipeline'), /^context repository: say -c repository=owner\/name$/m],
  ] as const) {
    const { status, stderr } = await synth(...options);
    assert.equal(status, 1);
    assert.match(stderr, line);
  }
});

for (const environment of environmentNames)
  test(`cdk synth of ${environment} is clean and takes less than 30 s of the processor`, async (t) => {
    const { status, seconds, stderr } = await synth('-q', '-c', `environment=${environment}`);
    assert.equal(status, 0, stderr);
    t.diagnostic(`${seconds.toFixed(1)} s`);
    assert(seconds < 30, `${seconds} s`);
  });
