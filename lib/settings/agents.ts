import { z } from 'zod';

/** Settings of how agents are heard, and of what is done when they run something else than they should. */
export const AGENT_SETTINGS = {
  FLEET_DRIFT_GRACE_MS: z.coerce
    .number()
    .int()
    .min(1_000)
    .default(30_000)
    .describe(
      'How long an agent may run another version or configuration than it should before it is told of, milliseconds.',
    ),
  FLEET_DRIFT_REPAIR: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe('Whether an agent that drifts is sent again what it should run.'),
};
