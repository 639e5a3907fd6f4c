import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { canonicalJson } from '../../../lib/write/canonical.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { SystemEntry } from '../../../lib/write/writes.ts';
import type { Alert } from '../entity/alert.ts';
import { type AlertSnapshot, snapshotOf } from '../entity/snapshot.ts';
import type { AlertStore } from '../store/alerts.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { NotificationStore } from '../store/notifications.ts';
import { beginCourse, type DueStep, type Plan } from './escalation.ts';
import type { Life, LifeEffect } from './life.ts';
import { type MessageKind, messageOf } from './message.ts';

/** The policy of alerts whose rule names none. */
export const DEFAULT_POLICY = 'default';

/** What a change of an alert leaves beside its row. */
export interface Recorded {
  events: EventDraft[];
  entries: SystemEntry[];
}

const ACTIONS: Partial<Record<LifeEffect, string>> = {
  FIRED: 'alert.fired',
  FIRED_AGAIN: 'alert.fired',
  RESOLVED: 'alert.resolved',
};

/** Where an alert is in its life, as its row has it. */
export function lifeOf(alert: Alert): Life {
  return {
    state: alert.state,
    startedAtMs: alert.startedAt.getTime(),
    firedAtMs: alert.firedAt?.getTime() ?? null,
    clearSinceMs: alert.clearSince?.getTime() ?? null,
    resolvedAtMs: alert.resolvedAt?.getTime() ?? null,
    held: alert.held,
  };
}

/** The columns of a life. */
export function columnsOf(
  life: Life,
): Pick<Alert, 'state' | 'startedAt' | 'firedAt' | 'clearSince' | 'resolvedAt' | 'held'> {
  const date = (ms: number | null) => (ms === null ? null : new Date(ms));
  return {
    state: life.state,
    startedAt: new Date(life.startedAtMs),
    firedAt: date(life.firedAtMs),
    clearSince: date(life.clearSinceMs),
    resolvedAt: date(life.resolvedAtMs),
    held: life.held,
  };
}

/** Writes what became of an alert in the caller's transaction: its row, its escalation, its notifications. */
export class Recorder {
  constructor(
    private readonly alerts: AlertStore,
    private readonly contacts: ContactStore,
    private readonly notifications: NotificationStore,
    private readonly clock: Clock,
  ) {}

  /**
   * @param before what the row says; nothing when it is new. It is locked by this transaction
   * @returns events and entries for the caller to write: an event only when something changed that streams tell of
   */
  async record(
    tx: Transaction,
    before: AlertSnapshot | undefined,
    alert: Alert,
    effects: readonly LifeEffect[],
  ): Promise<Recorded> {
    const hasFired = effects.includes('FIRED') || effects.includes('FIRED_AGAIN');
    // One that was raised has the entry of its mutation.
    if (hasFired && before) alert.firedEntry = this.clock.uuid();
    if (hasFired) alert.firedEntry ??= this.clock.uuid();
    if (effects.includes('FIRED')) await this.#escalate(tx, alert);
    if (effects.includes('RESOLVED') || effects.includes('LAPSED')) alert.escalationNextAt = null;
    await this.alerts.save(tx, alert);
    if (effects.includes('RESOLVED')) {
      const told = await this.notifications.toldOf(tx, alert.uuid);
      await this.tell(tx, alert, 'alert.resolved', { step: 0, round: 0, contactPoints: told });
    }
    const after = snapshotOf(alert);
    const event: EventDraft = {
      type: 'Alert',
      entityId: alert.uuid,
      kind: before ? 'UPDATED' : 'CREATED',
      node: after,
      previous: before ?? null,
    };
    const entries = effects.flatMap((effect): SystemEntry[] => {
      const action = ACTIONS[effect];
      if (!action) return [];
      const id = action === 'alert.fired' ? (alert.firedEntry ?? undefined) : undefined;
      return [{ id, action, target: { type: 'Alert', id: alert.id }, before: before ?? null, after }];
    });
    return { events: canonicalJson(before) === canonicalJson(after) ? [] : [event], entries };
  }

  /** Queues what a step of an escalation has to tell. A contact point that is gone is passed over. */
  async tell(
    tx: Transaction,
    alert: Alert,
    kind: MessageKind,
    { step, round, contactPoints }: DueStep,
  ): Promise<string[]> {
    const known = contactPoints.length ? await this.contacts.contactPointsIn(tx, contactPoints) : [];
    for (const contactPoint of known) {
      const nowMs = this.clock.nowMs();
      const body = messageOf(kind, alert, contactPoint, { step: step + 1, round: round + 1 }, nowMs);
      const draft = {
        id: this.clock.uuid(),
        alertUuid: alert.uuid,
        contactPoint: contactPoint.name,
        kind,
        round,
        step,
        body,
      };
      await this.notifications.queue(tx, draft, nowMs);
    }
    return known.map(({ name }) => name);
  }

  /** The policy as its clock sees it; without it there are no steps. */
  async planOf(tx: Transaction, name: string): Promise<Plan> {
    const policy = await this.contacts.policyIn(tx, name);
    return { steps: policy?.steps ?? [], repeat: policy?.repeat ?? 0 };
  }

  async #escalate(tx: Transaction, alert: Alert): Promise<void> {
    alert.escalationPolicy ??= DEFAULT_POLICY;
    const course = beginCourse(await this.planOf(tx, alert.escalationPolicy), this.clock.nowMs());
    alert.escalationStep = course.step;
    alert.escalationRound = course.round;
    alert.escalationNextAt = course.nextAtMs === null ? null : new Date(course.nextAtMs);
  }
}
