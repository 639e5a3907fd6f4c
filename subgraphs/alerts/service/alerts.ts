import type { Principal } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { Actor } from '../../../lib/graphql/shared.ts';
import { nodeId, uuidOf } from '../../../lib/node-id.ts';
import type { WriteOutcome, Writes, Written } from '../../../lib/write/writes.ts';
import { Alert } from '../entity/alert.ts';
import { AlertState } from '../entity/enums.ts';
import type { AlertActionInput, RaiseAlertInput } from '../entity/inputs.ts';
import { snapshotOf } from '../entity/snapshot.ts';
import type { AlertStore } from '../store/alerts.ts';
import { fingerprintOf } from './fingerprint.ts';
import { nextLife } from './life.ts';
import { columnsOf, lifeOf, type Recorder } from './recorder.ts';

const MAX_NAME = 256;
const MAX_NOTE = 2_000;
/** An alert that a caller raised fires at once and ends only when a caller says so. */
const BY_HAND = { forMs: 0, keepFiringForMs: 0 };
const TRACE = /^[0-9a-f]{32}$/;

/** Id of the alert that a mutation was about. */
export interface AlertResult {
  uuid: string;
}

/** Who a principal is, as alerts keep it. */
export function actorOf({ id, kind, name }: Principal): Actor {
  return { id, kind: kind as Actor['kind'], name };
}

/** What callers do with alerts. */
export class AlertService {
  constructor(
    private readonly alerts: AlertStore,
    private readonly recorder: Recorder,
    private readonly writes: Writes,
    private readonly clock: Clock,
    /** Wakes the escalation after a commit. */
    private readonly fired: () => void,
  ) {}

  /** Raises an alert that fires at once; a repeat by `dedupKey` finds the open one and changes nothing. */
  async raise(call: Call, input: RaiseAlertInput): Promise<WriteOutcome<AlertResult>> {
    const target = { type: 'Alert', id: '' };
    const outcome = await this.writes.run<AlertResult>({
      call,
      action: 'raiseAlert',
      args: input,
      target,
      run: (tx, entryId) => this.#raise(tx, call.principal, input, entryId),
    });
    this.fired();
    return outcome;
  }

  /** Takes an alert on: its escalation stops. Whoever does so again takes it over. CONFLICT once it is resolved. */
  acknowledge(call: Call, input: AlertActionInput): Promise<WriteOutcome<AlertResult>> {
    return this.#act(call, 'acknowledgeAlert', input, async (tx, alert) => {
      const before = snapshotOf(alert);
      const by = actorOf(call.principal);
      const note = input.note ?? null;
      const same = alert.acknowledgement?.by.id === by.id && alert.acknowledgement.note === note;
      if (!same) alert.acknowledgement = { at: new Date(this.clock.nowMs()).toISOString(), by, until: null, note };
      return await this.#written(tx, before, alert, []);
    });
  }

  /** Ends an alert. One of a rule opens anew only after its condition was clear once. CONFLICT when it has ended already. */
  resolve(call: Call, input: AlertActionInput): Promise<WriteOutcome<AlertResult>> {
    return this.#act(call, 'resolveAlert', input, async (tx, alert) => {
      const before = snapshotOf(alert);
      const [life, effects] = nextLife(lifeOf(alert), 'RESOLVED', BY_HAND, this.clock.nowMs());
      if (life) Object.assign(alert, columnsOf(life));
      if (!alert.ruleUuid) alert.held = false;
      alert.resolvedBy = actorOf(call.principal);
      return await this.#written(tx, before, alert, effects);
    });
  }

  #act(
    call: Call,
    action: string,
    input: AlertActionInput,
    change: (tx: Transaction, alert: Alert) => Promise<Written<AlertResult>>,
  ): Promise<WriteOutcome<AlertResult>> {
    return this.writes.run<AlertResult>({
      call,
      action,
      args: { ...input, reason: input.note },
      target: { type: 'Alert', id: input.id },
      run: async (tx) => {
        if ((input.note?.length ?? 0) > MAX_NOTE)
          throw new FleetError('BAD_INPUT', `a note has at most ${MAX_NOTE} characters`, { field: ['note'] });
        const alert = await this.alerts.lock(tx, uuidOf('Alert', input.id));
        if (!alert) throw new FleetError('NOT_FOUND', 'there is no such alert', { field: ['id'] });
        if (alert.state === AlertState.RESOLVED)
          throw new FleetError('CONFLICT', 'this alert is resolved already', { field: ['id'] });
        return await change(tx, alert);
      },
    });
  }

  async #raise(
    tx: Transaction,
    principal: Principal,
    input: RaiseAlertInput,
    entryId: string,
  ): Promise<Written<AlertResult>> {
    const agentId = checkRaise(principal, input);
    const uuid = this.clock.uuid();
    const fingerprint = input.dedupKey == null ? fingerprintOf('alert', uuid) : fingerprintOf('dedup', input.dedupKey);
    const open = await this.alerts.lockOpen(tx, fingerprint);
    if (open)
      return {
        result: { uuid: open.uuid },
        target: { type: 'Alert', id: open.id },
        before: snapshotOf(open),
        after: snapshotOf(open),
      };
    const [life, effects] = nextLife(undefined, 'RAISED', BY_HAND, this.clock.nowMs());
    const alert = Object.assign(blankAlert(), life && columnsOf(life), {
      uuid,
      fingerprint,
      name: input.name,
      severity: input.severity,
      labels: input.labels ?? {},
      annotations: input.annotations ?? {},
      value: input.value ?? null,
      agentId,
      summary: `${principal.name} raised ${input.name}${input.value == null ? '' : ` at ${input.value}`}.`,
      samples: input.value == null ? [] : [{ time: new Date(this.clock.nowMs()).toISOString(), value: input.value }],
    });
    alert.traceId = traceOf(alert);
    alert.firedEntry = entryId;
    return await this.#written(tx, undefined, alert, effects);
  }

  async #written(
    tx: Transaction,
    before: ReturnType<typeof snapshotOf> | undefined,
    alert: Alert,
    effects: Parameters<Recorder['record']>[3],
  ): Promise<Written<AlertResult>> {
    // The mutation's own entry says what a system entry would.
    const { events } = await this.recorder.record(tx, before, alert, effects);
    return {
      result: { uuid: alert.uuid },
      target: { type: 'Alert', id: alert.id },
      before,
      after: snapshotOf(alert),
      events,
    };
  }
}

/** An alert that nothing is known of yet. */
export function blankAlert(): Alert {
  return Object.assign(new Alert(), {
    acknowledgement: null,
    value: null,
    resolvedBy: null,
    agentId: null,
    traceId: null,
    ruleUuid: null,
    ruleName: null,
    ruleVersion: null,
    threshold: null,
    escalationPolicy: null,
    escalationStep: 0,
    escalationRound: 0,
    escalationNextAt: null,
    firedEntry: null,
  });
}

/** The trace that an alert names in a label or annotation `traceId`. */
export function traceOf({ labels, annotations }: Pick<Alert, 'labels' | 'annotations'>): string | null {
  const named = labels['traceId'] ?? annotations['traceId'] ?? '';
  return TRACE.test(named) ? named : null;
}

function checkRaise(principal: Principal, { name, agentId, dedupKey }: RaiseAlertInput): string | null {
  if (!name.trim() || name.length > MAX_NAME)
    throw new FleetError('BAD_INPUT', `a name has 1 to ${MAX_NAME} characters`, { field: ['name'] });
  if (dedupKey != null && (!dedupKey || dedupKey.length > MAX_NAME)) {
    throw new FleetError('BAD_INPUT', `a dedupKey has 1 to ${MAX_NAME} characters`, { field: ['dedupKey'] });
  }
  const own = principal.agentId ?? null;
  if (agentId == null) return own;
  const id = nodeId('Agent', uuidOf('Agent', agentId, ['agentId']));
  if (own && id !== own)
    throw new FleetError('FORBIDDEN', 'an agent raises alerts about itself only', { field: ['agentId'] });
  return id;
}
