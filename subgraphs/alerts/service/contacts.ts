import { isIP } from 'node:net';
import type { Call } from '../../../lib/call/signing.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { durationMs, isoDuration } from '../../../lib/graphql/scalars.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import type { Vault } from '../../../lib/vault.ts';
import { isPublicAddress } from '../../../lib/webhook/index.ts';
import { checkName, checkVersion } from '../../../lib/write/versions.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { ContactPoint, EscalationPolicy } from '../entity/contact.ts';
import { ContactPointKind } from '../entity/enums.ts';
import type { ContactPointInput, EscalationPolicyInput } from '../entity/inputs.ts';
import type { ContactStore } from '../store/contacts.ts';

const MAX_STEPS = 20;
const MAX_REPEAT = 10;
const MAX_PAUSE_MS = 7 * 86_400_000;
const MAX_SECRET = 1_024;

/** What applying came to. `preview` is how it would be, for a dry run. */
export interface ApplyResult {
  name: string;
  changes: PatchStep[];
  preview?: object;
}

function refuse(message: string, ...field: string[]): never {
  throw new FleetError('BAD_INPUT', message, { field });
}

/** Applies escalation policies and contact points. */
export class ContactService {
  constructor(
    private readonly contacts: ContactStore,
    private readonly writes: Writes,
    private readonly vault: Vault,
    /** Whether targets may be private or loopback. */
    private readonly allowPrivate: boolean,
  ) {}

  /** Makes the policy of this name what the input says; alerts under way go on at their step. */
  applyPolicy(call: Call, input: EscalationPolicyInput): Promise<WriteOutcome<ApplyResult>> {
    return this.writes.run<ApplyResult>({
      call,
      action: 'applyEscalationPolicy',
      args: { ...input },
      target: { type: 'EscalationPolicy', id: input.name },
      run: async (tx) => {
        checkName(input.name);
        const known = await this.contacts.lockPolicy(tx, input.name);
        checkVersion(input.expectedVersion, known?.version, `escalation policy ${input.name}`);
        await this.#checkSteps(tx, input);
        const policy = Object.assign(new EscalationPolicy(), {
          name: input.name,
          version: known?.version ?? 0,
          steps: input.steps.map(({ after, contactPoints }) => ({
            afterMs: durationMs(after) ?? 0,
            contactPoints: [...new Set(contactPoints)],
          })),
          repeat: input.repeat ?? 0,
        });
        const [before, after] = [known && policyOf(known), policyOf(policy)];
        const changes = patchOf(before, after);
        if (changes.length) {
          policy.version += 1;
          await this.contacts.savePolicy(tx, policy);
        }
        const result = { name: policy.name, changes, ...(input.dryRun ? { preview: { ...policy } } : {}) };
        return { result, before, after };
      },
    });
  }

  /** Makes the contact point of this name what the input says; without a secret it keeps the one it has. */
  applyContactPoint(call: Call, input: ContactPointInput): Promise<WriteOutcome<ApplyResult>> {
    // The secret's mark stands in for it: a repeat with another secret is told, and nothing of it is kept.
    const args = { ...input, secret: input.secret == null ? null : this.vault.mark(input.secret) };
    return this.writes.run<ApplyResult>({
      call,
      action: 'applyContactPoint',
      args,
      target: { type: 'ContactPoint', id: input.name },
      run: async (tx) => {
        checkName(input.name);
        const known = await this.contacts.lockContactPoint(tx, input.name);
        checkVersion(input.expectedVersion, known?.version, `contact point ${input.name}`);
        this.#checkTarget(input, known);
        const point = Object.assign(new ContactPoint(), {
          name: input.name,
          kind: input.kind,
          target: input.target,
          version: known?.version ?? 0,
          sealedSecret:
            input.secret == null ? (known?.sealedSecret ?? null) : this.vault.seal(input.name, input.secret),
        });
        const [before, after] = [known && contactOf(known), contactOf(point)];
        const changes = [...patchOf(before, after), ...this.#secretChange(input, known)];
        if (changes.length) {
          point.version += 1;
          await this.contacts.saveContactPoint(tx, point);
        }
        const { sealedSecret: _sealed, ...preview } = point;
        const result = { name: point.name, changes, ...(input.dryRun ? { preview } : {}) };
        return { result, before, after };
      },
    });
  }

  /** That a secret changed is told, its value never. */
  #secretChange({ name, secret }: ContactPointInput, known: ContactPoint | null): PatchStep[] {
    if (secret == null || !known) return [];
    if (!known.sealedSecret) return [{ op: 'add', path: '/secret' }];
    return this.vault.open(name, known.sealedSecret) === secret ? [] : [{ op: 'replace', path: '/secret' }];
  }

  async #checkSteps(tx: Transaction, { steps, repeat }: EscalationPolicyInput): Promise<void> {
    if (steps.length > MAX_STEPS) refuse(`a policy has at most ${MAX_STEPS} steps`, 'steps');
    if ((repeat ?? 0) < 0 || (repeat ?? 0) > MAX_REPEAT) refuse(`a policy repeats 0 to ${MAX_REPEAT} times`, 'repeat');
    for (const [index, { after, contactPoints }] of steps.entries()) {
      if ((durationMs(after) ?? 0) > MAX_PAUSE_MS) refuse('a pause is at most 7 days', 'steps', String(index), 'after');
      if (contactPoints.length > MAX_STEPS)
        refuse(`a step has at most ${MAX_STEPS} contact points`, 'steps', String(index), 'contactPoints');
      const known = new Set((await this.contacts.contactPointsIn(tx, contactPoints)).map(({ name }) => name));
      const missing = contactPoints.find((name) => !known.has(name));
      if (missing !== undefined)
        refuse(`there is no contact point ${missing}: apply it first`, 'steps', String(index), 'contactPoints');
    }
  }

  #checkTarget({ kind, target, secret }: ContactPointInput, known: ContactPoint | null): void {
    if (kind === ContactPointKind.EMAIL) refuse('email is not offered yet: use a webhook, Slack or PagerDuty', 'kind');
    const url = URL.canParse(target) ? new URL(target) : undefined;
    if (!url || !/^https?:$/.test(url.protocol) || target.length > 2_048)
      refuse('a target is an http or https address', 'target');
    if (url.username || url.password) refuse('a target carries no user or password', 'target');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isPrivate =
      host === 'localhost' || host.endsWith('.localhost') || (isIP(host) !== 0 && !isPublicAddress(host));
    if (isPrivate && !this.allowPrivate) refuse('a target is a public address', 'target');
    if (secret != null && (!secret || secret.length > MAX_SECRET))
      refuse(`a secret has 1 to ${MAX_SECRET} characters`, 'secret');
    if (kind === ContactPointKind.SLACK && secret != null)
      refuse('Slack’s address is all it needs: give no secret', 'secret');
    if (kind === ContactPointKind.PAGERDUTY && secret == null && !(known?.kind === kind && known.sealedSecret)) {
      refuse('PagerDuty needs its routing key as secret', 'secret');
    }
  }
}

function policyOf({ name, steps, repeat }: EscalationPolicy): object {
  return {
    name,
    steps: steps.map(({ afterMs, contactPoints }) => ({ after: isoDuration(afterMs), contactPoints })),
    repeat,
  };
}

function contactOf({ name, kind, target }: ContactPoint): object {
  return { name, kind, target };
}
