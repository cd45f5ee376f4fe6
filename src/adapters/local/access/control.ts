/** Who calls a house on one machine: by the tokens of its own issuer, or of another one by OIDC. */

import { type Identity, identify } from '../../../access/identity.ts';
import { checkToken } from '../../../access/tokens.ts';
import type { Clock } from '../../../auction/ports.ts';
import { discoveryUrl, openIdRules } from '../../oidc.ts';
import { makeDataFolder } from '../data-folder.ts';
import { type LocalAccess, openAccess } from './access.ts';
import { openClients } from './clients.ts';
import { openAccessDatabase } from './database.ts';

export interface AccessSettings {
  /** `built-in`, or the address of an OIDC issuer. */
  readonly issuer: string;
  /** Of tokens of another issuer. */
  readonly audience?: string;
  readonly tokenUse?: 'access';
}

export interface AccessControl {
  /** @throws AccessError for a token that does not hold */
  identify(token: string): Promise<Identity>;
  /** With the issuer of the house. */
  readonly builtIn?: LocalAccess;
  /** Where clients learn how to get a token. */
  readonly tokens: { readonly tokenUrl: string } | { readonly openIdConnectUrl: string };
  close(): void;
}

export function openAccessControl({ issuer, ...more }: AccessSettings, folder: string, clock: Clock): AccessControl {
  if (issuer === 'built-in') {
    const builtIn = openAccess(folder, clock);
    const { identify, close } = builtIn;
    return { identify, close, builtIn, tokens: { tokenUrl: '/oauth2/token' } };
  }
  makeDataFolder(folder);
  const database = openAccessDatabase(folder);
  const clients = openClients(database);
  const rules = openIdRules({ issuer, ...more, now: () => clock.now() });
  return {
    identify: async (token) => identify(await checkToken(token, rules), clients),
    tokens: { openIdConnectUrl: discoveryUrl(issuer) },
    close: () => database.close(),
  };
}
