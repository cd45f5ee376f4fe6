/** The machine sleeps: processes stand still for four seconds, and go on. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pause } from '../crash/clients.ts';
import { FaultyHouse } from './support/house.ts';
import { openPlace } from './support/place.ts';

const napMs = 4000;

async function nap(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await pause(napMs);
  process.kill(pid, 'SIGCONT');
}

test('a nap over a gate: what came before it is in the book, what comes after it is late', async (t) => {
  const place = openPlace(t);
  const house = await FaultyHouse.start(place);
  await house.hold('a', 2000);
  await house.send('a', 500);
  await nap(house.server.pid);
  assert.equal((await house.send('a', 1)).status, 409);
  await house.reaches('a', 'settled');
  await house.checkBook('a');
});

test('the demo goes on after a nap while its gate is open', async (t) => {
  const place = openPlace(t);
  const program = fileURLToPath(new URL('../../src/cli/merit.ts', import.meta.url));
  const options = ['demo', '--port', '0', '--open', '2', '--data', join(place.folder, 'data')];
  const demo = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [demo.stdout, demo.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const exited = once(demo, 'exit');
  place.undo(async () => {
    demo.kill('SIGKILL');
    await exited;
  });
  const says = async (what: RegExp, times: number) => {
    for (const since = performance.now(); said.split(what).length <= times; await pause(5)) {
      assert.equal(demo.exitCode, null, said);
      assert(performance.now() - since < 60_000, said);
    }
  };
  const gates = /the gate is open/;
  const count = (what: RegExp) => said.split(what).length - 1;
  for (const moment of [gates, /orders in/, /gate closed/]) {
    await says(moment, count(moment) + 1);
    await nap(demo.pid!);
  }
  await says(/ published: /, count(/ published: /) + 2);
});
