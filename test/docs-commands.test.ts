/** What the documents tell to type: that a shell takes it as it stands, and that what it names is there. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { settingKeys, settingKeysOfSeveral } from '../lib/settings.ts';
import { tableNamesOf } from '../lib/storage.ts';
import { bookHash } from '../src/book/seal.ts';
import { clear } from '../src/clearing/clear.ts';
import { decisionLines, verificationOf } from '../src/cli/verification.ts';
import { smallBook } from './support/small-book.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const documents = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)];
const { scripts, engines } = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  engines: { node: string };
};

/** The fenced blocks of a document, out of the lists that they may stand in. */
const blocksOf = (file: string): string[] =>
  [...read(file).matchAll(/^( *)```\n(.*?)^ *```$/gms)].map(([, indent, block]) =>
    block!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

test('what docs/deploy.md and docs/restore.md tell to type can be pasted: no command is broken over lines', () => {
  for (const file of ['docs/deploy.md', 'docs/restore.md']) {
    const blocks = blocksOf(file);
    assert.ok(blocks.length > 5, file);
    for (const block of blocks) {
      const { status, stderr } = spawnSync('bash', ['-n'], { input: block, encoding: 'utf8' });
      assert.equal(status, 0, `${file}:\n${block}${stderr}`);
      assert.doesNotMatch(block, /[^\\]\n +-/, `${file}: an option begins a line, and the line before does not go on`);
    }
  }
});

test('where all tables are named, none is left out', () => {
  const all = tableNamesOf({ environment: 'dev' }).map((name) => name.replace('-dev', ''));
  let loops = 0;
  for (const file of ['docs/deploy.md', 'docs/restore.md'])
    for (const [, names] of read(file).matchAll(/for TABLE in (.+); do/g)) {
      // Those with a time to live are some.
      if (names!.split(' ').length > 2) assert.deepEqual(names!.split(' '), all, file);
      loops++;
    }
  assert.ok(loops >= 4);
});

test('every npm run of the documents, the workflows and the builds is a script; nobody is told to run our sources by a Node of his own', () => {
  const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
  for (const file of [...documents, ...workflows, 'lib/buildspecs.ts', '.ci/run']) {
    const text = read(file);
    for (const [, name] of text.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g))
      assert.ok(scripts[name!], `${file}: ${name}`);
    assert.doesNotMatch(text, /node (--\S+ )*scripts\//, `${file}: any Node runs it only by npm run`);
  }
});

test('every context key that the documents say is one', () => {
  const own = ['repository', 'connection', 'tokenSecret', 'slackWorkspace', 'slackChannel'];
  const known = new Set<string>([...settingKeys, ...settingKeysOfSeveral, ...own]);
  let said = 0;
  for (const file of documents)
    for (const [, key] of read(file).matchAll(/-c ([\w.]+)=/g)) {
      if (key === 'key') continue;
      assert.ok(known.has(key!), `${file}: -c ${key}`);
      said++;
    }
  assert.ok(said > 20);
});

test('the documents ask for the Node that package.json asks for, and that is what its dependencies ask for', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { engines?: { node?: string } }>;
  };
  const asked = Object.values(packages).map(({ engines }) => Number(/>= ?(\d+)/.exec(engines?.node ?? '')?.[1] ?? 0));
  assert.equal(engines.node, `>=${Math.max(...asked)}`);
  for (const file of ['README.md', 'CONTRIBUTING.md'])
    for (const [, least] of read(file).matchAll(/any Node from (\d+)/gi))
      assert.equal(`>=${least}`, engines.node, file);
});

test('npm run lint looks at the project’s folders, not at what somebody leaves beside them', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'merit-lint-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const file of ['biome.json', '.gitignore']) await cp(join(root, file), join(folder, file));
  const untidy = '{"a":   [1,\n2]}';
  // The README's walk leaves book.json and result.json, a deployment outputs.json.
  for (const file of ['book.json', 'result.json', 'outputs.json', 'data/x.json', 'mine/y.ts'])
    await put(folder, file, untidy);
  const lint = () =>
    spawnSync(join(root, 'node_modules/.bin/biome'), ['check', '.'], { cwd: folder, encoding: 'utf8' });
  await put(folder, 'src/fine.ts', 'export const fine = 1;\n');
  assert.equal(lint().status, 0, lint().stderr);
  await put(folder, 'src/untidy.ts', 'export const untidy   =1');
  const { status, stdout, stderr } = lint();
  assert.notEqual(status, 0);
  assert.match(stdout + stderr, /src\/untidy\.ts/);
});

test('the verification that README shows is worded as merit verify words it', async () => {
  const book = smallBook('sell 80@10, sell 50@40, buy 80@60, buy 40@20');
  const { result } = await clear(book, bookHash(book));
  const { checks, decisions } = verificationOf(book, bookHash(book), result);
  const shown = [...read('README.md').matchAll(/^(INV-\d+|intake) +(.+?) {2,}\d+ {2}ok$/gm)];
  assert(shown.length >= 5);
  const titles = new Map(checks.map(({ invariant, title }) => [invariant, title]));
  for (const [, invariant, title] of shown) assert.equal(title, titles.get(invariant!));
  for (const line of decisionLines(book, result, decisions)) assert(read('README.md').includes(`\n${line}\n`), line);
});

test('no document says that a result is verified, without saying what was', () => {
  for (const file of documents.filter((name) => name !== 'CHANGELOG.md'))
    assert.doesNotMatch(read(file), /: verified,|\bverified results?\b|^verified\b/m, file);
});

async function put(folder: string, file: string, content: string): Promise<void> {
  await mkdir(join(folder, file, '..'), { recursive: true });
  await writeFile(join(folder, file), content);
}
