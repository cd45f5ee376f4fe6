/**
 * `merit clear --branches 100` on 4,000 random blocks in 4 zones and 24 hours: the best answer that was found, within 1.5 GB.
 *
 *     npm run test:long      # SEED=7 for another book
 */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { randomBlocks } from '../../bench/random-blocks.ts';
import { canonical } from '../../src/book/canonical.ts';

const mostMegabytes = 1500;
const merit = fileURLToPath(new URL('../../src/cli/merit.ts', import.meta.url));
/** Says at the end how much memory the process had at most, in kB. */
const measuring = `data:text/javascript,process.on('exit',()=>console.error('peak',process.resourceUsage().maxRSS))`;
const seeds = process.env.SEED === undefined ? [1, 2, 3] : [Number(process.env.SEED)];

for (const seed of seeds)
  test(`4,000 blocks by seed ${seed}, cut after 100 branches`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'merit-blocks-'));
    t.after(() => rm(folder, { recursive: true }));
    const file = join(folder, 'book.json');
    await writeFile(file, canonical(randomBlocks({ seed, blocks: 4000, zones: 4, periods: 24 })));
    const args = ['--disable-warning=ExperimentalWarning', '--import', measuring, merit];
    const child = spawn(process.execPath, [...args, 'clear', file, '--branches', '100', '--verify', '--json']);
    const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
    assert.equal(code, 0, stderr);
    const { status, gap, rules, clearingSeconds } = JSON.parse(stdout);
    assert.equal(rules, 'hold');
    const megabytes = Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024;
    t.diagnostic(`${status}, gap ${gap.toExponential(1)}, ${clearingSeconds.toFixed(1)} s, ${megabytes.toFixed(0)} MB`);
    assert(megabytes < mostMegabytes, `${megabytes} MB`);
  });
