/** `merit participant`, `client`, `token` and `keys`: who may do what in the house of a data folder. */

import { readScopes, type Scope, scopesOfRole } from '../../access/roles.ts';
import { type LocalAccess, openAccess } from '../../adapters/local/access/access.ts';
import { withPortfolio } from '../../adapters/local/access/clients.ts';
import { hashSecret, newSecret } from '../../adapters/local/access/secrets.ts';
import type { Portfolio } from '../../market/portfolio.ts';
import { exitCodes, Failure } from '../failure.ts';
import { print, printJson, table } from '../output.ts';

interface Folder {
  data: string;
  json?: boolean;
}

async function inFolder<T>({ data }: Folder, work: (access: LocalAccess) => T | Promise<T>): Promise<T> {
  const access = openAccess(data, { now: () => new Date() });
  try {
    return await work(access);
  } finally {
    access.close();
  }
}

interface NewParticipant extends Folder {
  zones: string[];
  portfolio?: string;
  buy?: number;
  sell?: number;
  access?: 'read' | 'write';
  client?: string;
}

export function addParticipant(name: string, options: NewParticipant): Promise<void> {
  const { zones, buy, sell, access: given, client = name } = options;
  const limits = { ...(buy !== undefined && { buy }), ...(sell !== undefined && { sell }) };
  const hasLimits = buy !== undefined || sell !== undefined;
  const portfolio: Portfolio = {
    name: options.portfolio ?? name,
    zones,
    ...(hasLimits && { powerLimits: limits }),
  };
  return inFolder(options, async ({ clients }) => {
    const known = clients.list().find(({ participant }) => participant?.participant === name)?.participant;
    if (known) {
      if (options.client !== undefined && options.client !== known.client)
        throw new Failure(exitCodes.no, `participant ${name} calls by client ${known.client} already`);
      const portfolios = withPortfolio(known.portfolios, portfolio);
      clients.changeParticipant({ ...known, portfolios, access: given ?? known.access });
      if (options.json) return printJson({ participant: name, client: known.client, portfolios });
      return print(`participant ${name} has the portfolios ${portfolios.map((each) => each.name).join(', ')}`);
    }
    const secret = options.client === undefined ? newSecret() : undefined;
    const hash = secret === undefined ? undefined : await hashSecret(secret);
    clients.addParticipant({ participant: name, client, access: given ?? 'write', portfolios: [portfolio] }, hash);
    tellSecret(options, `participant ${name}`, client, secret);
  });
}

export const addClient = (name: string, options: Folder & { role: ('operator' | 'auditor')[] }): Promise<void> =>
  inFolder(options, async ({ clients }) => {
    const scopes = [...new Set(options.role.flatMap((role) => scopesOfRole(role)))];
    if (clients.get(name)) {
      clients.grant(name, scopes);
      return options.json ? printJson({ client: name, scopes }) : print(`client ${name} has ${scopes.join(' ')} too`);
    }
    const secret = newSecret();
    clients.add(name, scopes, await hashSecret(secret));
    tellSecret(options, `client ${name}`, name, secret);
  });

/** The only time that anybody sees the secret. */
function tellSecret({ json }: Folder, what: string, client: string, secret: string | undefined): void {
  if (json) printJson({ client, ...(secret !== undefined && { secret }) });
  else if (secret === undefined) print(`${what} is there; it calls by client ${client} of another issuer`);
  else print(`${what} is there. Its secret is told once, now:\n  client  ${client}\n  secret  ${secret}`);
}

export const listParticipants = (options: Folder): Promise<void> =>
  inFolder(options, ({ clients }) => {
    const all = clients.list().flatMap(({ participant }) => (participant ? [participant] : []));
    if (options.json) return printJson(all);
    if (all.length === 0) return print('there are none');
    const rows = all.flatMap(({ participant, client, access, portfolios }) =>
      portfolios.map(({ name, zones, powerLimits }) => [
        participant,
        client,
        access,
        name,
        zones.join(' '),
        powerLimits?.buy ?? '-',
        powerLimits?.sell ?? '-',
      ]),
    );
    print(table(['participant', 'client', 'access', 'portfolio', 'zones', 'buys MW', 'sells MW'], rows));
  });

export const listClients = (options: Folder): Promise<void> =>
  inFolder(options, ({ clients }) => {
    const all = clients.list().map(({ client, scopes, participant }) => ({
      client,
      scopes,
      ...(participant && { participant: participant.participant }),
    }));
    if (options.json) return printJson(all);
    if (all.length === 0) return print('there are none');
    print(
      table(
        ['client', 'scopes', 'participant'],
        all.map(({ client, scopes, participant }) => [client, scopes.join(' '), participant ?? '-']),
      ),
    );
  });

export const removeClient = (name: string, options: Folder): Promise<void> =>
  inFolder(options, ({ clients }) => {
    if (!clients.remove(name)) throw new Failure(exitCodes.no, `there is no client ${name}`);
    print(`client ${name} is gone`);
  });

export const printToken = (name: string, options: Folder & { scope?: string[]; hours: number }): Promise<void> =>
  inFolder(options, async (access) => {
    const wanted = options.scope?.map(scopeOf);
    const { token, lifetime, scopes } = await access.issue(name, wanted, options.hours * 3600);
    if (options.json) return printJson({ access_token: token, expires_in: lifetime, scope: scopes.join(' ') });
    print(token);
  });

function scopeOf(text: string): Scope {
  const [scope] = readScopes(text);
  if (scope !== text) throw new Failure(exitCodes.usage, `${JSON.stringify(text)} is no scope of this house`);
  return scope;
}

export const rotateKeys = (options: Folder & { revoke?: boolean }): Promise<void> =>
  inFolder(options, (access) => {
    access.rotateKeys(options.revoke);
    print(
      options.revoke
        ? 'a new key signs; no old token holds any more'
        : 'a new key signs; old tokens hold till they expire',
    );
    print(
      'evidence has a new key too; what the old ones signed holds as before, and their public halves stay published',
    );
  });
