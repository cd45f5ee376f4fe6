/** What webhooks are signed with, in the form of Standard Webhooks. */

import * as z from 'zod';

export const webhookSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'whsec_ and 24 to 64 bytes in base64')
  .meta({ description: 'what its messages are signed with (Standard Webhooks)' });
