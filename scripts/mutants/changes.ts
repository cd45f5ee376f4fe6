/** The mutants of a file: which small changes there are, and a draw of them by seed. */

import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { randomBy } from '../../test/support/random-by.ts';

export interface Mutant {
  /** Path from the project's root. */
  readonly file: string;
  /** Of the change, from 1. */
  readonly line: number;
  /** Of the change in the text of the file, in UTF-16 units. */
  readonly offset: number;
  /** The line before and after. */
  readonly from: string;
  readonly to: string;
}

/** What is written instead of what, where it stands between spaces or as a whole word. */
const changes: readonly (readonly [RegExp, string])[] = [
  [/ < /g, ' <= '],
  [/ <= /g, ' < '],
  [/ > /g, ' >= '],
  [/ >= /g, ' > '],
  [/ === /g, ' !== '],
  [/ !== /g, ' === '],
  [/ && /g, ' || '],
  [/ \|\| /g, ' && '],
  [/ \+ /g, ' - '],
  [/ - /g, ' + '],
  [/ \* /g, ' / '],
  [/ \/ /g, ' * '],
  [/\bMath\.min\(/g, 'Math.max('],
  [/\bMath\.max\(/g, 'Math.min('],
  [/\bMath\.floor\(/g, 'Math.ceil('],
  [/\bMath\.ceil\(/g, 'Math.floor('],
  [/\.some\(/g, '.every('],
  [/\.every\(/g, '.some('],
  [/\btrue\b/g, 'false'],
  [/\bfalse\b/g, 'true'],
  [/\bcontinue;/g, ';'],
  [/(?<=if \()(?=[a-z!])/g, 'true || '],
];

/** Lines that say something else than the code does: types, messages, what is only asserted. */
const isOther = (line: string): boolean =>
  /^\s*(\*|\/\*|\/\/|import |export type|type |export interface|interface |readonly |} from )/.test(line) ||
  /assert|message|`|throw |console\./.test(line);

/** The text of a file with a mutant in it. */
export function mutated(text: string, { line, to }: Mutant): string {
  return text
    .split('\n')
    .with(line - 1, to)
    .join('\n');
}

function mutantsOf(file: string): Mutant[] {
  let start = 0;
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((from, at) => {
      const before = start;
      start += from.length + 1;
      if (isOther(from)) return [];
      return changes.flatMap(([what, instead]) =>
        [...from.matchAll(what)].map(({ index, 0: { length } }): Mutant => {
          const to = from.slice(0, index) + instead + from.slice(index + length);
          return { file, line: at + 1, offset: before + index, from, to };
        }),
      );
    });
}

/** Whether it changes what runs: types are gone by then, and what no longer parses is no mutant. */
function runs(mutant: Mutant): boolean {
  const text = readFileSync(mutant.file, 'utf8');
  try {
    return stripTypeScriptTypes(mutated(text, mutant)) !== stripTypeScriptTypes(text);
  } catch {
    return false;
  }
}

/** `count` mutants of the files, drawn by the seed; all of them where there are fewer. */
export function draw(files: readonly string[], count: number, seed: number): Mutant[] {
  const random = randomBy(seed);
  const all = files.flatMap(mutantsOf);
  const drawn: Mutant[] = [];
  while (drawn.length < count && all.length > 0) {
    const [mutant] = all.splice(Math.floor(random() * all.length), 1);
    if (runs(mutant!)) drawn.push(mutant!);
  }
  return drawn;
}
