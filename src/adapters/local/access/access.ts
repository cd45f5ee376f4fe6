/** Access control of a house on one machine: its clients, and an issuer of its own. */

import { SignJWT } from 'jose';
import type { Identity } from '../../../access/identity.ts';
import { identify } from '../../../access/identity.ts';
import type { IssuedToken, Issuer } from '../../../access/issuer.ts';
import { tokenInvalid } from '../../../access/refusal.ts';
import type { Scope } from '../../../access/roles.ts';
import { checkToken, type TokenRules } from '../../../access/tokens.ts';
import type { Clock } from '../../../auction/ports.ts';
import { AuctionError } from '../../../market/errors.ts';
import { makeDataFolder } from '../data-folder.ts';
import { type Client, type Clients, openClients } from './clients.ts';
import { openAccessDatabase } from './database.ts';
import { algorithm, openKeys } from './keys.ts';
import { isSecret } from './secrets.ts';
import { signerIn } from './signing-keys.ts';

export interface LocalAccess extends Issuer {
  readonly clients: Clients;
  /** Who calls with a token of this issuer. @throws AccessError */
  identify(token: string): Promise<Identity>;
  /**
   * A token for a client, without its secret: for whoever has the data folder.
   *
   * @param scopes  some of the client's; all unless said
   * @param lifetime  seconds
   * @throws AuctionError `not-found` for a client that is not there, `forbidden` for a scope that it does not have
   */
  issue(client: string, scopes?: readonly Scope[], lifetime?: number): Promise<IssuedToken>;
  /** Of tokens and of evidence. @param revoke  no token of an old key holds any more; evidence does */
  rotateKeys(revoke?: boolean): void;
  close(): void;
}

const audience = 'merit';
/** Seconds. */
export const usualLifetime = 3600;
export const longestLifetime = 24 * 3600;

/** @param folder  the data folder, made if it is not there. @throws AuctionError `incompatible-data` */
export function openAccess(folder: string, clock: Clock): LocalAccess {
  makeDataFolder(folder);
  const database = openAccessDatabase(folder);
  const now = () => Math.floor(clock.now().getTime() / 1000);
  const clients = openClients(database);
  const keys = openKeys(database, now);
  const signer = signerIn(database);
  const { issuer } = keys;
  const rules: TokenRules = { issuer, audience, keys: keys.find, type: 'at+jwt', now: () => clock.now() };

  async function sign({ client }: Client, scopes: readonly Scope[], lifetime: number): Promise<IssuedToken> {
    const issued = now();
    const { kid, key } = keys.signingKey(issued + lifetime);
    const token = await new SignJWT({ client_id: client, scope: scopes.join(' ') })
      .setProtectedHeader({ alg: algorithm, kid, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(client)
      .setIssuedAt(issued)
      .setExpirationTime(issued + lifetime)
      .setJti(crypto.randomUUID())
      .sign(key);
    return { token, lifetime, scopes };
  }

  return {
    clients,
    async identify(token) {
      const claims = await checkToken(token, rules);
      const known = clients.get(claims.client);
      if (!known) throw tokenInvalid('token-client', 'the client of this token is not known any more');
      // What was taken from a client since, its old tokens do not give.
      const scopes = claims.scopes.filter((scope) => known.scopes.includes(scope));
      return identify({ ...claims, scopes }, clients);
    },
    publishedKeys: () => ({ keys: keys.published() }),
    async tokenFor(name, secret, wanted = '') {
      const client = clients.get(name);
      if (!(await isSecret(secret, client?.secret)) || !client) return 'invalid_client';
      const words = wanted.split(' ').filter((word) => word !== '');
      const scopes = client.scopes.filter((scope) => words.length === 0 || words.includes(scope));
      const isTooMuch = words.some((word) => !(scopes as readonly string[]).includes(word));
      return isTooMuch ? 'invalid_scope' : sign(client, scopes, usualLifetime);
    },
    async issue(name, scopes, lifetime = usualLifetime) {
      const client = clients.get(name);
      if (!client) throw new AuctionError('not-found', `there is no client ${name}`);
      const missing = scopes?.find((scope) => !client.scopes.includes(scope));
      if (missing) throw new AuctionError('forbidden', `client ${name} has ${client.scopes.join(' ')}, not ${missing}`);
      return sign(client, scopes ?? client.scopes, lifetime);
    },
    rotateKeys(revoke) {
      keys.rotate(revoke);
      signer.rotate();
    },
    close: () => database.close(),
  };
}
