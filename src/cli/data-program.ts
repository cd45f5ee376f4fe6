/** The commands about a data folder: check, accept-loss, backup, restore. They need no running house, and do it no harm. */

import { type Command, Option } from 'commander';
import type { Shared } from './auctions-program.ts';

export function addDataCommands(merit: Command, { examples, wholeNumber }: Omit<Shared, 'client'>): void {
  const load = () => import('./commands/data.ts');
  const json = () => new Option('--json', 'JSON for programs instead of a table');
  const receipts = [
    '--receipts <file>',
    'and that these receipts hold: an answer to POST /orders, or a list of receipts',
  ] as const;
  merit
    .command('check <folder>')
    .description('check all of a data folder: database, receipts, archive; also while a house has it')
    .option(...receipts)
    .option('--verify', 'also verify each result against its book')
    .addOption(json())
    .addHelpText('after', examples('merit check data', 'merit check data --verify --receipts receipts.json'))
    .action(async (folder, options) => (await load()).check(folder, options));
  merit
    .command('accept-loss <folder>')
    .description(
      'go on with a damaged data folder as it is, where no backup has more; unsettled auctions with damage fail',
    )
    .addOption(json())
    .addHelpText('after', examples('merit accept-loss data'))
    .action(async (folder, options) => (await load()).acceptLoss(folder, options));
  merit
    .command('backup <to>')
    .description('a copy of the data folder, checked, in a folder named by the time; also while a house has it')
    .addOption(new Option('--data <folder>', 'data folder of the house').env('MERIT_DATA').default('data'))
    .option('--keep <n>', 'delete older backups beyond so many (default: none is deleted)', wholeNumber)
    .addOption(json())
    .addHelpText('after', examples('merit backup /mnt/other-disk/merit', 'merit backup backups --data data --keep 14'))
    .action(async (to, options) => (await load()).backup(to, options));
  merit
    .command('restore <backup> <folder>')
    .description('make a data folder from a backup (or the newest of a folder of backups), and check it whole')
    .option(...receipts)
    .addOption(json())
    .addHelpText('after', examples('merit restore backups data', 'merit restore backups data --receipts receipts.json'))
    .action(async (from, folder, options) => (await load()).restore(from, folder, options));
}
