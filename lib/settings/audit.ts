import { z } from 'zod';

const SINK = /^(https?|syslog(\+tls)?):\/\/[^\s/?#@]+([/?#][^\s]*)?$/;
const MAX_SINKS = 8;
const MAX_DAYS = 36_500;

const sinks = z
  .string()
  .default('')
  .transform((text, context) => {
    const targets = text.split(',').flatMap((part) => part.trim() || []);
    const wrong = targets.find((target) => !SINK.test(target) || !URL.canParse(target));
    if (wrong !== undefined)
      context.addIssue('expected addresses such as https://logs.example/audit or syslog+tls://logs.example:6514');
    if (targets.length > MAX_SINKS) context.addIssue(`at most ${MAX_SINKS} sinks`);
    return [...new Set(targets)];
  });

const KEY = /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/]+={0,2}$/;
const MAX_WITNESSES = 16;

const keys = z
  .string()
  .default('')
  .transform((text, context) => {
    const all = text.split(',').flatMap((part) => part.trim() || []);
    const wrong = all.find((key) => !KEY.test(key));
    if (wrong !== undefined) context.addIssue('expected keys of logs, name+id+key');
    return all;
  });

const witnesses = z
  .string()
  .default('')
  .transform((text, context) => {
    const all = text.split(',').flatMap((part) => part.trim() || []);
    const named = all.map((each) => {
      const [key = '', url = '', ...more] = each.split(/\s+/);
      if (!KEY.test(key) || !/^https?:\/\//.test(url) || !URL.canParse(url) || more.length)
        context.addIssue('expected the key of a witness and its address: name+id+key https://host/v1/audit/witness');
      return { key, url };
    });
    if (named.length > MAX_WITNESSES) context.addIssue(`at most ${MAX_WITNESSES} witnesses`);
    return named;
  });

/** Settings of the audit trail. */
export const AUDIT_SETTINGS = {
  FLEET_AUDIT_SINKS: sinks.describe(
    'Where the audit trail goes as it grows, separated by commas: https://host/path, syslog+tls://host:6514; http and syslog only with FLEET_WEBHOOK_PRIVATE. Empty: nowhere.',
  ),
  FLEET_AUDIT_SINK_FORMAT: z
    .enum(['ndjson', 'ocsf'])
    .default('ndjson')
    .describe('What sinks are given: ndjson (entries that can be verified) or ocsf (events of OCSF 1.6).'),
  FLEET_AUDIT_SINK_SECRET: z
    .string()
    .min(16, 'expected at least 16 characters')
    .optional()
    .describe('Signs what goes to web sinks (Standard Webhooks): whsec_ and base64, or any text. Absent: unsigned.'),
  FLEET_AUDIT_SINK_CA: z
    .string()
    .min(1)
    .optional()
    .describe('File of the authorities (PEM) that vouch for sinks. Absent: those of the system.'),
  FLEET_AUDIT_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .max(MAX_DAYS)
    .default(0)
    .describe(
      'Days that the bytes of audit entries are kept: what was before and after. Their hashes stay, and proofs hold. 0: for good.',
    ),
  FLEET_AUDIT_WITNESSES: witnesses.describe(
    'Who cosigns the audit log (C2SP tlog-witness), separated by commas: `name+id+key https://host/v1/audit/witness`. Empty: nobody.',
  ),
  FLEET_AUDIT_WITNESS_TOKEN: z
    .string()
    .min(1)
    .optional()
    .describe('Bearer token for the witnesses: an API key of the instance that is one, with the scope auditor.'),
  FLEET_AUDIT_WITNESS_OF: keys.describe(
    'Keys of the logs that this instance cosigns as their witness, separated by commas: `name+id+key`. Empty: of none.',
  ),
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
