/**
 * The import rule: folders import only to the left. It is the one rule of the layout that a machine checks; with it the
 * engine (`market`, `book`, `clearing`) can move out one day, and no handler reaches around a port.
 *
 * All imports are read from the syntax of the files: static, type, dynamic and re-exports.
 */

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const mostLines = 500;

interface Rule {
  /** Folders of `src/` that it may import, besides itself. */
  readonly folders: readonly string[];
  /** Packages it may import; `node:*` stands for all builtin modules. */
  readonly packages: readonly string[];
}

const left = ['market', 'book', 'clearing', 'verify', 'auction'];
const everything = [...left, 'access', 'adapters', 'api', 'server.ts', 'settings.ts'];
const http = ['hono', '@hono/node-server', '@scalar/*', 'zod', 'lru-cache', 'rate-limiter-flexible'];
/** Builtin modules that neither read nor write anything. */
const pure = ['node:assert', 'node:buffer', 'node:crypto', 'node:util'];

/** In the order in which data flows. `docs/ARCHITECTURE.md` shows the same table. */
const rules: Readonly<Record<string, Rule>> = {
  market: { folders: [], packages: ['zod', 'temporal-polyfill', 'node:assert'] },
  book: { folders: ['market'], packages: ['canonicalize', 'zod', ...pure] },
  clearing: { folders: ['market', 'book'], packages: ['node:assert'] },
  'clearing/solver': { folders: ['market', 'book', 'clearing'], packages: ['highs', 'node:assert'] },
  verify: { folders: ['market'], packages: ['node:assert'] },
  auction: { folders: ['market', 'book', 'clearing', 'verify'], packages: ['zod', ...pure] },
  access: { folders: ['market'], packages: ['jose'] },
  adapters: {
    folders: [...left, 'access'],
    packages: [
      'zod',
      'jose',
      '@aws-sdk/*',
      'aws-local-stepfunctions',
      'csv-parse',
      'prom-client',
      'birpc',
      'lru-cache',
      'nodemailer',
      'node:*',
    ],
  },
  'adapters/aws': { folders: [...left, 'access', 'adapters'], packages: ['@aws-sdk/*', 'node:*'] },
  api: { folders: [...left, 'access'], packages: [...http, ...pure, 'csv-parse', 'node:stream'] },
  'settings.ts': { folders: ['market'], packages: ['zod', 'node:*'] },
  'server.ts': { folders: [...left, 'access', 'adapters', 'api', 'settings.ts'], packages: [...http, 'node:*'] },
  lambda: {
    folders: [...everything, 'access', 'adapters/aws'],
    packages: ['@aws-lambda-powertools/*', '@aws-sdk/*', 'hono', 'jose', 'zod', 'node:*'],
  },
  lib: {
    folders: ['market', 'auction', 'access', 'api', 'settings.ts', 'lambda'],
    packages: ['aws-cdk-lib', 'cdk-nag', 'constructs', 'esbuild', 'zod', 'node:*'],
  },
  bin: { folders: ['lib'], packages: ['aws-cdk-lib'] },
  cli: {
    folders: everything,
    packages: ['commander', 'cli-table3', 'cli-progress', 'asciichart', 'jose', 'zod', 'node:*'],
  },
};

interface Import {
  readonly file: string;
  readonly specifier: string;
}

/** `import ... from 'x'`, `import 'x'`, `export ... from 'x'`, `import('x')`, in code: comments are cut out first. */
function importsOf(file: string): Import[] {
  const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const statement = /^\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;
  const dynamic = /\bimport\(\s*(?:['"`]([^'"`]+)['"`])?/g;
  return [...code.matchAll(statement), ...code.matchAll(dynamic)].map((match) => ({
    file,
    // An import() of something that is not a plain string has no name here, and no rule allows it.
    specifier: match[1] ?? match[2] ?? match[0],
  }));
}

const filesOf = (pattern: string): string[] => globSync(pattern, { cwd: root }).map(normalize).sort();
const isTest = (file: string) => file.endsWith('.test.ts') || file.endsWith('.cases.ts') || file.includes('/testing/');
const sources = filesOf('{src,bin,lib}/**/*.ts').filter((file) => !file.endsWith('.d.ts'));
const product = sources.filter((file) => !isTest(file));

/** `src/clearing/solver/highs.ts` is in `clearing/solver`, `src/server.ts` in `server.ts`. */
function folderOf(file: string): string {
  const parts = (file.startsWith('src/') ? relative('src', file) : file).split('/');
  const pair = parts.slice(0, 2).join('/');
  return pair in rules ? pair : parts[0]!;
}

const targetOf = ({ file, specifier }: Pick<Import, 'file' | 'specifier'>): string =>
  normalize(join(dirname(file), specifier));

function fault({ file, specifier }: Import): string | undefined {
  const folder = folderOf(file);
  const rule = rules[folder]!;
  if (specifier.startsWith('.')) {
    const target = targetOf({ file, specifier });
    if (!/^(src|lib)\//.test(target))
      return target.endsWith('.json') ? undefined : `${file} imports ${target}, outside src/ and lib/`;
    const to = folderOf(target);
    const inside = to === folder || to.startsWith(`${folder}/`);
    return inside || rule.folders.includes(to)
      ? undefined
      : `${file} imports ${target}: ${folder} may not import ${to}`;
  }
  const allowed = rule.packages.some((name) => name === specifier || isUnder(specifier, name));
  return allowed ? undefined : `${file} imports ${specifier}: not one of ${folder}'s packages`;
}

/** `node:fs/promises` is under `node:*`, `hono/http-exception` under `hono`, `@scalar/x` under `@scalar/*`. */
const isUnder = (specifier: string, name: string): boolean =>
  name.endsWith('*') ? specifier.startsWith(name.slice(0, -1)) : specifier.startsWith(`${name}/`);

test('every file imports only to the left', () => {
  assert(product.length > 20, `only ${product.length} files were found`);
  assert.deepEqual(
    product.filter((file) => !(folderOf(file) in rules)),
    [],
    'a folder has no rule: give it one here and in docs/ARCHITECTURE.md',
  );
  const faults = product.flatMap(importsOf).map(fault);
  assert.deepEqual(faults.filter(Boolean), []);
});

test('the rule is one: no two folders may import each other', () => {
  const order = Object.keys(rules);
  for (const [folder, { folders }] of Object.entries(rules))
    for (const other of folders) {
      if (folder.startsWith(`${other}/`)) continue;
      assert(!rules[other]?.folders.includes(folder), `${folder} and ${other} may import each other`);
      assert(order.includes(other) || other === 'clearing', `${folder} may import ${other}, which has no rule`);
    }
});

test('no files import each other in a circle, types counted', () => {
  const imports = new Map(
    product.map((file) => [
      file,
      importsOf(file)
        .filter(({ specifier }) => specifier.startsWith('.') && specifier.endsWith('.ts'))
        .map(targetOf),
    ]),
  );
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert(!path.includes(file), `a circle: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
    if (done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of product) visit(file, []);
});

test('what packages the sources import are dependencies, not development dependencies', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const outside = product
    .filter((file) => file.startsWith('src/')) // the stack is deployed from a checkout
    .flatMap(importsOf)
    .filter(({ specifier }) => !/^(\.|node:)/.test(specifier))
    .filter(
      ({ specifier }) =>
        !(
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/') in dependencies
        ),
    );
  assert.deepEqual(outside, []);
});

test(`no source file is longer than ${mostLines} lines`, () => {
  const long = sources
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length - 1 }))
    .filter(({ lines }) => lines > mostLines);
  assert.deepEqual(long, []);
});
