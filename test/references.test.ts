/**
 * What comments and documents refer to is there: files, documents and their chapters, sections of the market rules, invariants, examples.
 *
 * A comment names a file relative to its own folder, to one of the folders above, or to `src/`. A document may also name it alone, where
 * the folder was said before.
 */

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path/posix';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folders = '{src,lib,bin,scripts,test,bench,docs,markets,workflow,service,.github}';
const files = new Set(
  globSync([`${folders}/**/*.*`, '*.{md,json}'], { cwd: root }).map((file) => file.replaceAll('\\', '/')),
);
const names = new Map(Map.groupBy(files, (file) => basename(file)));
const sources = [...files].filter((file) => file.endsWith('.ts'));
const documents = [...files].filter((file) => file.endsWith('.md'));
const texts = new Map([...sources, ...documents].map((file) => [file, readFileSync(join(root, file), 'utf8')]));
const rules = texts.get('docs/market-rules.md')!;

/** The comments of a source file, each line without its mark; lines of one comment joined. */
function commentsOf(text: string): string {
  const comments = text.split('\n').map((line) => {
    const [, inside] = /^\s*(?:\/\*\*|\*\/|\*|\/\/)(.*)$/.exec(line) ?? /\s\/\/ (.*)$/.exec(line) ?? [];
    return inside === undefined ? '\n' : inside.replace('*/', '\n');
  });
  return comments.join(' ').replaceAll(/ {2,}/g, ' ');
}

const fenced = /^ *```\w*\n.*?^ *```$/gms;

/** What of a file may cite: of a source its comments, of a document all but its fenced blocks. */
const prose = new Map(
  [...texts].map(([file, text]) => [
    file,
    file.endsWith('.md') ? text.replaceAll(fenced, '').replaceAll('\n', ' ') : commentsOf(text),
  ]),
);

/** Chapters of a document, as links name them. */
function anchorsOf(document: string): Set<string> {
  const headings = texts.get(document)!.matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function above(folder: string): string[] {
  return folder === '.' ? ['.'] : [folder, ...above(dirname(folder))];
}

/** The file that a citation names; undefined where there is none. */
function found(cited: string, by: string): string | undefined {
  const at = [...above(dirname(by)), 'src'].map((folder) => join(folder, cited)).find((file) => files.has(file));
  if (at !== undefined || !by.endsWith('.md')) return at;
  return names.get(basename(cited))?.find((file) => file.endsWith(`/${cited}`));
}

const inSources = /(?<![\w/.@*}-])((?:[\w.-]+\/)*[\w.-]*\w\.(?:ts|md|asl\.json))(?:#([\w-]+))?(?![\w/*])/g;
const inDocuments = /`((?:[\w.-]+\/)*[\w.-]*\w\.(?:ts|md|asl\.json))`|\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)/g;

/** Files and chapters that one file cites. */
function citedBy(file: string): { cited: string; anchor: string | undefined }[] {
  const text = prose.get(file)!;
  if (!file.endsWith('.md'))
    return [...text.matchAll(inSources)].map(([, cited, anchor]) => ({ cited: cited!, anchor }));
  const plain = [...text.matchAll(inDocuments)].map(([, code, link, anchor]) => ({
    cited: code ?? (link === '' ? basename(file) : link!),
    anchor,
  }));
  // Formulas and commands name files with their folder.
  const blocks = [...texts.get(file)!.matchAll(fenced)].join('\n').matchAll(inSources);
  return [
    ...plain,
    ...[...blocks].flatMap(([, cited]) => (cited!.includes('/') ? [{ cited: cited!, anchor: undefined }] : [])),
  ];
}

test('every file and chapter that a comment or a document cites is there', () => {
  const dead: string[] = [];
  let seen = 0;
  for (const file of prose.keys()) {
    for (const { cited, anchor } of citedBy(file)) {
      seen++;
      const at = found(cited, file) ?? (existsSync(join(root, dirname(file), cited)) ? cited : undefined);
      if (at === undefined) dead.push(`${file}: ${cited}`);
      else if (anchor !== undefined && !anchorsOf(at).has(anchor)) dead.push(`${file}: ${cited}#${anchor}`);
    }
  }
  assert.deepEqual(dead, []);
  assert.ok(seen > 200, `${seen} citations`);
});

const number = String.raw`\d+(?:\.\d+)?`;
const list = `${number}(?:(?:, | and | or | to )${number})*`;
/** Of the market rules; those of an RFC and of the book on optimisation are another matter. */
const sections = new RegExp(
  String.raw`(?:\bmarket rules,? |(?<!(?:RFC \d+|Optimization),? )\bsections? )(?:sections? )?(${list})`,
  'gi',
);

test('every section that is cited is one of the market rules', () => {
  const known = new Set([...rules.matchAll(/^#{2,3} (\d+(?:\.\d+)?) /gm)].map(([, section]) => section!));
  assert.ok(known.size > 30, `${known.size} sections`);
  const dead: string[] = [];
  let seen = 0;
  for (const [file, text] of prose) {
    for (const [, sectionsCited] of text.matchAll(sections)) {
      for (const section of sectionsCited!.match(/\d+(\.\d+)?/g)!) {
        seen++;
        if (!known.has(section)) dead.push(`${file}: section ${section}`);
      }
    }
  }
  assert.deepEqual(dead, []);
  assert.ok(seen > 50, `${seen} citations`);
});

test('every invariant that is named has its row in the market rules, and the file of the row checks it', () => {
  const rows = new Map(
    [...rules.matchAll(/^\| (INV-\d\d) +\|.*\| `(src\/\S+)` +\|$/gm)].map(([, id, file]) => [id!, file!]),
  );
  assert.equal(rows.size, 37);
  for (const [id, file] of rows) assert.ok(texts.get(file)?.includes(`'${id}'`), `${file} has no check of ${id}`);
  for (const [file, text] of texts)
    for (const [id] of text.matchAll(/\bINV-\d\d\b/g)) assert.ok(rows.has(id), `${file}: ${id}`);
});

test('every example of the market rules is a test, and every one that is cited is there', () => {
  const examples = new Set([...rules.matchAll(/^- \*\*(E\d+)\*\*/gm)].map(([, id]) => id!));
  assert.ok(examples.size > 15, `${examples.size} examples`);
  const tests = [texts.get('src/clearing/clear.test.ts')!, texts.get('test/clearing/examples-orders.test.ts')!].join();
  const tested = new Set([...tests.matchAll(/['`](E\d+): /g)].map(([, id]) => id!));
  assert.deepEqual([...examples].sort(), [...tested].sort());
  for (const [file, text] of prose)
    for (const [id] of text.matchAll(/\bE[1-9]\d?\b/g)) assert.ok(examples.has(id), `${file}: ${id}`);
});
