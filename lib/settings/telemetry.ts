import { z } from 'zod';

/** Settings of the cold storage: old logs in a bucket. */
const COLD_SETTINGS = {
  FLEET_COLD_URL: z
    .string()
    .regex(/^https?:\/\/[^/\s]+\/[^\s]*\/$/, 'expected an address such as https://s3.example.org/bucket/logs/')
    .optional()
    .describe(
      'Bucket of any S3 that logs are moved to as they age, with a folder in it: https://host/bucket/logs/. For the embedded engine. Once in use it has to stay.',
    ),
  FLEET_COLD_REGION: z.string().min(1).optional().describe('Region of that bucket, where its S3 wants one.'),
  FLEET_COLD_ACCESS_KEY_ID: z.string().min(1).optional().describe('Name of the key that opens that bucket.'),
  FLEET_COLD_SECRET_ACCESS_KEY: z.string().min(1).optional().describe('The key’s secret.'),
  FLEET_COLD_SECRET_FILE: z.string().min(1).optional().describe('File that holds the key’s secret, instead.'),
  FLEET_COLD_POLICY: z
    .string()
    .regex(/^\w{1,64}$/, 'expected a name')
    .optional()
    .describe(
      'Storage policy of the ClickHouse server of CLICKHOUSE_URL with the volumes `default` and `cold`, for the same (docs/operating.md).',
    ),
  FLEET_COLD_AFTER_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(7)
    .describe('Days after which logs are moved to cold storage, counted from when they were received.'),
};

/** Settings of where logs, samples and spans are kept. */
export const TELEMETRY_SETTINGS = {
  FLEET_METRIC_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(30)
    .describe('Days that samples and spans are kept, counted from when they arrived; they go a week at a time.'),
  ...COLD_SETTINGS,
  FLEET_TELEMETRY_MIN_FREE_BYTES: z.coerce
    .number()
    .int()
    .min(0)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'Room that the disk of the telemetry store must have, bytes: with less, logs, samples and spans are refused as OVERLOADED until there is a quarter more. Absent: a twentieth of the disk, at most 1 GiB; 0: whatever there is.',
    ),
  FLEET_TELEMETRY_PENDING_BYTES: z.coerce
    .number()
    .int()
    .min(1_024)
    .max(4 * 1024 ** 3)
    .default(64 * 1024 * 1024)
    .describe(
      'Telemetry of each kind that waits to be stored, bytes; beyond it requests are refused as OVERLOADED. A larger one is taken when nothing waits.',
    ),
};

/** What of these settings does not go together, in a sentence. */
export function telemetryFault(settings: {
  CLICKHOUSE_URL?: string | undefined;
  FLEET_COLD_URL?: string | undefined;
  FLEET_COLD_ACCESS_KEY_ID?: string | undefined;
  FLEET_COLD_SECRET_ACCESS_KEY?: string | undefined;
  FLEET_COLD_SECRET_FILE?: string | undefined;
  FLEET_COLD_POLICY?: string | undefined;
}): string | undefined {
  const { CLICKHOUSE_URL: server, FLEET_COLD_URL: url, FLEET_COLD_POLICY: policy } = settings;
  if (url && server) {
    return 'FLEET_COLD_URL is for the embedded engine: give the server of CLICKHOUSE_URL a storage policy and name it in FLEET_COLD_POLICY';
  }
  if (policy && !server) return 'FLEET_COLD_POLICY is for the server of CLICKHOUSE_URL: set FLEET_COLD_URL instead';
  const { FLEET_COLD_SECRET_ACCESS_KEY: secret, FLEET_COLD_SECRET_FILE: file } = settings;
  if (secret && file) return 'FLEET_COLD_SECRET_ACCESS_KEY and FLEET_COLD_SECRET_FILE are both set: keep one';
  if (Boolean(settings.FLEET_COLD_ACCESS_KEY_ID) !== Boolean(secret ?? file)) {
    return 'FLEET_COLD_ACCESS_KEY_ID goes with FLEET_COLD_SECRET_ACCESS_KEY or FLEET_COLD_SECRET_FILE: set both';
  }
  return undefined;
}
