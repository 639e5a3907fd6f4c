import { z } from 'zod';

const whole = (standard: number, min: number, max: number) =>
  z.coerce.number().int().min(min).max(max).default(standard);

/** Settings of how much one search of logs may take. */
export const LOG_SEARCH_SETTINGS = {
  FLEET_LOG_SEARCH_MS: whole(8_000, 100, 60_000).describe(
    'How long one search of logs may take, milliseconds; longer is TIMEOUT.',
  ),
  FLEET_LOG_SEARCH_BYTES: whole(512 * 1024 * 1024, 16 * 1024 * 1024, 64 * 1024 ** 3).describe(
    'Memory of the engine that one search of logs may take, bytes; more is OVERLOADED.',
  ),
  FLEET_LOG_EXPORT_ROWS: whole(1_000_000, 1, 1_000_000_000).describe(
    'Entries that one export of logs has at most; the newest that match.',
  ),
  FLEET_LOG_FACET_ROWS: whole(1_000_000, 1_000, 1_000_000_000).describe(
    'Entries that `logFacets` counts one by one; of more that match a part is counted and the rest inferred (`isExact: false`).',
  ),
  FLEET_LOG_PATTERN_ROWS: whole(10_000, 100, 100_000).describe(
    'Entries that `logPatterns` reads: the newest that match.',
  ),
};
