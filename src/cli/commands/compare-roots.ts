/**
 * `merit compare-roots A B...`: tree heads that several people kept of one auction. Exit code 1 when the house has shown them two
 * histories, or where nothing says whether it has.
 */

import { compareHeads } from '../../book/check-evidence.ts';
import { readHeads, readKeys } from '../evidence.ts';
import { exitCodes, Failure } from '../failure.ts';
import { count, print, printJson } from '../output.ts';

export async function compareRoots(
  files: readonly string[],
  options: { keys?: string; json?: boolean },
): Promise<void> {
  const keys = options.keys === undefined ? undefined : await readKeys(options.keys);
  const { heads, signatures } = await readHeads(files, keys);
  const auctions = [...new Set(heads.map(({ auction }) => auction))];
  if (auctions.length > 1)
    throw new Failure(exitCodes.usage, `these heads are of several auctions: ${auctions.join(', ')}`);
  const { faults, unlinked } = compareHeads(heads);
  const unsigned = signatures.violations.map(({ where, message }) => `${where}: ${message}`);
  const isOne = faults.length === 0 && unlinked.length === 0 && unsigned.length === 0;
  if (!isOne) process.exitCode = exitCodes.no;
  if (options.json)
    return printJson({ ok: isOne, auction: auctions[0], faults, unsigned, unlinked: unlinked.map(({ from }) => from) });
  for (const line of unsigned) print(line);
  for (const line of faults) print(line);
  const sealed = heads.some(({ book }) => book !== undefined) ? '' : ', once its book is sealed';
  for (const { from, size } of unlinked)
    print(
      `${from}: nothing here leads from its ${count(size)} entries to the others; compare it with what \`merit auctions tree ${auctions[0]} --first ${size}\` writes${sealed}`,
    );
  if (faults.length > 0)
    print(
      signatures.checked > 0 && unsigned.length === 0
        ? `REWRITTEN: the house signed two histories of ${auctions[0]}; these files show it to anybody`
        : `REWRITTEN: these heads are of two histories of ${auctions[0]}`,
    );
  if (isOne) {
    const sizes = [...new Set(heads.map(({ size }) => size))].sort((a, b) => a - b).map(count);
    print(`${auctions[0]}: one history, seen at ${sizes.join(', ')} entries`);
  }
  if (signatures.unchecked !== undefined) print(`unchecked: ${signatures.unchecked}`);
}
