import type { Alert } from '../entity/alert.ts';
import type { ContactPoint } from '../entity/contact.ts';
import { snapshotOf } from '../entity/snapshot.ts';

/** What a notification tells. */
export type MessageKind = 'alert.fired' | 'alert.resolved';

const COLOUR = { INFO: '#439FE0', WARNING: '#DAA038', CRITICAL: '#D00000', RESOLVED: '#2EB67D' } as const;

/**
 * The body of a notification, for this kind of contact point: our own JSON for webhooks, Slack's and PagerDuty's for theirs.
 * PagerDuty's routing key is not in it: the outbox keeps no secret, it is added when it is sent.
 * @param step which step of which round it belongs to, both from 1
 */
export function messageOf(
  kind: MessageKind,
  alert: Alert,
  contactPoint: ContactPoint,
  step: { step: number; round: number },
  nowMs: number,
): string {
  if (contactPoint.kind === 'SLACK') return JSON.stringify(slack(kind, alert));
  if (contactPoint.kind === 'PAGERDUTY') return JSON.stringify(pagerDuty(kind, alert));
  const data = {
    alert: { ...snapshotOf(alert), summary: alert.summary },
    ...(kind === 'alert.fired' ? { escalation: step } : {}),
  };
  return JSON.stringify({ type: kind, timestamp: new Date(nowMs).toISOString(), data });
}

function title(kind: MessageKind, alert: Alert): string {
  return `${kind === 'alert.fired' ? alert.severity : 'RESOLVED'}: ${alert.name}`;
}

function slack(kind: MessageKind, alert: Alert): object {
  const labels = Object.entries(alert.labels).map(([name, value]) => ({ title: name, value, short: true }));
  const color = kind === 'alert.fired' ? COLOUR[alert.severity] : COLOUR.RESOLVED;
  const text = escapeSlack(`${title(kind, alert)} — ${alert.summary}`);
  return {
    text,
    attachments: [{ color, fallback: text, fields: labels, ts: Math.floor(alert.startedAt.getTime() / 1_000) }],
  };
}

/** Slack reads these three as markup, also in what agents and callers wrote. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function pagerDuty(kind: MessageKind, alert: Alert): object {
  const event = { event_action: kind === 'alert.fired' ? 'trigger' : 'resolve', dedup_key: alert.id };
  if (kind === 'alert.resolved') return event;
  return {
    ...event,
    payload: {
      summary: `${title(kind, alert)}: ${alert.summary}`.slice(0, 1_024),
      source: alert.labels['agent'] ?? alert.agentId ?? 'fleetgraph',
      severity: alert.severity.toLowerCase(),
      timestamp: alert.startedAt.toISOString(),
      custom_details: { labels: alert.labels, annotations: alert.annotations, value: alert.value },
    },
  };
}
