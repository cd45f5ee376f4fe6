/** cfn-lint over the template of each environment: what CloudFormation would refuse, found before it is asked. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { environmentNames } from '../../lib/environments.ts';
import { synthesise } from '../support/synthesised.ts';
import { pythonWith } from './emulator.ts';

/** The CDK writes each dependency on a role twice, by reference and by name. */
const ignored = 'W3005';

test('cfn-lint finds nothing in the template of any environment', async (t) => {
  const python = await pythonWith('cfn-lint==1.58.0');
  const folder = await mkdtemp(join(tmpdir(), 'merit-lint-'));
  t.after(() => rm(folder, { recursive: true }));
  const files: string[] = [];
  for (const environment of environmentNames)
    for (const which of ['house', 'watching'] as const) {
      const { template } = await synthesise({ environment }, false, which);
      files.push(join(folder, `${which}-${environment}.template.json`));
      await writeFile(files.at(-1)!, JSON.stringify(template.toJSON()));
    }
  files.push(fileURLToPath(new URL('../../.github/deploy-role.yml', import.meta.url)));
  const { status, stdout, stderr } = spawnSync(
    python,
    [join(dirname(python), 'cfn-lint'), '-i', ignored, '--', ...files],
    {
      encoding: 'utf8',
    },
  );
  assert.equal(status, 0, `${stdout}${stderr}`);
});
