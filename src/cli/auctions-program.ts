/** The commands about auctions and orders of a running house. */

import type { Command } from 'commander';

/** What `program.ts` lends: how a client's command looks, examples, and numbers. */
export interface Shared {
  /** A command that asks a running house. */
  readonly client: (parent: Command, nameAndArguments: string) => Command;
  readonly examples: (...lines: string[]) => string;
  readonly wholeNumber: (text: string) => number;
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of commands, each with its options
export function addAuctionCommands(merit: Command, { client, examples, wholeNumber }: Shared): void {
  const load = () => import('./commands/auctions.ts');
  const auctions = client(merit, 'auctions')
    .description('list the auctions, newest gate closure first; or make, close, cancel and restart one')
    .option('--market <id>', 'only those of a market')
    .option('--state <state>', 'only those in a state, such as open or settled')
    .option('--limit <n>', 'how many at most', wholeNumber, 20)
    .addHelpText(
      'after',
      examples(
        'merit auctions --state open',
        'merit auctions create --id first --start 2030-01-01T12:00:00Z',
        'merit auctions restart first --without acme/o-7',
      ),
    )
    .enablePositionalOptions()
    .action(async (options) => (await load()).auctions(options));
  client(auctions, 'show <id>')
    .description('one auction: its state, and why it failed')
    .action(async (id, options) => (await load()).showAuction(id, options));
  client(auctions, 'create')
    .description('hold an auction besides those of the schedule; its gate opens at once unless said')
    .option('--id <id>', 'its id (default: from market and delivery)')
    .option('--market <id>', 'its market (default: the default market)')
    .option('--date <day>', 'delivery day, in a market with daily auctions')
    .option('--slot <instant>', 'slot, in a market with an auction every so often')
    .option('--start <instant>', 'first instant of delivery')
    .option('--periods <n>', 'market time units that are delivered', wholeNumber)
    .option('--gate-opening <instant>', 'when the gate opens')
    .option('--gate-closure <instant>', 'when it closes')
    .addHelpText(
      'after',
      examples(
        'merit auctions create --id first --start 2030-01-01T12:00:00Z',
        'merit auctions create --market day-ahead --date 2030-01-01',
      ),
    )
    .action(async (options) => (await load()).createAuction(options));
  client(auctions, 'close <id>')
    .description('close the gate before its time')
    .action(async (id, options) => (await load()).closeGate(id, options));
  client(auctions, 'cancel <id>')
    .description('call an auction off, before its book is sealed or after it failed')
    .option('--cause <text>', 'why, for everybody to read')
    .action(async (id, options) => (await load()).cancelAuction(id, options));
  client(auctions, 'diagnosis <id>')
    .description('why an auction failed, and without which orders it would clear')
    .action(async (id, options) => (await load()).diagnosis(id, options));
  client(auctions, 'restart <id>')
    .description('run a failed auction again, on the same sealed book')
    .option(
      '--without <order...>',
      'leave out these orders (participant/record_id), or diagnosed: those that the diagnosis names',
    )
    .addHelpText(
      'after',
      examples('merit auctions restart first', 'merit auctions restart first --without acme/o-7 acme/o-8'),
    )
    .action(async (id, options) => (await load()).restartAuction(id, options));
  client(auctions, 'tree <id>')
    .description('the signed head of the tree over the intake: to be kept, and compared with those of others')
    .option('--first <n>', 'and that it only added to one of so many entries, once the book is sealed', wholeNumber)
    .option('-o, --output <file>', 'where it goes')
    .option('--keys <file>', "where the house's public keys go")
    .addHelpText(
      'after',
      examples('merit auctions tree first -o head.json', 'merit auctions tree first --first 120 -o later.json'),
    )
    .action(async (id, options) => (await import('./commands/evidence.ts')).readTree(id, options));
  client(auctions, 'network <id> [file]')
    .description('capacities, ramps and constraints of an auction; with a file of changes, until its gate closes')
    .addHelpText('after', examples('merit auctions network first', 'merit auctions network first capacities.json'))
    .action(async (id, file, options) => (await load()).network(id, file, options));

  const loadMoney = () => import('./commands/money.ts');
  client(auctions, 'trades <id>')
    .description('your trades in an auction: one per order, zone and period; for operators everybody’s')
    .option('--participant <name>', 'only those of a participant, for operators and auditors')
    .option('--portfolio <name>', 'only those of a portfolio')
    .option('--limit <n>', 'how many at most', wholeNumber, 1000)
    .addHelpText(
      'after',
      examples('merit auctions trades first', 'merit auctions trades first --portfolio town --json'),
    )
    .action(async (id, options) => (await loadMoney()).trades(id, options));
  client(auctions, 'settlement <id>')
    .description('the balance sheet: what buyers pay, sellers get and lines earn')
    .action(async (id, options) => (await loadMoney()).settlement(id, options));
  client(merit, 'statement')
    .description('your statements of a delivery day: what was bought and sold, and what it comes to')
    .requiredOption('--day <date>', 'delivery day, in the time zone of each market')
    .option('--participant <name>', 'only that of a participant, for operators and auditors')
    .option('--portfolio <name>', 'only that of a portfolio')
    .option('--csv <file>', 'write the trades there as CSV')
    .addHelpText(
      'after',
      examples('merit statement --day 2030-01-01', 'merit statement --day 2030-01-01 --csv statement.csv'),
    )
    .action(async (options) => (await loadMoney()).statement(options));

  const loadOrders = () => import('./commands/orders.ts');
  const orders = client(merit, 'orders [auction]')
    .description('your orders in an auction, with what became of them; or show, replace and cancel some')
    .option('--limit <n>', 'how many at most', wholeNumber, 100)
    .addHelpText(
      'after',
      examples('merit orders first', 'merit orders show wind', 'merit orders cancel wind --auction first'),
    )
    .enablePositionalOptions()
    .action(async (auction, options) => (await loadOrders()).orders(auction, options));
  client(orders, 'show <record_id>')
    .description('one order, with its outcome once its auction is final')
    .option('--auction <id>', 'of which auction (default: your newest order of that id)')
    .action(async (id, options) => (await loadOrders()).showOrder(id, options));
  client(orders, 'upload <file>')
    .description(
      'send a file of many orders in one stream, each taken or refused for itself: NDJSON, or CSV by its ending',
    )
    .option('--auction <id>', 'to which auction (default: the open one of the default market)')
    .addHelpText('after', examples('merit orders upload day.ndjson', 'merit orders upload day.csv --auction first'))
    .action(async (file, options) => (await loadOrders()).uploadOrders(file, options));
  client(orders, 'versions <record_id>')
    .description('all versions of one order, the first one first')
    .option('--auction <id>', 'of which auction (default: your newest order of that id)')
    .action(async (id, options) => (await loadOrders()).showVersions(id, options));
  client(orders, 'replace <record_id> <file>')
    .description('put the order of a file in the place of one while the gate is open')
    .option('--auction <id>', 'of which auction (default: your newest order of that id)')
    .option('--of <version>', 'only if this is still its version (default: the one it has now)', wholeNumber)
    .addHelpText('after', examples('merit orders replace wind wind.json', 'merit orders replace wind wind.json --of 2'))
    .action(async (id, file, options) => (await loadOrders()).replaceOrder(id, file, options));
  client(orders, 'proof <record_id>')
    .description('that one of your orders is in the sealed book, signed by the house: to be kept beside its receipt')
    .option('--auction <id>', 'of which auction (default: your newest order of that id)')
    .option('--sequence <n>', 'of another entry about it, such as its cancellation, by its receipt', wholeNumber)
    .option('-o, --output <file>', 'where it goes')
    .option('--keys <file>', "where the house's public keys go")
    .addHelpText('after', examples('merit orders proof wind -o evidence.json --keys keys.json'))
    .action(async (id, options) => (await import('./commands/evidence.ts')).proveOrder(id, options));
  client(orders, 'cancel [record_id...]')
    .description('take orders back while the gate is open')
    .option('--auction <id>', 'of which auction (default: your newest order of each id)')
    .option('--all', 'all of the auction')
    .option('--portfolio <name>', 'all of the auction that are of this portfolio')
    .action(async (ids, options) => (await loadOrders()).cancelOrders(ids, options));
}
