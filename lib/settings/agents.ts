import { z } from 'zod';

const ms = (defaultMs: number, minMs: number) => z.coerce.number().int().min(minMs).default(defaultMs);
const days = (standard: number) => z.coerce.number().int().min(1).max(3_650).default(standard);

/** Settings of how agents are heard, waited for, remembered, and brought back to what they should run. */
export const AGENT_SETTINGS = {
  FLEET_BEAT_MS: ms(2_000, 100).describe('How often an agent beats, milliseconds.'),
  FLEET_LEASE_BEATS: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(3)
    .describe('Missed beats after which an agent is OFFLINE.'),
  FLEET_STARTING_MS: ms(90_000, 1_000).describe(
    'How long an agent may say that it is STARTING, milliseconds; then it counts as FAILED.',
  ),
  FLEET_STOPPING_MS: ms(90_000, 1_000).describe(
    'How long an agent may say that it is STOPPING, milliseconds; then it counts as FAILED.',
  ),
  FLEET_AGENT_HISTORY_DAYS: days(90).describe(
    'Days that can be looked back on an agent (`Agent.at`); what each was at the beginning of them is kept too.',
  ),
  FLEET_PROFILES_KEPT: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe('Profiles of one agent that are kept, each of at most 4 MB.'),
  FLEET_PROFILE_DAYS: days(14).describe('Days that a profile is kept.'),
  FLEET_AGENT_STORY_DAYS: days(90).describe('Days for which the lines of agents’ stories are kept.'),
  FLEET_AGENT_STORY_LINES: z.coerce
    .number()
    .int()
    .min(100)
    .max(1_000_000)
    .default(5_000)
    .describe('Lines of one agent’s story that are kept, the newest.'),
  FLEET_DRIFT_GRACE_MS: ms(30_000, 1_000).describe(
    'How long an agent may run another version or configuration than it should before it is told of, milliseconds.',
  ),
  FLEET_DRIFT_REPAIR: z
    .enum(['true', 'false'])
    .default('true')
    .transform((text) => text === 'true')
    .describe('Whether an agent that drifts is sent again what it should run.'),
};
