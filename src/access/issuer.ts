/** An issuer of tokens, as the house sees it: it publishes keys and gives tokens for client credentials (RFC 6749, 4.4). */

import type { JSONWebKeySet } from 'jose';
import type { Scope } from './roles.ts';

export interface IssuedToken {
  readonly token: string;
  /** Seconds. */
  readonly lifetime: number;
  readonly scopes: readonly Scope[];
}

/** Why there is no token, in the words of RFC 6749, 5.2. */
export type TokenRefusal = 'invalid_client' | 'invalid_scope';

export interface Issuer {
  /** The public halves of all keys whose tokens may still hold. */
  publishedKeys(): JSONWebKeySet;
  /**
   * A token for a client that knows its secret.
   *
   * @param wanted  scopes, separated by spaces; all that the client has unless said
   * @returns the same refusal, after the same time, for a client that is not known and for a wrong secret
   */
  tokenFor(client: string, secret: string, wanted?: string): Promise<IssuedToken | TokenRefusal>;
}
