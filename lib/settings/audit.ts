import { z } from 'zod';

/** Settings of the audit trail. */
export const AUDIT_SETTINGS = {
  FLEET_AUDIT_RENEW: z
    .enum(['true', 'false', '1', '0'])
    .transform((text) => text === 'true' || text === '1')
    .default(false)
    .describe(
      'Whether an audit log whose database was put back from an older backup goes on under another name and key; else it signs nothing until the newer one is back.',
    ),
  FLEET_AUDIT_READ_WINDOW_MS: z.coerce
    .number()
    .int()
    .min(100)
    .default(60_000)
    .describe('How long the reads of the audit trail by one reader are summed up in one entry, milliseconds.'),
};
