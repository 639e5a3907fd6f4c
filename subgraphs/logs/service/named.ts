import type { Call } from '../../../lib/call/signing.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { DeletedPayload } from '../../../lib/graphql/deleted-payload.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import type { DeleteByNameInput } from '../../../lib/graphql/shared.ts';
import { type PatchStep, patchOf } from '../../../lib/json-patch.ts';
import type { Writes } from '../../../lib/write/writes.ts';
import type { Named, NamedStore } from '../store/index.ts';

/** What is asked of any configuration that is applied by name. */
export interface ApplyInput {
  name: string;
  expectedVersion?: number | null;
  dryRun?: boolean | null;
  clientMutationId?: string | null;
}

/** What applying came to; `stored` is all of it as JSON, null when it was refused. */
export interface Applied<T> {
  stored: T | null;
  changes: PatchStep[];
  userErrors: DeletedPayload['userErrors'];
  auditEntry: AuditEntryReference | null;
}

export interface NamedKind<T extends Named> {
  /** Of the audit trail's target, e.g. `LogMetric`. */
  type: string;
  /** In a sentence, e.g. `log metric`. */
  what: string;
  max: number;
  store: NamedStore<T>;
  writes: Writes;
}

type Shape<T> = Omit<T, 'version'>;

/** Configuration by name: applied and deleted, each time with its entry in the trail. */
export class NamedConfiguration<T extends Named> {
  constructor(private readonly kind: NamedKind<T>) {}

  /**
   * @param wanted as it is to be, checked; `before` is what there is
   * @param then what is to happen in the same transaction, when something changed
   */
  async apply(
    call: Call,
    action: string,
    input: ApplyInput,
    wanted: (before: T | null) => Shape<T>,
    then: (tx: Transaction, after: T, before: T | null) => Promise<void> = async () => undefined,
  ): Promise<Applied<T>> {
    const { type, what, max, store, writes } = this.kind;
    const target = { type, id: input.name.slice(0, 255) };
    const { result, userErrors, auditEntry } = await writes.run<{ stored: T; changes: PatchStep[] }>({
      call,
      action,
      args: { ...input },
      target,
      run: async (tx) => {
        const before = await store.lock(tx, input.name);
        const shape = wanted(before);
        this.#checkVersion(input, before);
        if (!before && (await store.count(tx)) >= max) {
          throw new FleetError('CONFLICT', `there are ${max} ${what}s already: delete one`);
        }
        const was = before && { ...before };
        const version = before?.version ?? 0;
        const same = before !== null && patchOf(was, { ...shape, version }).length === 0;
        const stored = { ...shape, version: same ? version : version + 1 } as T;
        if (!same) {
          await store.save(tx, stored);
          await then(tx, stored, before);
        }
        const changes = patchOf(was ?? undefined, stored);
        return { result: { stored, changes }, target, before: was, after: stored, rollback: input.dryRun === true };
      },
    });
    return {
      stored: result?.stored ?? null,
      changes: result?.changes ?? [],
      userErrors,
      auditEntry: AuditEntryReference.of(auditEntry),
    };
  }

  async delete(call: Call, action: string, input: DeleteByNameInput): Promise<DeletedPayload> {
    const { type, what, store, writes } = this.kind;
    const target = { type, id: input.name.slice(0, 255) };
    const { result, userErrors, auditEntry } = await writes.run<{ name: string }>({
      call,
      action,
      args: { ...input },
      target,
      run: async (tx) => {
        const before = await store.lock(tx, input.name);
        if (!before)
          throw new FleetError('NOT_FOUND', `there is no ${what} of this name`, { field: ['input', 'name'] });
        this.#checkVersion(input, before);
        await store.remove(tx, input.name);
        return { result: { name: input.name }, target, before: { ...before }, after: null };
      },
    });
    return { name: result?.name ?? null, userErrors, auditEntry: AuditEntryReference.of(auditEntry) };
  }

  #checkVersion({ name, expectedVersion }: Omit<ApplyInput, 'dryRun'>, before: T | null): void {
    const version = before?.version ?? 0;
    if (expectedVersion == null || expectedVersion === version) return;
    throw new FleetError('CONFLICT', `${this.kind.what} ${name} has version ${version}, not ${expectedVersion}`, {
      field: ['input', 'expectedVersion'],
    });
  }
}
