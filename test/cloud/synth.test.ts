/** `cdk synth` as whoever deploys calls it: the app in a process of its own, functions bundled, cdk-nag over all of it. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { environmentNames } from '../../lib/environments.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const binaries = join(root, 'node_modules/.bin');

/** @returns with the seconds of the processor, which are the same on a machine that has much else to do */
async function synth(...context: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'merit-synth-'));
  const timed = 'TIMEFORMAT="processor %U %S"; time "$0" "$@"';
  const command = [join(binaries, 'cdk'), 'synth', '-q', '-o', folder, ...context];
  try {
    const { status, stderr } = spawnSync('bash', ['-c', timed, ...command], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PATH: [binaries, process.env.PATH].join(delimiter) },
    });
    const [, user, system] = /processor (\S+) (\S+)/.exec(stderr) ?? assert.fail(stderr);
    return { status, stderr, seconds: Number(user) + Number(system) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('cdk synth without an environment fails and names the valid ones', async () => {
  const { status, stderr } = await synth();
  assert.notEqual(status, 0);
  assert.match(stderr, /missing; say -c environment=dev or -c environment=staging or -c environment=prod/);
});

for (const environment of environmentNames)
  test(`cdk synth of ${environment} is clean and takes less than 30 s of the processor`, async (t) => {
    const { status, seconds, stderr } = await synth('-c', `environment=${environment}`);
    assert.equal(status, 0, stderr);
    t.diagnostic(`${seconds.toFixed(1)} s`);
    assert(seconds < 30, `${seconds} s`);
  });
