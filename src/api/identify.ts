/** Who calls, by the token in the header of the request. */

import type { Identity } from '../access/identity.ts';
import { bearerToken } from '../access/tokens.ts';
import type { Identify } from './route.ts';

/** @param identify  of a token; throws AccessError for one that does not hold */
export const identifyBearer =
  (identify: (token: string) => Promise<Identity>): Identify =>
  async (c) => {
    const token = bearerToken(c.req.header('authorization'));
    return token === undefined ? undefined : identify(token);
  };
