/**
 * A wrong clock: the server's is shifted by a library that is compiled here and loaded before the system's (it needs a C compiler).
 * Gates stand still, nothing ends, and all goes on when the clock is back.
 */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pause } from '../crash/clients.ts';
import { FaultyHouse } from './support/house.ts';
import { openPlace } from './support/place.ts';

/** Adds the milliseconds in the file that SHIFT names to the time of day, and to nothing else. */
const library = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long long shift(void) {
  long long ms = 0;
  FILE *file = fopen(getenv("SHIFT"), "r");
  if (file) { if (fscanf(file, "%lld", &ms) != 1) ms = 0; fclose(file); }
  return ms;
}
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int failed = real(id, at);
  if (!failed && id == CLOCK_REALTIME) at->tv_sec += shift() / 1000;
  return failed;
}
int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  int failed = clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return failed;
}`;

function compile(folder: string): { file: string } | { why: string } {
  const [source, file] = [join(folder, 'shift.c'), join(folder, 'shift.so')];
  writeFileSync(source, library);
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', file, source, '-ldl'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return { file };
  } catch (error) {
    return { why: `no library can be compiled here: ${(error as Error).message.split('\n')[0]}` };
  }
}

for (const [hours, when] of [
  [3, 'before its gate'],
  [36, 'before its gate'],
  [-2, 'before its gate'],
  [-1, 'over its gate'],
] as const) {
  test(`a clock that is ${hours} h off for four seconds, ${when}, ends no auction`, async (t) => {
    const place = openPlace(t);
    const compiled = compile(place.folder);
    if ('why' in compiled) return t.skip(compiled.why);
    const file = join(place.folder, 'shift');
    const turn = (ms: number) => writeFileSync(file, String(ms));
    turn(0);
    const house = await FaultyHouse.start(place, undefined, { LD_PRELOAD: compiled.file, SHIFT: file });
    await house.hold('a', when === 'over its gate' ? 3000 : 600_000);
    await house.send('a', 100);
    turn(hours * 3_600_000);
    const { status, json } = await house.send('a', 1);
    assert.equal(status, 503, JSON.stringify(json));
    assert.match(JSON.stringify(json), /the clock jumped by [+-]\d+/);
    for (const since = performance.now(); performance.now() - since < 4000; await pause(50)) {
      await house.health();
      assert.equal(await house.state('a'), 'open');
    }
    assert.match(house.server.errors, /"event":"clock-jumped"/);
    turn(0);
    if (when === 'before its gate') {
      assert.equal((await house.send('a', 10)).status, 201);
      await house.close('a');
    }
    await house.reaches('a', 'settled', 10_000);
    await house.checkBook('a');
  });
}
