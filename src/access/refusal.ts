/** A call that is refused for who makes it, with the challenge (RFC 6750, 3) that tells a client what to bring. */

import { AuctionError, type Problem } from '../market/errors.ts';
import type { Scope } from './roles.ts';

export class AccessError extends AuctionError {
  /** The `WWW-Authenticate` header of the answer. */
  readonly challenge: string;

  constructor(
    code: 'unauthorized' | 'forbidden',
    message: string,
    challenge: string,
    problems: readonly Problem[] = [],
    options?: ErrorOptions,
  ) {
    super(code, message, problems, options);
    this.challenge = challenge;
  }
}

const realm = 'Bearer realm="merit"';

export const tokenMissing = (): AccessError =>
  new AccessError('unauthorized', 'this needs a token: send it as Authorization: Bearer TOKEN', realm);

/**
 * @param code  such as `token-expired`
 * @param why  of the token and of nothing else; without quotes, for it stands in a header too
 */
export const tokenInvalid = (code: string, why: string, options?: ErrorOptions): AccessError =>
  new AccessError(
    'unauthorized',
    why,
    `${realm}, error="invalid_token", error_description="${why}"`,
    [{ code, message: why }],
    options,
  );

export const scopeMissing = (anyOf: readonly Scope[]): AccessError =>
  new AccessError(
    'forbidden',
    `this needs the scope ${anyOf.join(' or ')}`,
    `${realm}, error="insufficient_scope", scope="${anyOf.at(-1)}"`,
  );

/** The scope is there, but the client calls in nobody's name. */
export const participantMissing = (): AccessError =>
  new AccessError(
    'forbidden',
    'the client of this token is no participant here',
    `${realm}, error="insufficient_scope"`,
  );
