import type { Call } from '../../../lib/call/signing.ts';
import { FleetError } from '../../../lib/errors.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import { checkName, checkVersion } from '../../../lib/write/versions.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { configurationOf, RecoveryMode, RecoveryPolicy, type RecoveryStep } from '../entity/recovery.ts';
import type { PolicyStore } from '../store/policies.ts';
import { DEFAULT_POLICY, inOrder, policyFor } from './policy.ts';

/** A policy as callers write it; what is left out is as in the built-in default. */
export interface PolicyDraft {
  name: string;
  mode?: RecoveryMode | null | undefined;
  priority?: number | null | undefined;
  kinds?: readonly string[] | null | undefined;
  labels?: Record<string, string> | null | undefined;
  steps: readonly RecoveryStep[];
  criticalBeats?: number | null | undefined;
  degradedBeats?: number | null | undefined;
  window?: string | null | undefined;
  rest?: string | null | undefined;
  maxRest?: string | null | undefined;
  jitter?: number | null | undefined;
  coolDown?: string | null | undefined;
  maxShare?: number | null | undefined;
  expectedVersion?: number | null | undefined;
  dryRun?: boolean | null | undefined;
  clientMutationId?: string | null | undefined;
}

/** What applying came to. `preview` is how it would be, for a dry run. */
export interface PolicyResult {
  name: string;
  changes: PatchStep[];
  preview?: object;
}

const MAX_POLICIES = 200;
const MAX_STEPS = 16;
const MAX_ATTEMPTS = 20;
const DAY_MS = 86_400_000;

/** Recovery policies: applied, deleted, and in memory for those that ask at every look. */
export class RecoveryPolicies {
  #ordered: readonly RecoveryPolicy[] = [DEFAULT_POLICY];

  constructor(
    private readonly policies: PolicyStore,
    private readonly writes: Writes,
  ) {}

  /** Reads them anew: another process of this house may have changed them. */
  async refresh(): Promise<void> {
    this.#ordered = inOrder(await this.policies.all());
  }

  /** All, in the order in which the first that matches holds. */
  async list(): Promise<readonly RecoveryPolicy[]> {
    await this.refresh();
    return this.#ordered;
  }

  /** The policy for an agent, as of the last refresh. */
  for(agent: { kind: string; labels: Readonly<Record<string, string>> }): RecoveryPolicy {
    return policyFor(this.#ordered, agent);
  }

  find(name: string): Promise<RecoveryPolicy | null> {
    return this.policies.find(name);
  }

  /** Makes the policy of this name what the draft says; one that is so already stays at its version. */
  async apply(call: Call, draft: PolicyDraft): Promise<WriteOutcome<PolicyResult>> {
    const outcome = await this.writes.run<PolicyResult>({
      call,
      action: 'applyRecoveryPolicy',
      args: { ...draft },
      target: { type: 'RecoveryPolicy', id: draft.name },
      run: async (tx) => {
        checkName(draft.name);
        const known = await this.policies.lock(tx, draft.name);
        checkVersion(draft.expectedVersion, known?.version, `recovery policy ${draft.name}`);
        if (!known && (await this.policies.count(tx)) >= MAX_POLICIES)
          throw new FleetError('CONFLICT', `there are ${MAX_POLICIES} recovery policies already: delete one`);
        const policy = built(draft, known?.version ?? 0);
        const [before, after] = [known && configurationOf(known), configurationOf(policy)];
        const changes = patchOf(before, after);
        if (changes.length) {
          policy.version += 1;
          await this.policies.save(tx, policy);
        }
        const result = { name: policy.name, changes, ...(draft.dryRun ? { preview: { ...policy } } : {}) };
        return { result, before, after };
      },
    });
    await this.refresh();
    return outcome;
  }

  /** Deletes a policy; the others are for its agents then. */
  async delete(call: Call, input: DeleteByNameInput): Promise<WriteOutcome<{ name: string }>> {
    const outcome = await this.writes.run<{ name: string }>({
      call,
      action: 'deleteRecoveryPolicy',
      args: { ...input },
      target: { type: 'RecoveryPolicy', id: input.name },
      run: async (tx) => {
        const known = await this.policies.lock(tx, input.name);
        if (!known) throw new FleetError('NOT_FOUND', `there is no policy ${input.name}`, { field: ['name'] });
        checkVersion(input.expectedVersion, known.version, `recovery policy ${input.name}`);
        await this.policies.delete(tx, known.name);
        return { result: { name: known.name }, before: configurationOf(known), after: null };
      },
    });
    await this.refresh();
    return outcome;
  }
}

function refuse(sentence: string, ...field: string[]): never {
  throw new FleetError('BAD_INPUT', sentence, { field });
}

function built(draft: PolicyDraft, version: number): RecoveryPolicy {
  const policy = Object.assign(new RecoveryPolicy(), {
    name: draft.name,
    version,
    mode: draft.mode ?? RecoveryMode.ACT,
    priority: draft.priority ?? 0,
    kinds: [...new Set(draft.kinds ?? [])],
    labels: draft.labels ?? {},
    steps: draft.steps.map((step, at) => checkedStep(step, at)),
    criticalBeats: within('criticalBeats', draft.criticalBeats, DEFAULT_POLICY.criticalBeats, 1, 1_000),
    degradedBeats: within('degradedBeats', draft.degradedBeats, DEFAULT_POLICY.degradedBeats, 1, 10_000),
    windowMs: stretch('window', draft.window, DEFAULT_POLICY.windowMs, 1_000),
    restMs: stretch('rest', draft.rest, DEFAULT_POLICY.restMs, 0),
    maxRestMs: stretch('maxRest', draft.maxRest, DEFAULT_POLICY.maxRestMs, 0),
    jitter: within('jitter', draft.jitter, DEFAULT_POLICY.jitter, 0, 1),
    coolDownMs: stretch('coolDown', draft.coolDown, DEFAULT_POLICY.coolDownMs, 0),
    maxShare: within('maxShare', draft.maxShare, DEFAULT_POLICY.maxShare, 0.001, 1),
  });
  if (!policy.steps.length || policy.steps.length > MAX_STEPS) refuse(`a ladder has 1 to ${MAX_STEPS} steps`, 'steps');
  if (policy.kinds.length > 64 || policy.kinds.some((kind) => !kind || kind.length > 64))
    refuse('at most 64 kinds of 1 to 64 characters', 'kinds');
  if (policy.maxRestMs < policy.restMs) refuse('`maxRest` is not shorter than `rest`', 'maxRest');
  return policy;
}

function checkedStep({ action, attempts, on }: RecoveryStep, at: number): RecoveryStep {
  if (attempts < 1 || attempts > MAX_ATTEMPTS)
    refuse(`a step has 1 to ${MAX_ATTEMPTS} attempts`, 'steps', String(at), 'attempts');
  if (!on.length) refuse('a step says against which troubles it is', 'steps', String(at), 'on');
  return { action, attempts, on: [...new Set(on)] };
}

function within(
  field: string,
  given: number | null | undefined,
  standard: number,
  least: number,
  most: number,
): number {
  const value = given ?? standard;
  if (!(value >= least && value <= most)) refuse(`\`${field}\` is ${least} to ${most}`, field);
  return value;
}

function stretch(field: string, text: string | null | undefined, standardMs: number, leastMs: number): number {
  const ms = text == null ? standardMs : (durationMs(text) ?? -1);
  if (ms < leastMs || ms > DAY_MS) refuse(`\`${field}\` is ${leastMs / 1_000} s to 1 day`, field);
  return ms;
}
