import type { Principal } from '../../../lib/call/principal.ts';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import type { Actor } from '../../../lib/graphql/shared.ts';
import { uuidOf } from '../../../lib/node-id.ts';
import type { EventDraft } from '../../../lib/write/rows.ts';
import type { WriteOutcome, Writes, Written } from '../../../lib/write/writes.ts';
import {
  type ErrorGroup,
  type ErrorGroupPayload,
  ErrorGroupState,
  type ReopenErrorGroupInput,
  type ResolveErrorGroupInput,
} from '../entity/error-group.ts';
import { ErrorResolution } from '../entity/error-resolution.ts';
import type { ErrorResolutionStore, ErrorWatchStore } from '../store/index.ts';
import { ERROR_STREAM, type ErrorGroups } from './error-groups.ts';
import { snapshotOf, withResolution } from './error-snapshot.ts';

const MAX_NOTE = 2_000;
const MAX_VERSION = 256;
const MAX_RESOLUTIONS = 10_000;

interface Outcome {
  uuid: string;
}

/** Changes what is said of a group. Resolves to what is said of it then. */
type Changing = (tx: Transaction, group: ErrorGroup, before: ErrorResolution | null) => Promise<ErrorResolution | null>;

/** What people say of groups of errors: mended, or not after all. Whether it is true is read from the log. */
export class ErrorResolutions {
  constructor(
    private readonly groups: ErrorGroups,
    private readonly store: ErrorResolutionStore,
    private readonly watched: ErrorWatchStore,
    private readonly writes: Writes,
    private readonly clock: Clock,
  ) {}

  /** CONFLICT while it is resolved already; one that regressed is resolved anew. */
  async resolve(input: ResolveErrorGroupInput, call: Call): Promise<ErrorGroupPayload> {
    return await this.#change('resolveErrorGroup', input, call, async (tx, group, before) => {
      const inVersion = input.inVersion ?? null;
      if (inVersion !== null && (inVersion.trim() === '' || inVersion.length > MAX_VERSION))
        refuse('BAD_INPUT', `a version has 1 to ${MAX_VERSION} characters`, 'inVersion');
      if (group.state === ErrorGroupState.RESOLVED) refuse('CONFLICT', 'this error is resolved already', 'id');
      if (!before && (await this.store.count(tx)) >= MAX_RESOLUTIONS)
        refuse('CONFLICT', `${MAX_RESOLUTIONS} errors are resolved already: reopen those that are past`, 'id');
      const after = Object.assign(new ErrorResolution(), {
        uuid: uuidOf('ErrorGroup', group.id),
        resolvedAt: new Date(this.clock.nowMs()),
        resolvedBy: actorOf(call.principal),
        inVersion,
      });
      await this.store.save(tx, after);
      return after;
    });
  }

  /** CONFLICT when it is not resolved. */
  async reopen(input: ReopenErrorGroupInput, call: Call): Promise<ErrorGroupPayload> {
    return await this.#change('reopenErrorGroup', input, call, async (tx, group, before) => {
      if (!before) refuse('CONFLICT', 'this error is not resolved', 'id');
      await this.store.remove(tx, uuidOf('ErrorGroup', group.id));
      return null;
    });
  }

  async #change(
    action: string,
    input: ReopenErrorGroupInput,
    call: Call,
    change: Changing,
  ): Promise<ErrorGroupPayload> {
    const outcome = await this.writes.run<Outcome>({
      call,
      action,
      args: { ...input, reason: input.note },
      target: { type: 'ErrorGroup', id: input.id.slice(0, 255) },
      run: async (tx) => await this.#written(tx, input, change),
    });
    return await this.#payload(outcome);
  }

  async #written(tx: Transaction, input: ReopenErrorGroupInput, change: Changing): Promise<Written<Outcome>> {
    if ((input.note?.length ?? 0) > MAX_NOTE) refuse('BAD_INPUT', `a note has at most ${MAX_NOTE} characters`, 'note');
    const uuid = uuidOf('ErrorGroup', input.id, ['input', 'id']);
    const before = await this.store.lock(tx, uuid);
    const [group] = await this.groups.find([uuid]);
    if (!group) return refuse('NOT_FOUND', 'there is no such group of errors, or no longer', 'id');
    const { id, state, resolvedAt, resolvedInVersion } = group;
    const was = { state, ...(before ? { resolvedAt: resolvedAt?.toISOString(), inVersion: resolvedInVersion } : {}) };
    const said = await change(tx, group, before);
    const after = said
      ? { state: ErrorGroupState.RESOLVED, resolvedAt: said.resolvedAt.toISOString(), inVersion: said.inVersion }
      : { state: ErrorGroupState.UNRESOLVED };
    const events = [await this.#told(tx, uuid, group, said)];
    return { result: { uuid }, target: { type: 'ErrorGroup', id }, before: was, after, events };
  }

  /** Whoever follows groups is told what this one is now. */
  async #told(tx: Transaction, uuid: string, group: ErrorGroup, said: ErrorResolution | null): Promise<EventDraft> {
    const node = snapshotOf(
      withResolution(
        group,
        said && { resolvedAt: said.resolvedAt, resolvedBy: said.resolvedBy, resolvedInVersion: said.inVersion },
      ),
    );
    await this.watched.tell(tx, new Map([[uuid, node]]));
    return { type: ERROR_STREAM, entityId: uuid, kind: 'UPDATED', node, previous: snapshotOf(group) };
  }

  async #payload({ result, userErrors, auditEntry }: WriteOutcome<Outcome>): Promise<ErrorGroupPayload> {
    const [errorGroup = null] = result ? await this.groups.find([result.uuid]) : [];
    return { errorGroup, userErrors, auditEntry: AuditEntryReference.of(auditEntry) };
  }
}

function actorOf({ id, kind, name }: Principal): Actor {
  return { id, kind: kind as Actor['kind'], name };
}

function refuse(code: 'BAD_INPUT' | 'CONFLICT' | 'NOT_FOUND', sentence: string, field: string): never {
  throw new FleetError(code, sentence, { field: ['input', field] });
}
