/** What `merit` can do: commands, options and examples. The file of a command is loaded when it is asked for. */

import { Command, InvalidArgumentError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { grades } from '../verify/standing.ts';
import { addAccessCommands } from './access-program.ts';
import { addAuctionCommands } from './auctions-program.ts';
import { addDataCommands } from './data-program.ts';

const exitCodesHelp = `
Exit codes: 0 done; 1 the answer is no (verification failed, orders refused, no such auction);
2 wrong usage or a bad input file; 3 the house cannot be reached, or another failure.
Files may be gzipped, in and out (.gz); - is standard input or output.`;

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of commands, each with its options
export function program(): Command {
  const merit = new Command('merit')
    .description('An open energy auction house: orders, gate, clearing, results that anybody can check.')
    .version(packageJson.version)
    .addHelpText('after', exitCodesHelp)
    .showHelpAfterError('(--help shows what there is)')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'merit:')) })
    .enablePositionalOptions()
    .exitOverride();
  merit
    .command('serve')
    .description('serve the markets over HTTP on this machine')
    .addOption(port().default(undefined, 'MERIT_PORT or 8080'))
    .option(
      '--host <address>',
      'address to listen on, beyond the loopback with --issuer only (default: MERIT_HOST or 127.0.0.1)',
    )
    .option('--data <folder>', 'data folder (default: MERIT_DATA or data)')
    .option('--markets <folder>', 'folder with the market files (default: MERIT_MARKETS or those that come along)')
    .option('--market <id>', 'the default market (default: MERIT_MARKET or hourly)')
    .option('--webhook <url>', 'where notices are posted to, signed with MERIT_WEBHOOK_SECRET (default: MERIT_WEBHOOK)')
    .option(
      '--private-webhooks',
      'webhooks of participants may lie on private addresses (default: MERIT_PRIVATE_WEBHOOKS)',
    )
    .option(
      '--issuer <issuer>',
      'calls need tokens: built-in, or the address of an OIDC issuer (default: MERIT_ISSUER or none)',
    )
    .option('--audience <audience>', "what another issuer's tokens must be for (default: MERIT_AUDIENCE)")
    .option(
      '--token-use <use>',
      "access: what another issuer's tokens must say instead, as Cognito's do (default: MERIT_TOKEN_USE)",
    )
    .option(
      '--requests-per-second <n>',
      'of one client, or of one address without a token (default: MERIT_REQUESTS_PER_SECOND, or 100 with an issuer)',
      wholeNumber,
    )
    .option('--backup <folder>', 'where backups go, on another disk if it can be (default: MERIT_BACKUP or none)')
    .option('--backup-minutes <n>', 'from one to the next (default: MERIT_BACKUP_MINUTES or 60)', wholeNumber)
    .option('--backup-keep <n>', 'how many stay (default: MERIT_BACKUP_KEEP or 48)', wholeNumber)
    .option('--access-log', 'one line of JSON per request on standard error')
    .addHelpText(
      'after',
      examples(
        'merit serve',
        'merit serve --port 9000 --data /var/lib/merit',
        'merit serve --issuer built-in --host 0.0.0.0',
      ),
    )
    .action(async (options) => (await import('./commands/serve.ts')).serveHouse(options));
  merit
    .command('demo')
    .description('serve a demo market and fill its auctions with simulated participants')
    .addOption(port().default(8080))
    .option('--data <folder>', 'data folder', 'demo-data')
    .option('--once', 'hold one auction, then stop')
    .option('--open <seconds>', 'how long the gate of an auction is open (default: 10, or 3 with --once)', wholeNumber)
    .option('--seed <n>', 'seed of weather and bids', wholeNumber, 1)
    .option('--rounds <n>', 'auctions until the participants go home', wholeNumber, 360)
    .addHelpText('after', examples('merit demo --once', 'merit demo --port 0 --seed 7'))
    .action(async (options) => (await import('./commands/demo.ts')).demo(options));
  merit
    .command('prune')
    .description('delete what is old: delivered notices (MERIT_KEEP_NOTICES days, 7), history (MERIT_KEEP_HISTORY, 30)')
    .addOption(new Option('--data <folder>', 'data folder that no house has').env('MERIT_DATA').default('data'))
    .option('--keep-auctions <n>', 'delete older auctions too, with their books and results', wholeNumber)
    .addHelpText('after', examples('merit prune', 'merit prune --data /var/lib/merit --keep-auctions 1000'))
    .action(async (options) => (await import('./commands/prune.ts')).pruneFolder(options));
  client(merit, 'submit <file>')
    .description('send orders: a list, {"auction", "orders"}, a book, or one JSON order a line')
    .option('--auction <id>', "auction (default: the file's, or the open one of the default market)")
    .option('--batch <n>', 'orders per request', wholeNumber, 1000)
    .addHelpText('after', examples('merit submit orders.json', 'merit submit day.jsonl.gz --auction demo-1 --json'))
    .action(async (file, options) => (await import('./commands/submit.ts')).submit(file, options));
  client(merit, 'simulate-traders <auction>')
    .description('participants by a seed send orders of every kind that an open auction takes: for rehearsals and load')
    .option('--traders <n>', 'how many of them', wholeNumber, 20)
    .option('--orders <n>', 'orders in all', wholeNumber, 500)
    .option('--per-second <n>', 'orders a second', wholeNumber, 100)
    .option('--seed <n>', 'the same seed sends the same orders', wholeNumber, 1)
    .addHelpText(
      'after',
      examples('merit simulate-traders first', 'merit simulate-traders first --orders 10000 --per-second 2000'),
    )
    .action(async (auction, options) =>
      (await import('./commands/simulate-traders.ts')).simulateTraders(auction, options),
    );
  addAuctionCommands(merit, { client, examples, wholeNumber });
  client(merit, 'result <id>')
    .description('what an auction published: prices, flows, outcomes')
    .option('-o, --output <file>', 'write the whole result there')
    .option('--book <file>', 'write the sealed book there')
    .addHelpText('after', examples('merit result demo-1', 'merit result demo-1 -o result.json --book book.json'))
    .action(async (id, options) => (await import('./commands/result.ts')).result(id, options));
  client(merit, 'executions [id]')
    .description('runs of the auction workflow, or the history of one')
    .option('--auction <id>', 'only those of an auction')
    .option('--limit <n>', 'how many at most', wholeNumber, 20)
    .addHelpText('after', examples('merit executions', 'merit executions demo-1-1'))
    .action(async (id, options) => (await import('./commands/executions.ts')).executions(id, options));
  client(merit, 'doctor')
    .description('how the house is: what is wrong, and what helps')
    .addHelpText('after', examples('merit doctor', 'merit doctor --url http://127.0.0.1:9000 --json'))
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));
  merit
    .command('clear <book>')
    .description('clear a book: prices, flows, and the outcome of every order')
    .option(
      '-o, --output <file>',
      'where the result goes, written whole or not at all (default: only the summary is shown)',
    )
    .option('--verify', 'check the result before it is written')
    .option('--proof <file>', 'where the proof goes that there is no better answer')
    .option(...branches)
    .option(...seconds)
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'merit clear book.json -o result.json',
        'merit clear b.json.gz -o r.json.gz --verify',
        'merit clear book.json -o result.json --seconds 60',
        'merit clear book.json -o result.json --proof proof.json',
      ),
    )
    .action(async (book, options) => (await import('./commands/clear.ts')).clearBook(book, options));
  merit
    .command('verify [book] [result]')
    .description(
      'check a result against its book, independently of the engine; or a receipt against what the house signed',
    )
    .option('--proof <file>', 'and that this proof shows the bound of the result')
    .addOption(
      new Option('--require <grade>', 'what has to be known of the decisions, or the exit code is 1').choices(grades),
    )
    .option(
      '--receipt, --receipts <file>',
      'and that these receipts fit the book: an answer to POST /orders, or a list of receipts',
    )
    .option('--evidence <file>', 'and that they are in the book that was cleared; needs neither book nor result')
    .option('--keys <file>', "the house's public keys, as they were kept")
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'merit verify book.json result.json',
        'merit verify book.json result.json --proof proof.json --require proven',
        'merit verify book.json result.json --receipts receipts.json',
        'merit verify --receipt receipt.json --evidence evidence.json --keys keys.json',
      ),
    )
    .action(async (book, result, options) =>
      (await import('./commands/verify.ts')).verifyResult(book, result, options),
    );
  merit
    .command('compare-roots <head> <heads...>')
    .description('whether tree heads that several people kept of an auction are of one history')
    .option('--keys <file>', "the house's public keys, as they were kept")
    .addOption(json())
    .addHelpText('after', examples('merit compare-roots mine.json theirs.json --keys keys.json'))
    .action(async (head, heads, options) =>
      (await import('./commands/compare-roots.ts')).compareRoots([head, ...heads], options),
    );
  merit
    .command('explain <book> <result> <record_id>')
    .description('why an order got what it got; of a paradoxically rejected one, what would have been with it in')
    .option('--participant <id>', 'whose order, where several participants have one of that id')
    .option(...branches)
    .option(...seconds)
    .addOption(json())
    .addHelpText('after', examples('merit explain book.json result.json b7'))
    .action(async (book, result, id, options) =>
      (await import('./commands/explain.ts')).explain(book, result, id, options),
    );
  merit
    .command('import <source> <folder>')
    .description(
      "make a book from an exchange's publications (gme: Italian day-ahead market) or a public instance (mp: minimum profit)",
    )
    .option('--day <day>', 'gme: delivery day, such as 2025-04-01')
    .addOption(
      new Option(
        '--borders <how>',
        'gme: zones abroad at their published prices, or with the published exchanges (default: "prices")',
      ).choices(['prices', 'exchanges']),
    )
    .addOption(
      new Option(
        '--blocks <how>',
        'gme: block orders as orders, or replayed: those that were accepted take any price (default: left out)',
      ).choices(['orders', 'replay']),
    )
    .requiredOption('-o, --output <file>', 'where the book goes')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'merit import gme italy-2025-04 --day 2025-04-01 --blocks orders -o book.json.gz',
        'merit import mp minimum-profit/instance-1 -o book.json',
      ),
    )
    .action(async (source, folder, options) =>
      (await import('./commands/import.ts')).importBook(source, folder, options),
    );
  addDataCommands(merit, { examples, wholeNumber });
  addAccessCommands(merit, examples);
  for (const command of merit.commands) {
    command.copyInheritedSettings(merit);
    for (const below of command.commands) below.copyInheritedSettings(merit);
  }
  return merit;
}

/** A command that asks a running house. */
const client = (merit: Command, nameAndArguments: string): Command =>
  merit
    .command(nameAndArguments)
    .addOption(new Option('--url <url>', 'address of the house').env('MERIT_URL').default('http://127.0.0.1:8080'))
    .addOption(new Option('--token <token>', 'who you are, where the house wants to know').env('MERIT_TOKEN'))
    .addOption(json());

/** Of commands that search. */
const branches = ['--branches <n>', 'stop after so many branches of the search', wholeNumber] as const;
const seconds = [
  '--seconds <n>',
  'stop after so many seconds with the best found, its gap beside it',
  wholeNumber,
] as const;

const json = (): Option => new Option('--json', 'JSON for programs instead of a table');

const port = (): Option =>
  new Option('--port <port>', 'port to listen on, 0 for a free one').argParser((text) => {
    const number = wholeNumber(text);
    if (number > 65_535) throw new InvalidArgumentError('It must be 0 to 65535.');
    return number;
  });

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

const examples = (...lines: string[]): string =>
  `\n${lines.length > 1 ? 'Examples' : 'Example'}:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
