/** What the authorizer hands on to the function that answers, as the gateway takes it: texts by name. Nobody else can write there. */

import type { Identity } from '../access/identity.ts';
import { tokenInvalid } from '../access/refusal.ts';

/** Who calls, or what is wrong with the token; neither where there was none. */
export interface Handed {
  readonly identity?: Identity;
  readonly refusal?: { readonly code: string; readonly message: string };
}

export const handedOn = ({ identity, refusal }: Handed): Record<string, string> => ({
  ...(identity && { identity: JSON.stringify(identity) }),
  ...(refusal && { refusal: JSON.stringify(refusal) }),
});

/** Who calls; `undefined` without a token. @throws AccessError for a token that does not hold */
export function identityIn(context: Readonly<Record<string, string>> = {}): Identity | undefined {
  const { identity, refusal } = context;
  if (refusal !== undefined) {
    const { code, message } = JSON.parse(refusal) as NonNullable<Handed['refusal']>;
    throw tokenInvalid(code, message);
  }
  return identity === undefined ? undefined : (JSON.parse(identity) as Identity);
}
