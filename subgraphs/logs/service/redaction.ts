import { Counter, type Registry } from 'prom-client';
import { Redactor, RULES } from '../../../lib/redaction/index.ts';
import type { Settings } from '../../../lib/settings/index.ts';

/** What takes secrets out of records, by the settings; each is counted by its rule. */
export function redactorOf(
  settings: Pick<Settings, 'FLEET_LOG_REDACT' | 'FLEET_LOG_REDACT_PATTERNS'>,
  registry: Registry,
): Redactor {
  const counter = new Counter({
    name: 'fleet_logs_redacted_total',
    help: 'Secrets taken out of log records before they were stored, by rule.',
    labelNames: ['rule'],
    registers: [registry],
  });
  const rules = RULES.filter(({ name }) => settings.FLEET_LOG_REDACT.includes(name));
  // The operator's own first: they know best what theirs look like.
  return new Redactor([...settings.FLEET_LOG_REDACT_PATTERNS, ...rules], (rule) => counter.inc({ rule }));
}
