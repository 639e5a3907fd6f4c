import { isIP } from 'node:net';
import type { Call } from '../../../lib/call/signing.ts';
import { FleetError } from '../../../lib/errors.ts';
import { durationMs, isoDuration } from '../../../lib/graphql/scalars.ts';
import type { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import type { Vault } from '../../../lib/vault.ts';
import { isPublicAddress } from '../../../lib/webhook/index.ts';
import { checkName, checkVersion } from '../../../lib/write/versions.ts';
import type { WriteOutcome, Writes } from '../../../lib/write/writes.ts';
import { type AuditRetentionInput, AuditSink, AuditSinkFormat, type AuditSinkInput } from '../entity/index.ts';
import type { SinkStore, StoredRetention } from '../store/index.ts';
import { isPlain, positionOf } from './sink/index.ts';

const MAX_SINKS = 32;
const MAX_TARGET = 2_048;
const [LEAST_SECRET, MAX_SECRET] = [16, 1_024];
const DAY_MS = 86_400_000;
const MAX_DAYS = 36_500;

export interface AppliedSink {
  name: string;
  changes: PatchStep[];
  /** How it would be, for a dry run. */
  preview?: Omit<AuditSink, 'sealedSecret' | 'position'>;
}

export interface AppliedRetention extends StoredRetention {
  changes: PatchStep[];
}

/** What the trail is given to and how long its bytes are kept, applied through the graph. */
export class TrailConfiguration {
  constructor(
    private readonly store: SinkStore,
    private readonly writes: Writes,
    private readonly vault: Vault,
    private readonly settings: { allowPrivate: boolean; keepForMs: number | null },
    /** Told after something was changed. */
    private readonly changed: () => void,
  ) {}

  /** What is in force: what was applied, else the setting. */
  async retention(): Promise<StoredRetention> {
    return (await this.store.retention()) ?? this.#initial();
  }

  /** Makes the sink of this name what the input says; it goes on where it is, without a secret with the one it has. */
  async applySink(call: Call, input: AuditSinkInput): Promise<WriteOutcome<AppliedSink>> {
    // The secret's mark stands in for it: a repeat with another secret is told, and nothing of it is kept.
    const args = { ...input, secret: input.secret == null ? null : this.vault.mark(input.secret) };
    const outcome = await this.writes.run<AppliedSink>({
      call,
      action: 'applyAuditSink',
      args,
      target: { type: 'AuditSink', id: input.name.slice(0, 255) },
      run: async (tx) => {
        checkName(input.name);
        const { known, count } = await this.store.lock(tx, input.name);
        checkVersion(input.expectedVersion, known?.version, `sink ${input.name}`);
        this.#checkSink(input);
        if (!known && count >= MAX_SINKS) throw new FleetError('CONFLICT', `there are ${MAX_SINKS} sinks: delete one`);
        const sink = Object.assign(new AuditSink(), {
          name: input.name,
          version: known?.version ?? 0,
          target: input.target,
          format: input.format ?? AuditSinkFormat.NDJSON,
          sealedSecret:
            input.secret == null ? (known?.sealedSecret ?? null) : this.vault.seal(input.name, input.secret),
        });
        const [before, after] = [known && shownOf(known), shownOf(sink)];
        const changes = [...patchOf(before, after), ...this.#secretChange(input, known)];
        if (changes.length) {
          sink.version += 1;
          await this.store.save(tx, sink);
        }
        const { sealedSecret: _sealed, ...preview } = sink;
        return { result: { name: sink.name, changes, ...(input.dryRun ? { preview } : {}) }, before, after };
      },
    });
    this.changed();
    return outcome;
  }

  /** Takes a sink away, and how far it came with it. */
  async deleteSink(call: Call, input: DeleteByNameInput): Promise<WriteOutcome<{ name: string }>> {
    const outcome = await this.writes.run({
      call,
      action: 'deleteAuditSink',
      args: { ...input },
      target: { type: 'AuditSink', id: input.name.slice(0, 255) },
      run: async (tx) => {
        const { known } = await this.store.lock(tx, input.name);
        if (!known)
          throw new FleetError(
            'NOT_FOUND',
            'no sink of this name was applied; one that the settings name goes with its setting',
            { field: ['name'] },
          );
        checkVersion(input.expectedVersion, known.version, `sink ${input.name}`);
        await this.store.remove(tx, input.name, positionOf(input.name));
        return { result: { name: input.name }, before: shownOf(known), after: null };
      },
    });
    this.changed();
    return outcome;
  }

  /** Says how long bytes are kept from now on; what went is gone. */
  async applyRetention(call: Call, input: AuditRetentionInput): Promise<WriteOutcome<AppliedRetention>> {
    const outcome = await this.writes.run<AppliedRetention>({
      call,
      action: 'applyAuditRetention',
      args: { ...input },
      target: { type: 'AuditRetention', id: '' },
      run: async (tx) => {
        const known = (await this.store.retention(tx)) ?? this.#initial();
        checkVersion(input.expectedVersion, known.version, 'the retention of the trail');
        const keepForMs = input.keepFor == null ? null : (durationMs(input.keepFor) ?? 0);
        if (keepForMs !== null && (keepForMs < DAY_MS || keepForMs > MAX_DAYS * DAY_MS)) {
          throw new FleetError('BAD_INPUT', `bytes are kept for 1 to ${MAX_DAYS} days, or for good`, {
            field: ['keepFor'],
          });
        }
        const [before, after] = [{ keepFor: keptFor(known.keepForMs) }, { keepFor: keptFor(keepForMs) }];
        const changes = patchOf(before, after);
        const version = known.version + (changes.length ? 1 : 0);
        if (changes.length) await this.store.saveRetention(tx, { version, keepForMs });
        return { result: { version, keepForMs, changes }, before, after };
      },
    });
    this.changed();
    return outcome;
  }

  #initial(): StoredRetention {
    return { version: 0, keepForMs: this.settings.keepForMs };
  }

  /** That a secret changed is told, its value never. */
  #secretChange({ name, secret }: AuditSinkInput, known: AuditSink | null): PatchStep[] {
    if (secret == null || !known) return [];
    if (!known.sealedSecret) return [{ op: 'add', path: '/secret' }];
    return this.vault.open(name, known.sealedSecret) === secret ? [] : [{ op: 'replace', path: '/secret' }];
  }

  #checkSink({ target, secret }: AuditSinkInput): void {
    const refuse = (message: string, field: string) => new FleetError('BAD_INPUT', message, { field: [field] });
    const { allowPrivate } = this.settings;
    const url = URL.canParse(target) ? new URL(target) : undefined;
    if (!url?.hostname || !/^(https?|syslog(\+tls)?):$/.test(url.protocol) || target.length > MAX_TARGET)
      throw refuse('a sink is https://host/path or syslog+tls://host:6514', 'target');
    if (url.username || url.password || url.search || url.hash)
      throw refuse('an address is told to whoever may see sinks: no user, password or query in it', 'target');
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const isPrivate = host === 'localhost' || host.endsWith('.localhost') || (isIP(host) && !isPublicAddress(host));
    if ((isPrivate || isPlain(url)) && !allowPrivate)
      throw refuse('a sink is a public address that is spoken to encrypted', 'target');
    if (secret == null) return;
    if (secret.length < LEAST_SECRET || secret.length > MAX_SECRET)
      throw refuse(`a secret has ${LEAST_SECRET} to ${MAX_SECRET} characters`, 'secret');
    if (!url.protocol.startsWith('http')) throw refuse('syslog signs nothing: give no secret', 'secret');
  }
}

function keptFor(ms: number | null): string | null {
  return ms === null ? null : isoDuration(ms);
}

function shownOf({ name, target, format }: AuditSink): object {
  return { name, target, format };
}
