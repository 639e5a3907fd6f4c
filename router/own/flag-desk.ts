import type { Call } from '../../lib/call/signing.ts';
import type { Clock } from '../../lib/clock.ts';
import { FleetError } from '../../lib/errors.ts';
import {
  FileFlags,
  FLAG_NAMES,
  FLAGS,
  type FlagName,
  type FlagRule,
  type Flags,
  FlagsEdit,
  isFlagName,
} from '../../lib/flags/index.ts';
import type { AuditTrail } from '../audit/trail.ts';
import { AuditedChanges, type Change, type ChangeOutcome } from './audited-changes.ts';

export type FlagState = 'ON' | 'OFF' | 'PARTIAL';

export interface ApplyFeatureFlagInput {
  name: string;
  state: FlagState;
  percentage?: number | null;
  clients?: string[] | null;
  reason?: string | null;
  expectedVersion?: number | null;
  dryRun?: boolean | null;
  clientMutationId?: string | null;
}

/** FeatureFlag as the schema has it. */
export type FeatureFlag = ReturnType<typeof flagRow>;

export interface FlagOutcome extends Pick<ChangeOutcome, 'auditEntry'> {
  flag: FeatureFlag | null;
  previous: FeatureFlag | null;
  userErrors: ChangeOutcome['userErrors'];
}

const MAX_CLIENTS = 1_000;
const MAX_REASON = 1_000;

/** The feature flags as everybody may see them, and as an operator may change them: audited before, in effect after. */
export class FlagDesk {
  readonly #changes: AuditedChanges;
  readonly #file: FileFlags | undefined;

  constructor(
    flags: Flags,
    trail: AuditTrail,
    private readonly clock: Clock,
  ) {
    this.#changes = new AuditedChanges(trail, clock);
    this.#file = flags instanceof FileFlags ? flags : undefined;
  }

  all(): FeatureFlag[] {
    return FLAG_NAMES.map((name) => this.#row(name, this.#file?.rules[name]));
  }

  /** @throws AUDIT_UNAVAILABLE, and nothing is changed */
  async apply(input: ApplyFeatureFlagInput, call: Call): Promise<FlagOutcome> {
    let told: Pick<FlagOutcome, 'flag' | 'previous'> = { flag: null, previous: null };
    const plan = (): Change => {
      const { before, after, name, edit } = this.#begin(input);
      told = { flag: this.#row(name, after), previous: this.#row(name, before) };
      return {
        reason: input.reason?.trim() || null,
        before: before ?? null,
        after,
        prepare: (entry) => edit.prepare(entry),
        apply: () => {
          edit.commit();
          this.#file?.reload();
        },
        discard: () => edit.discard(),
        leave: () => edit.leave(),
      };
    };
    const wish = { action: 'applyFeatureFlag', targetType: 'FeatureFlag', targetId: input.name, input, call };
    const { isDone, ...outcome } = await this.#changes.make(wish, plan);
    if (!isDone) return { ...outcome, flag: null, previous: null };
    // A repeat returns the first outcome; the flag is shown as it is now.
    const flag = (input.dryRun && told.flag) || this.#row(input.name as FlagName, this.#ruleNow(input.name));
    return { ...outcome, previous: told.previous, flag };
  }

  #begin(input: ApplyFeatureFlagInput) {
    const { name, expectedVersion } = input;
    if (!isFlagName(name)) throw new FleetError('NOT_FOUND', 'there is no such flag', { field: ['name'] });
    if (!this.#file) {
      throw new FleetError('BAD_INPUT', 'this router has no flags file: set FLEET_FLAGS_FILE', { field: ['name'] });
    }
    if ((input.reason?.length ?? 0) > MAX_REASON) throw badInput(`at most ${MAX_REASON} characters`, 'reason');
    const wanted = ruleOf(input);
    const edit = new FlagsEdit(this.#file.file, this.clock.nowMs());
    try {
      const before = edit.rules[name];
      const version = before?.version ?? 0;
      if (expectedVersion != null && expectedVersion !== version) {
        throw new FleetError(
          'CONFLICT',
          `flag ${name} is at version ${version}, not at ${expectedVersion}: read it again`,
          {
            field: ['expectedVersion'],
          },
        );
      }
      const updatedAt = new Date(this.clock.nowMs()).toISOString();
      const after: FlagRule = { ...wanted, version: version + 1, updatedAt };
      edit.set(name, after);
      return { name, before, after, edit };
    } catch (error) {
      edit.discard();
      throw error;
    }
  }

  #ruleNow(name: string): FlagRule | undefined {
    return this.#file?.rules[name as FlagName];
  }

  #row(name: FlagName, rule: FlagRule | undefined) {
    return flagRow(name, rule, this.#file?.hold);
  }
}

/** @throws BAD_INPUT */
function ruleOf({ state, percentage, clients }: ApplyFeatureFlagInput): Omit<FlagRule, 'version'> {
  const isForSome = percentage != null || (clients?.length ?? 0) > 0;
  if (state !== 'PARTIAL') {
    if (isForSome) throw badInput('percentage and clients are for state PARTIAL', 'state');
    return { state: 'ENABLED', defaultVariant: state === 'ON' ? 'on' : 'off', clients: [] };
  }
  if (!isForSome) throw badInput('PARTIAL needs a percentage or clients', 'state');
  if (percentage != null && !(percentage >= 0 && percentage <= 100)) throw badInput('0 to 100', 'percentage');
  if ((clients?.length ?? 0) > MAX_CLIENTS) throw badInput(`at most ${MAX_CLIENTS} clients`, 'clients');
  if (clients?.some((id) => !id || id.length > 256)) throw badInput('an id has 1 to 256 characters', 'clients');
  return {
    state: 'ENABLED',
    defaultVariant: 'off',
    clients: clients ?? [],
    ...(percentage == null ? {} : { percentage }),
  };
}

function badInput(message: string, field: string): FleetError {
  return new FleetError('BAD_INPUT', message, { field: [field] });
}

function flagRow(name: FlagName, rule: FlagRule | undefined, hold: FileFlags['hold']) {
  const { description, isOnByDefault, owner, since } = FLAGS[name];
  const isHeld = hold !== undefined;
  const state = isHeld ? (hold === 'all-on' ? 'ON' : 'OFF') : stateOf(rule, isOnByDefault);
  return {
    name,
    description,
    owner,
    since,
    isOnByDefault,
    state,
    percentage: rule?.percentage ?? null,
    clients: rule?.clients ?? [],
    isHeld,
    version: rule?.version ?? 0,
    updatedAt: rule?.updatedAt ? new Date(rule.updatedAt) : null,
  };
}

function stateOf(rule: FlagRule | undefined, isOnByDefault: boolean): FlagState {
  if (rule === undefined || rule.state === 'DISABLED') return isOnByDefault ? 'ON' : 'OFF';
  if (rule.defaultVariant === 'on' || rule.percentage === 100) return 'ON';
  return rule.percentage || rule.clients.length > 0 ? 'PARTIAL' : 'OFF';
}
