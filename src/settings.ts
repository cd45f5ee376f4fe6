/** Settings of a server: from the environment, checked before anything is opened. And the markets that they point to. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { AuctionError } from './market/errors.ts';
import { readStrictJson, type StrictJson } from './market/json.ts';
import { type Market, parseMarket } from './market/market.ts';
import { marketId } from './market/terms.ts';
import { webhookSecret } from './market/webhook-secret.ts';

const loopback = /^(localhost|::1|127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;

const settings = z.strictObject({
  /** Beyond the loopback only with an issuer. */
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int('must be a port number, 0 to 65535').min(0).max(65_535).default(8080),
  /** The data folder; it is made when it is not there. */
  data: z.string().min(1).default('data'),
  /** The folder with the market files. */
  markets: z
    .string()
    .min(1)
    .default(fileURLToPath(new URL('../markets', import.meta.url))),
  /** The default market; without one `hourly`, or else the first by file name. */
  market: marketId.exactOptional(),
  /** Where notices are posted to. */
  webhook: z.url({ protocol: /^https?$/ }).exactOptional(),
  /** Signs the notices that are posted there. */
  webhookSecret: webhookSecret.exactOptional(),
  /** Whether webhooks of participants may lie on private addresses, and without TLS. */
  privateWebhooks: z.boolean().default(false),
  /** The SMTP server through which the operator gets mail of auctions that failed or were called off; with sender and receivers. */
  mailServer: z.url({ protocol: /^smtps?$/, error: 'must be smtp:// or smtps:// and a host' }).exactOptional(),
  mailFrom: z.string().min(3).exactOptional(),
  mailTo: z.string().min(3).exactOptional(),
  /** Who issues the tokens that calls need: `built-in`, or the address of an OIDC issuer. Without one everybody may do everything. */
  issuer: z
    .string()
    .refine((text) => text === 'built-in' || /^https?:/.test(URL.parse(text)?.protocol ?? ''), {
      error: 'must be built-in or the address of an OIDC issuer',
    })
    .exactOptional(),
  /** The audience that tokens of another issuer must be for. */
  audience: z.string().min(1).exactOptional(),
  /** What tokens of another issuer must say that they are for; Cognito's have this in place of an audience. */
  tokenUse: z.literal('access', 'must be access').exactOptional(),
  /** Requests a second of one client, or of one address without a token; without it 100 with an issuer, and any number without. */
  requestsPerSecond: z.int('must be a whole number').min(1).exactOptional(),
  /** Where backups of the data folder go, each in a folder of its own; none without it. */
  backup: z.string().min(1).exactOptional(),
  /** So many minutes from one backup to the next: what is lost when the machine is. */
  backupMinutes: z.int('must be a whole number of minutes').min(1).max(100_000).default(60),
  /** So many stay; older ones are deleted. */
  backupKeep: z.int('must be a whole number').min(1).max(100_000).default(48),
  /** Days that delivered notices are kept. */
  keepNotices: z.int().min(1).default(7),
  /** Days that the history of ended executions is kept. */
  keepHistory: z.int().min(1).default(30),
  /** So many of the auctions that have ended are kept, the older ones deleted with their books and results; without it all are kept. */
  keepAuctions: z.int().min(1).exactOptional(),
  /** One line of JSON per request. */
  accessLog: z.boolean().default(false),
});
export type Settings = z.output<typeof settings>;
export type SettingsInput = z.input<typeof settings>;

/** @throws AuctionError `invalid-request` naming each setting that is wrong, as `nameOf` calls it */
export function checkSettings(input: SettingsInput, nameOf = (key: string) => key): Settings {
  const parsed = settings.safeParse(input, { reportInput: true });
  const said = parsed.success
    ? togetherOf(parsed.data, nameOf)
    : parsed.error.issues.map(
        (issue) => `${nameOf(String(issue.path[0] ?? ''))}: ${issue.message} (found ${JSON.stringify(issue.input)})`,
      );
  if (parsed.success && said.length === 0) return parsed.data;
  throw new AuctionError('invalid-request', said.join('; '));
}

/** What is wrong with settings that are right one by one. */
function togetherOf(
  { host, issuer, audience, tokenUse, ...rest }: Settings,
  nameOf: (key: string) => string,
): string[] {
  const isOther = issuer !== undefined && issuer !== 'built-in';
  const isBound = audience !== undefined || tokenUse !== undefined;
  const { webhook, webhookSecret } = rest;
  const mail = [rest.mailServer, rest.mailFrom, rest.mailTo].filter((given) => given !== undefined).length;
  const wrong: [boolean, string][] = [
    [
      mail !== 0 && mail !== 3,
      `${nameOf('mailServer')}: mail needs ${nameOf('mailServer')}, ${nameOf('mailFrom')} and ${nameOf('mailTo')}`,
    ],
    [
      webhookSecret !== undefined && webhook === undefined,
      `${nameOf('webhookSecret')}: there is no ${nameOf('webhook')} to sign for`,
    ],
    [
      issuer === undefined && !loopback.test(host),
      `${nameOf('host')}: must be a loopback address (127.0.0.1, ::1 or localhost) without ${nameOf('issuer')}, as there is no ` +
        `access control then (found ${JSON.stringify(host)})`,
    ],
    [
      isOther && !isBound,
      `${nameOf('audience')}: an issuer has tokens for others too; say which are for this house (or ${nameOf('tokenUse')}: access)`,
    ],
    [
      !isOther && isBound,
      `${nameOf(audience === undefined ? 'tokenUse' : 'audience')}: is for another issuer's tokens`,
    ],
  ];
  return wrong.filter(([isWrong]) => isWrong).map(([, message]) => message);
}

const numbers: readonly string[] = [
  'port',
  'requestsPerSecond',
  'backupMinutes',
  'backupKeep',
  'keepNotices',
  'keepHistory',
  'keepAuctions',
] satisfies (keyof SettingsInput)[];

const switches: readonly string[] = ['accessLog', 'privateWebhooks'] satisfies (keyof SettingsInput)[];

/** `MERIT_PORT` is `port`, `MERIT_ACCESS_LOG=1` is `accessLog`, and so on. An empty variable counts as not set. */
export function settingsFrom(env: Readonly<Record<string, string | undefined>>): Settings {
  const variable = (key: string) => `MERIT_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
  const given = Object.keys(settings.shape).flatMap((key) => {
    const text = env[variable(key)];
    if (!text) return [];
    const number = numbers.includes(key) && /^\d+$/.test(text) ? Number(text) : undefined;
    return [[key, switches.includes(key) ? text === '1' : (number ?? text)] as const];
  });
  return checkSettings(Object.fromEntries(given), variable);
}

/**
 * The markets of a folder, one JSON file each, the default one first.
 *
 * @throws AuctionError `invalid-market` naming file, field and value
 */
export async function readMarkets(folder: string, defaultMarket?: string): Promise<Market[]> {
  const names = await readdir(folder).catch((cause) => {
    throw new AuctionError('invalid-market', `${folder}: the folder with the markets cannot be read`, [], { cause });
  });
  const files = names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(folder, name));
  const markets = await Promise.all(files.map(readMarket));
  markets.forEach(({ market }, i) => {
    const first = markets.findIndex((other) => other.market === market);
    if (first !== i)
      throw new AuctionError(
        'invalid-market',
        `${files[i]}: market: ${market} is the market of ${files[first]} already`,
      );
  });
  if (markets.length === 0) throw new AuctionError('invalid-market', `${folder}: there is no market file (*.json)`);
  if (defaultMarket !== undefined && !markets.some((m) => m.market === defaultMarket))
    throw new AuctionError('invalid-market', `${folder}: there is no market ${defaultMarket} to be the default`);
  const first = markets.find((m) => m.market === (defaultMarket ?? 'hourly')) ?? markets[0]!;
  return [first, ...markets.filter((m) => m !== first)];
}

async function readMarket(file: string): Promise<Market> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new AuctionError('invalid-market', `${file}: cannot be read`, [], { cause });
  });
  let json: StrictJson;
  try {
    json = readStrictJson(text.replace(/^\ufeff/, ''));
  } catch (cause) {
    throw new AuctionError('invalid-market', `${file}: not JSON: ${(cause as Error).message}`, [], { cause });
  }
  const { value, problems } = json;
  if (problems.length === 0) return parseMarket(value, file);
  const places = problems.map(({ field, message }) => `${field}: ${message}`).join('; ');
  throw new AuctionError('invalid-market', `${file}: ${places}`, problems);
}
