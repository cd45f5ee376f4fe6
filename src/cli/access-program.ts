/** The commands of access control: participants and clients, tokens, keys. They work on the data folder, with or without a house. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { roles } from '../access/roles.ts';

/** @param examples  as `program.ts` shows them */
export function addAccessCommands(merit: Command, examples: (...lines: string[]) => string): void {
  const group = (name: string, what: string): Command =>
    merit.command(name).description(what).copyInheritedSettings(merit);
  const json = () => new Option('--json', 'JSON for programs instead of text');
  const data = () => new Option('--data <folder>', 'data folder of the house').env('MERIT_DATA').default('data');
  const under = (parent: Command, nameAndArguments: string, what: string): Command =>
    parent.command(nameAndArguments).description(what).addOption(data());
  const load = () => import('./commands/access.ts');

  const participant = group('participant', 'who may send orders, for which zones and up to which power');
  under(participant, 'add <name>', 'a participant, with the client that calls for it; or one more portfolio of it')
    .requiredOption('--zones <zones>', 'zones of the portfolio, with commas between them', list)
    .option('--portfolio <name>', "name of the portfolio (default: the participant's)")
    .option('--buy <MW>', 'most that an order of the portfolio may buy (default: what the market allows)', megawatts)
    .option('--sell <MW>', 'most that an order of the portfolio may sell', megawatts)
    .addOption(new Option('--access <how>', 'read its orders, or write them too').choices(['read', 'write']))
    .option('--client <id>', 'its client at another issuer (default: a client of this house, with a secret)')
    .addOption(json())
    .addHelpText(
      'after',
      examples(
        'merit participant add acme --zones NORTH,SOUTH',
        'merit participant add acme --portfolio wind --zones NORTH --buy 0 --sell 120',
        'merit participant add desk --zones NORTH --access read --client 5f2c9a7e',
      ),
    )
    .action(async (name, options) => (await load()).addParticipant(name, options));
  under(participant, 'list', 'the participants with their portfolios')
    .addOption(json())
    .action(async (options) => (await load()).listParticipants(options));

  const client = group('client', 'programs of operators and auditors; and how to take a client of anybody away');
  under(client, 'add <name>', 'a client with a secret; or one more role of a client')
    .addOption(
      new Option('--role <role...>', 'what it is for')
        .choices(roles.filter((r) => r !== 'participant'))
        .makeOptionMandatory(),
    )
    .addOption(json())
    .addHelpText(
      'after',
      examples('merit client add control-room --role operator', 'merit client add acme --role auditor'),
    )
    .action(async (name, options) => (await load()).addClient(name, options));
  under(client, 'list', 'all clients with their scopes')
    .addOption(json())
    .action(async (options) => (await load()).listClients(options));
  under(client, 'remove <name>', 'from the next call on nobody knows it; orders that it sent stay').action(
    async (name, options) => (await load()).removeClient(name, options),
  );

  under(merit, 'token <client>', 'a token for a client of this house, without its secret')
    .option('--scope <scope...>', 'some of its scopes (default: all)')
    .option('--hours <n>', 'how long it holds, up to 24', hours, 1)
    .addOption(json())
    .addHelpText('after', examples('merit token acme', 'export MERIT_TOKEN=$(merit token control-room --hours 8)'))
    .action(async (name, options) => (await load()).printToken(name, options));

  const keys = group('keys', 'the keys that this house signs tokens and evidence with');
  under(keys, 'rotate', 'sign with new keys; old tokens hold until they expire, old evidence for good')
    .option('--revoke', 'let no old token hold any more; evidence holds as before')
    .action(async (options) => (await load()).rotateKeys(options));
}

const list = (text: string): string[] => text.split(',').map((word) => word.trim());

function megawatts(text: string): number {
  if (!/^\d{1,7}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number of MW, 0 or more.');
  return Number(text);
}

function hours(text: string): number {
  const number = Number(text);
  if (!/^\d{1,2}$/.test(text) || number < 1 || number > 24) throw new InvalidArgumentError('It must be 1 to 24.');
  return number;
}
