import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { asFleetError, messageOf } from '../../../lib/errors.ts';
import { ActorKind } from '../../../lib/graphql/shared.ts';
import type { Log } from '../../../lib/log.ts';
import { Worker } from '../../../lib/worker.ts';
import type { SystemEntry, Writes } from '../../../lib/write/writes.ts';
import type { Alert } from '../entity/alert.ts';
import { AlertState, RuleHealth } from '../entity/enums.ts';
import type { AlertRule } from '../entity/rule.ts';
import { type AlertSnapshot, snapshotOf } from '../entity/snapshot.ts';
import type { AlertStore } from '../store/alerts.ts';
import type { RuleStore } from '../store/rules.ts';
import { blankAlert, traceOf } from './alerts.ts';
import { fingerprintOf } from './fingerprint.ts';
import { Lanes } from './lanes.ts';
import { nextLife } from './life.ts';
import { columnsOf, lifeOf, type Recorded, type Recorder } from './recorder.ts';
import type { Instance, Reading, Sources } from './sources.ts';
import { joinSamples } from './why.ts';

const POLL_MS = 250;
const LANES = 8;
/** Open alerts of one rule at most: beyond them it opens no more, and its health says so. */
const MAX_INSTANCES = 1_000;
/** Causes that are looked for in one evaluation: each may take half a second when the trail does not answer. */
const MAX_CAUSES = 20;
const MACHINE = { id: 'system:alerts', kind: ActorKind.SYSTEM, name: 'alerts' };

/**
 * Evaluates each rule when it is due. Replicas share the work: a rule is claimed with its next due time in one statement, and
 * what follows from an evaluation is written under the rule's lock.
 */
export class Evaluator {
  readonly #worker: Worker;
  readonly #lanes = new Lanes(LANES);

  constructor(
    private readonly rules: RuleStore,
    private readonly alerts: AlertStore,
    private readonly recorder: Recorder,
    private readonly sources: Sources,
    private readonly writes: Writes,
    private readonly clock: Clock,
    private readonly log: Log,
    /** Wakes the escalation after a commit. */
    private readonly fired: () => void,
  ) {
    this.#worker = new Worker(
      () => this.#claim(),
      POLL_MS,
      (error) => log.warn('rules.wait', { error: messageOf(error) }),
    );
  }

  start(): void {
    this.#worker.start();
  }

  wake(): void {
    this.#worker.wake();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#lanes.idle();
  }

  /** Evaluates one rule now. A failure is written into its health and stops nothing else. */
  async evaluate(rule: AlertRule): Promise<void> {
    const atMs = this.clock.nowMs();
    try {
      const reading = await this.sources.read(rule.condition, atMs);
      await this.writes.transaction((tx) => this.#apply(tx, rule, reading, atMs));
    } catch (error) {
      // Once, not each time: a house that is away for an hour is one line.
      if (rule.health !== RuleHealth.ERROR) this.log.warn('rule.failed', { rule: rule.name, error: messageOf(error) });
      const reason = asFleetError(error)?.message ?? 'it could not be evaluated: our own log says why';
      // When the database is away this fails too; the rule is due again after its interval.
      await this.rules.failed(rule, atMs, reason).catch(() => undefined);
    }
    this.fired();
  }

  async #claim(): Promise<boolean> {
    const { free } = this.#lanes;
    if (free <= 0) return false;
    for (const rule of await this.rules.claimDue(this.clock.nowMs(), free)) {
      this.#lanes.run(
        () => this.evaluate(rule),
        () => this.#worker.wake(),
      );
    }
    return false;
  }

  async #apply(tx: Transaction, claimed: AlertRule, reading: Reading, atMs: number): Promise<void> {
    const rule = await this.rules.lockVersion(tx, claimed);
    // Changed, switched off or evaluated later meanwhile: this result is of the past.
    if (!rule || (rule.lastEvaluatedAt?.getTime() ?? 0) > atMs) return;
    const known = new Map((await this.alerts.lockOfRule(tx, rule.uuid)).map((alert) => [alert.fingerprint, alert]));
    const breaching = new Map(reading.breaching.map((instance) => [fingerprintOf(rule.name, instance.key), instance]));
    const all: Recorded = { events: [], entries: [] };
    let open = [...known.values()].filter(({ state }) => state !== AlertState.RESOLVED).length;
    let refused = 0;
    for (const fingerprint of new Set([...known.keys(), ...breaching.keys()])) {
      const alert = known.get(fingerprint);
      if (!alert && open >= MAX_INSTANCES) {
        refused += 1;
        continue;
      }
      if (!alert) open += 1;
      const recorded = await this.#move(tx, rule, fingerprint, alert, breaching.get(fingerprint), atMs);
      all.events.push(...recorded.events);
      all.entries.push(...recorded.entries);
    }
    await this.#findCauses(all.entries);
    await this.writes.system(tx, 'alerts', all.entries, all.events);
    const [health, reason] = healthOf(reading, refused);
    await this.rules.evaluated(tx, rule, atMs, health, reason);
  }

  async #move(
    tx: Transaction,
    rule: AlertRule,
    fingerprint: string,
    alert: Alert | undefined,
    instance: Instance | undefined,
    atMs: number,
  ): Promise<Recorded> {
    const before = alert && snapshotOf(alert);
    const life = alert && lifeOf(alert);
    const [next, effects] = nextLife(life, instance ? 'BREACHED' : 'CLEARED', rule, atMs);
    const isHeld = life?.state === AlertState.RESOLVED;
    if (!next || (next === life && (isHeld || !instance))) return { events: [], entries: [] };
    const moved =
      alert ??
      Object.assign(blankAlert(), { uuid: this.clock.uuid(), fingerprint, ruleVersion: rule.version, samples: [] });
    Object.assign(moved, columnsOf(next), instance ? describe(moved, rule, instance) : {});
    if (!isHeld && next.state === AlertState.RESOLVED) moved.resolvedBy = MACHINE;
    const { events, entries } = await this.recorder.record(tx, before, moved, effects);
    // It ends what its firing began.
    const ends = (entry: SystemEntry) =>
      entry.action === 'alert.resolved' ? (moved.firedEntry ?? undefined) : undefined;
    return { events, entries: entries.map((entry) => ({ ...entry, causedBy: ends(entry) })) };
  }

  /** An alert fires because of what happened to its agent. When many fire together, the first few are asked about. */
  async #findCauses(entries: SystemEntry[]): Promise<void> {
    for (const entry of entries.filter(({ action }) => action === 'alert.fired').slice(0, MAX_CAUSES)) {
      const { agentId } = entry.after as AlertSnapshot;
      if (agentId !== null) entry.causedBy = await this.sources.causeOf(agentId);
    }
  }
}

/** What an alert says of the instance it is about. Its trace is the first one that was found. */
function describe(alert: Alert, rule: AlertRule, instance: Instance): Partial<Alert> {
  const labels = { ...instance.labels, ...rule.labels };
  const { annotations } = rule;
  return {
    name: rule.name,
    severity: rule.severity,
    labels,
    annotations,
    value: instance.value,
    threshold: instance.threshold,
    samples: joinSamples(alert.samples, instance.samples),
    summary: instance.summary,
    agentId: instance.agentId,
    traceId: alert.traceId ?? instance.traceId ?? traceOf({ labels, annotations }),
    ruleUuid: rule.uuid,
    ruleName: rule.name,
    escalationPolicy: alert.firedAt ? alert.escalationPolicy : rule.escalationPolicy,
  };
}

function healthOf({ hasData }: Reading, refused: number): [RuleHealth, string | null] {
  if (refused) return [RuleHealth.ERROR, `${MAX_INSTANCES} alerts of it are open: ${refused} more were not opened`];
  return hasData ? [RuleHealth.OK, null] : [RuleHealth.NO_DATA, 'the metric has no value in its range'];
}
