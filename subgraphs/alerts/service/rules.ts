import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { Actor, DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import { checkName, checkVersion } from '../../../lib/write/versions.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { RuleHealth } from '../entity/enums.ts';
import type { AlertRuleInput } from '../entity/inputs.ts';
import { AlertRule, configurationOf } from '../entity/rule.ts';
import { snapshotOf } from '../entity/snapshot.ts';
import type { AlertStore } from '../store/alerts.ts';
import type { ContactStore } from '../store/contacts.ts';
import type { RuleStore } from '../store/rules.ts';
import { actorOf } from './alerts.ts';
import { readCondition } from './condition.ts';
import { nextLife } from './life.ts';
import { columnsOf, lifeOf, type Recorded, type Recorder } from './recorder.ts';

const MAX_RULES = 1_000;
const DAY_MS = 86_400_000;
const DEFAULT_EVERY_MS = 5_000;

/** What applying a rule came to. `preview` is the rule as it would be, for a dry run. */
export interface RuleResult {
  uuid: string;
  changes: PatchStep[];
  preview?: object;
}

/** Applies and deletes rules. */
export class RuleService {
  constructor(
    private readonly rules: RuleStore,
    private readonly alerts: AlertStore,
    private readonly contacts: ContactStore,
    private readonly recorder: Recorder,
    private readonly writes: Writes,
    private readonly clock: Clock,
    /** Wakes the evaluation after a commit. */
    private readonly changed: () => void,
  ) {}

  /** Makes the rule of this name what the input says; a rule that is so already stays at its version. */
  async apply(call: Call, input: AlertRuleInput): Promise<WriteOutcome<RuleResult>> {
    const outcome = await this.writes.run<RuleResult>({
      call,
      action: 'applyAlertRule',
      args: { ...input },
      target: { type: 'AlertRule', id: input.name },
      run: async (tx) => {
        checkName(input.name);
        const known = await this.rules.lock(tx, input.name);
        checkVersion(input.expectedVersion, known?.version, `rule ${input.name}`);
        if (!known && (await this.rules.count()) >= MAX_RULES)
          throw new FleetError('CONFLICT', `there are ${MAX_RULES} rules already: delete one`);
        const before = known && configurationOf(known);
        const rule = await this.#build(tx, input, known);
        const after = configurationOf(rule);
        const changes = patchOf(before, after);
        let recorded: Recorded = { events: [], entries: [] };
        if (changes.length) {
          rule.version += 1;
          await this.rules.save(tx, rule);
          if (!rule.enabled) recorded = await this.#resolveAll(tx, rule.uuid, actorOf(call.principal));
        }
        const result = { uuid: rule.uuid, changes, ...(input.dryRun ? { preview: { ...rule } } : {}) };
        const target = { type: 'AlertRule', id: rule.id };
        return {
          result,
          target,
          before,
          after,
          events: recorded.events,
          causes: recorded.entries,
        };
      },
    });
    this.changed();
    return outcome;
  }

  /** Deletes a rule; its open alerts are resolved by whoever deletes it. */
  delete(call: Call, input: DeleteByNameInput): Promise<WriteOutcome<{ name: string }>> {
    return this.writes.run<{ name: string }>({
      call,
      action: 'deleteAlertRule',
      args: { ...input },
      target: { type: 'AlertRule', id: input.name },
      run: async (tx) => {
        const rule = await this.rules.lock(tx, input.name);
        if (!rule) throw new FleetError('NOT_FOUND', `there is no rule ${input.name}`, { field: ['name'] });
        checkVersion(input.expectedVersion, rule.version, `rule ${input.name}`);
        const { events, entries } = await this.#resolveAll(tx, rule.uuid, actorOf(call.principal));
        await this.rules.delete(tx, rule.uuid);
        const target = { type: 'AlertRule', id: rule.id };
        return {
          result: { name: rule.name },
          target,
          before: configurationOf(rule),
          after: null,
          events,
          causes: entries,
        };
      },
    });
  }

  async #build(tx: Transaction, input: AlertRuleInput, known: AlertRule | null): Promise<AlertRule> {
    const now = new Date(this.clock.nowMs());
    const policy = input.escalationPolicy ?? null;
    if (policy !== null && !(await this.contacts.policyIn(tx, policy))) {
      throw new FleetError('BAD_INPUT', `there is no escalation policy ${policy}: apply it first`, {
        field: ['escalationPolicy'],
      });
    }
    return Object.assign(new AlertRule(), {
      uuid: known?.uuid ?? this.clock.uuid(),
      createdAt: known?.createdAt ?? now,
      version: known?.version ?? 0,
      lastEvaluatedAt: known?.lastEvaluatedAt ?? null,
      nextEvaluationAt: now,
      health: RuleHealth.OK,
      healthReason: null,
      name: input.name,
      severity: input.severity,
      enabled: input.enabled ?? true,
      condition: readCondition(input.condition),
      forMs: stretch(input.for, 'for', 0, 0, 7 * DAY_MS),
      keepFiringForMs: stretch(input.keepFiringFor, 'keepFiringFor', 0, 0, 7 * DAY_MS),
      everyMs: stretch(input.every, 'every', DEFAULT_EVERY_MS, 1_000, DAY_MS),
      labels: input.labels ?? {},
      annotations: input.annotations ?? {},
      escalationPolicy: policy,
    });
  }

  /** Ends what a rule opened that is evaluated no more: nothing else would. */
  async #resolveAll(tx: Transaction, ruleUuid: string, actor: Actor): Promise<Recorded> {
    const all: Recorded = { events: [], entries: [] };
    for (const alert of await this.alerts.lockOfRule(tx, ruleUuid)) {
      const before = snapshotOf(alert);
      const wasOpen = alert.resolvedAt === null;
      const [life, effects] = nextLife(lifeOf(alert), 'RESOLVED', alertRule(), this.clock.nowMs());
      Object.assign(alert, life && columnsOf(life), { held: false }, wasOpen ? { resolvedBy: actor } : {});
      const { events, entries } = await this.recorder.record(tx, before, alert, effects);
      all.events.push(...events);
      all.entries.push(...entries);
    }
    return all;
  }
}

/** Ending by hand asks no time of a rule. */
const alertRule = () => ({ forMs: 0, keepFiringForMs: 0 });

function stretch(
  text: string | null | undefined,
  field: string,
  standardMs: number,
  leastMs: number,
  mostMs: number,
): number {
  if (text == null) return standardMs;
  const ms = durationMs(text) ?? -1;
  if (ms < leastMs || ms > mostMs)
    throw new FleetError('BAD_INPUT', `\`${field}\` is ${leastMs / 1_000} s to ${mostMs / DAY_MS} days`, {
      field: [field],
    });
  return ms;
}
