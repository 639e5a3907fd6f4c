import { RecoveryAction, RecoveryMode, RecoveryPolicy, RecoveryTrouble } from '../entity/recovery.ts';

const { SILENT, FAILED, CRASH_LOOP, OVERSPENT, CRITICAL } = RecoveryTrouble;
const TEN_MINUTES_MS = 10 * 60_000;

/** What holds for agents that no applied policy is for, until one named `default` is applied. */
export const DEFAULT_POLICY: RecoveryPolicy = Object.assign(new RecoveryPolicy(), {
  name: 'default',
  version: 0,
  mode: RecoveryMode.ACT,
  priority: 0,
  kinds: [],
  labels: {},
  steps: [
    { action: RecoveryAction.RESTART, attempts: 5, on: [SILENT, FAILED, CRITICAL] },
    { action: RecoveryAction.PAUSE, attempts: 1, on: [OVERSPENT] },
    { action: RecoveryAction.QUARANTINE, attempts: 1, on: [SILENT, FAILED, CRASH_LOOP, CRITICAL] },
  ],
  criticalBeats: 5,
  degradedBeats: 15,
  windowMs: TEN_MINUTES_MS,
  restMs: 5_000,
  maxRestMs: 5 * 60_000,
  jitter: 0.2,
  coolDownMs: TEN_MINUTES_MS,
  maxShare: 0.5,
});

/** All policies in the order in which the first that matches an agent holds; the built-in default last. */
export function inOrder(applied: readonly RecoveryPolicy[]): RecoveryPolicy[] {
  const hasDefault = applied.some(({ name }) => name === DEFAULT_POLICY.name);
  const sorted = [...applied].sort((a, b) => b.priority - a.priority || (a.name < b.name ? -1 : 1));
  return hasDefault ? sorted : [...sorted, DEFAULT_POLICY];
}

/** The policy for an agent. One named `default` may have been given conditions: then the built-in one is below it. */
export function policyFor(
  ordered: readonly RecoveryPolicy[],
  agent: { kind: string; labels: Readonly<Record<string, string>> },
): RecoveryPolicy {
  const found = ordered.find(
    ({ kinds, labels }) =>
      (!kinds.length || kinds.includes(agent.kind)) &&
      Object.entries(labels).every(
        ([name, value]) => Object.hasOwn(agent.labels, name) && agent.labels[name] === value,
      ),
  );
  return found ?? DEFAULT_POLICY;
}
