import { nodeId, uuidOf } from '../../../lib/node-id.ts';
import { Alert } from './alert.ts';

/** An alert as its events carry it: what a caller may see of it, as JSON. */
export interface AlertSnapshot {
  id: string;
  fingerprint: string;
  name: string;
  severity: string;
  state: string;
  acknowledgement: unknown;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  value: number | null;
  startedAt: string;
  firedAt: string | null;
  resolvedAt: string | null;
  resolvedBy: unknown;
  agentId: string | null;
  traceId: string | null;
  ruleId: string | null;
  ruleName: string | null;
}

/** What its events and audit entries say of an alert. */
export function snapshotOf(alert: Alert): AlertSnapshot {
  const { id, fingerprint, name, severity, state, acknowledgement, labels, annotations, value } = alert;
  const { resolvedBy, agentId, traceId, ruleUuid, ruleName } = alert;
  return {
    id,
    fingerprint,
    name,
    severity,
    state,
    acknowledgement,
    labels,
    annotations,
    value,
    startedAt: alert.startedAt.toISOString(),
    firedAt: alert.firedAt?.toISOString() ?? null,
    resolvedAt: alert.resolvedAt?.toISOString() ?? null,
    resolvedBy,
    agentId,
    traceId,
    ruleId: ruleUuid && nodeId('AlertRule', ruleUuid),
    ruleName,
  };
}

/** The alert that an event tells of, as it was then. What its events do not carry is read anew. */
export function revive(snapshot: AlertSnapshot): Alert {
  const { id, startedAt, firedAt, resolvedAt, ruleId, ...rest } = snapshot;
  return Object.assign(new Alert(), rest, {
    uuid: uuidOf('Alert', id),
    startedAt: new Date(startedAt),
    firedAt: firedAt && new Date(firedAt),
    resolvedAt: resolvedAt && new Date(resolvedAt),
    ruleUuid: ruleId && uuidOf('AlertRule', ruleId),
  });
}
