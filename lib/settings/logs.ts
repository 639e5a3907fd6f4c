import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { ownRule, RULES } from '../redaction/index.ts';
import { LOG_SEARCH_SETTINGS } from './log-search.ts';

const KNOWN = RULES.map(({ name }) => name);
const MAX_OWN = 50;

/** Names of the built-in rules that are on. */
const rules = z
  .string()
  .default('all')
  .transform((text, context) => {
    if (text === 'all') return KNOWN;
    const names = text === 'none' ? [] : text.split(',').map((name) => name.trim());
    const unknown = names.find((name) => !KNOWN.includes(name));
    if (unknown !== undefined)
      context.addIssue({ code: 'custom', message: `${unknown} is none of ${KNOWN.join(', ')}` });
    return names;
  });

/** The operator's own rules. */
const patterns = z
  .string()
  .default('{}')
  .transform((text, context) => {
    try {
      const given = z.record(z.string(), z.string()).parse(JSON.parse(text));
      if (Object.keys(given).length > MAX_OWN) throw new Error(`at most ${MAX_OWN} patterns`);
      return Object.entries(given).map(([name, pattern]) => ownRule(name, pattern));
    } catch (error) {
      context.addIssue({
        code: 'custom',
        message: error instanceof z.ZodError ? 'expected JSON such as {"employee":"EMP\\\\d{6}"}' : messageOf(error),
      });
      return [];
    }
  });

const BRIDGE = /^(rediss?|nats(\+tls)?):\/\/[^\s/?#]+([/?#][^\s]*)?$/;
const MAX_BRIDGES = 8;

/** Where changes of groups of errors go. */
const bridges = z
  .string()
  .default('')
  .transform((text, context) => {
    const targets = text.split(',').flatMap((part) => part.trim() || []);
    if (targets.some((target) => !BRIDGE.test(target) || !URL.canParse(target)))
      context.addIssue('expected addresses such as redis://host:6379?stream=fleet.errors or nats://host:4222');
    if (targets.length > MAX_BRIDGES) context.addIssue(`at most ${MAX_BRIDGES} bridges`);
    return [...new Set(targets)];
  });

/** Settings of how logs are taken in and searched. */
export const LOG_SETTINGS = {
  FLEET_LOG_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(30)
    .describe('Days that logs are kept, counted from when they were observed, where no policy says otherwise.'),
  ...LOG_SEARCH_SETTINGS,
  FLEET_LOG_MAX_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .max(Number.MAX_SAFE_INTEGER)
    .optional()
    .describe(
      'What all logs together may have, bytes before compression, but for those that a hold is on; the oldest go first. Absent: any.',
    ),
  FLEET_LOG_REDACT: rules.describe(
    `Kinds of secrets that are taken out of logs before they are stored, separated by commas: ${KNOWN.join(', ')}; all, or none.`,
  ),
  FLEET_LOG_REDACT_PATTERNS: patterns.describe(
    'Further secrets to take out of logs, at most 50 patterns by name, JSON: {"employee":"EMP\\\\d{6}"}. What a pattern may have: docs/logs.md.',
  ),
  FLEET_ERROR_BRIDGES: bridges.describe(
    'Where changes of groups of errors go beside subscriptions, separated by commas: redis://host:6379?stream=fleet.errors (also rediss), nats://host:4222?subject=fleet.errors (also nats+tls; a JetStream stream takes the subject). Empty: nowhere.',
  ),
  FLEET_LOG_METRICS_MS: z.coerce
    .number()
    .int()
    .min(100)
    .max(60_000)
    .default(5_000)
    .describe('How often metrics that are made of log entries get new samples, milliseconds.'),
  FLEET_SYSLOG_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe('TCP port on which the logs house takes syslog (RFC 5424). Absent: it takes none.'),
  FLEET_SYSLOG_BIND: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address that syslog binds. It knows no credentials: whoever reaches the port may log.'),
};
