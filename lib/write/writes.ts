import type { DataSource } from 'typeorm';
import type { Call } from '../call/signing.ts';
import type { Clock } from '../clock.ts';
import { isDatabaseAway, type Transaction } from '../database.ts';
import { asFleetError, FleetError } from '../errors.ts';
import type { UserError } from '../graphql/shared.ts';
import { argumentsHash } from './canonical.ts';
import type { EntryDraft } from './entry.ts';
import { type EventDraft, insertLeavings, KEY_LIFE, type Leavings } from './rows.ts';

/** What a mutation did: told by its work, written down by the write unit. */
export interface Written<R> {
  /** JSON of ids that a repeat answers with; never a secret. */
  result: R;
  /** Shown once, never stored: a repeat has none. */
  secret?: string;
  target?: { type: string; id: string };
  before?: unknown;
  after?: unknown;
  events?: readonly EventDraft[];
  /** Entries beside the mutation's own, e.g. what it set off. */
  causes?: readonly SystemEntry[];
}

export interface WriteRequest<R> {
  call: Call;
  /** The mutation's field name. */
  action: string;
  /** The coerced input. With `dryRun` its transaction is rolled back, and its entry stays and says so. */
  args: {
    clientMutationId?: string | null | undefined;
    reason?: string | null | undefined;
    dryRun?: boolean | null | undefined;
  };
  /** Where it is aimed before it is known more exactly; `id` may be a name or empty. */
  target: { type: string; id: string };
  /** @param entryId uuid of the mutation's own entry */
  run(tx: Transaction, entryId: string): Promise<Written<R>>;
}

export interface WriteOutcome<R> {
  /** Absent when it was refused. */
  result?: R;
  secret?: string;
  userErrors: UserError[];
  /** uuid of the audit entry. */
  auditEntry: string;
  /** Whether this is the first outcome once more. */
  repeated: boolean;
}

/** Something the platform did by itself. */
export interface SystemEntry {
  /** uuid; a new one unless given. */
  id?: string | undefined;
  action: string;
  target: { type: string; id: string };
  /** SUCCEEDED unless given. */
  outcome?: EntryDraft['outcome'];
  reason?: string;
  before?: unknown;
  after?: unknown;
  /** uuid of the entry that set it off. */
  causedBy?: string | undefined;
}

interface Stored<R> {
  result?: R;
  userErrors: UserError[];
  auditEntry: string;
  hadSecret?: boolean;
}

/** Codes that are the caller's to see as `userErrors`; all others are errors of the request. */
const EXPECTED = new Set(['BAD_INPUT', 'NOT_FOUND', 'CONFLICT', 'BAD_QUERY', 'FORBIDDEN', 'IDEMPOTENCY_KEY_REUSED']);
const UNDO = Symbol('dry run');

/**
 * Runs mutations: one transaction holds the change, its idempotency record, its audit entry and its events, so that either
 * all of them are there after a crash or none.
 */
export class Writes {
  constructor(
    private readonly database: DataSource,
    private readonly clock: Clock,
  ) {}

  /**
   * @returns the outcome; expected failures are in `userErrors` and leave a FAILED (or DENIED) entry
   *   (IDEMPOTENCY_KEY_REUSED for the same key with other arguments)
   * @throws AUDIT_UNAVAILABLE when nothing can be written
   */
  async run<R>(request: WriteRequest<R>): Promise<WriteOutcome<R>> {
    const entryId = this.clock.uuid();
    try {
      return await this.#attempt(request, entryId);
    } catch (error) {
      const expected = asFleetError(error);
      if (expected && EXPECTED.has(expected.code)) return await this.#refuse(request, entryId, expected);
      if (isDatabaseAway(error)) {
        throw new FleetError('AUDIT_UNAVAILABLE', 'nothing was changed: the database is away, try again', {
          retryAfterMs: 1_000,
        });
      }
      throw error;
    }
  }

  /** Writes entries and events of the platform's own doing, in the caller's transaction. */
  async system(
    tx: Transaction,
    process: string,
    entries: readonly SystemEntry[],
    events: readonly EventDraft[] = [],
  ): Promise<string[]> {
    const drafts = entries.map((entry) => this.#systemDraft(entry.id ?? this.clock.uuid(), process, entry));
    await insertLeavings(tx, { entries: drafts, events }, this.clock.nowMs());
    return drafts.map(({ id }) => id);
  }

  /** A transaction of the platform's own; see `system`. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.database.transaction(work);
  }

  async #attempt<R>(request: WriteRequest<R>, entryId: string): Promise<WriteOutcome<R>> {
    let undone: { stored: Stored<R>; draft: EntryDraft } | undefined;
    try {
      return await this.database.transaction(async (tx) => {
        const before = await this.#claim<R>(tx, request);
        if (before) return repeat(before);
        const written = await request.run(tx, entryId);
        const stored: Stored<R> = {
          result: written.result,
          userErrors: [],
          auditEntry: entryId,
          ...(written.secret === undefined ? {} : { hadSecret: true }),
        };
        const draft = this.#draft(request, entryId, 'SUCCEEDED', written);
        if (request.args.dryRun) {
          undone = { stored, draft };
          throw UNDO;
        }
        const causes = (written.causes ?? []).map((cause) =>
          this.#systemDraft(cause.id ?? this.clock.uuid(), 'platform', {
            ...cause,
            causedBy: cause.causedBy ?? entryId,
          }),
        );
        const { events = [] } = written;
        await this.#finish(tx, request, stored, { entries: [draft, ...causes], events });
        return {
          result: written.result,
          ...(written.secret === undefined ? {} : { secret: written.secret }),
          userErrors: [],
          auditEntry: entryId,
          repeated: false,
        };
      });
    } catch (error) {
      if (error !== UNDO || !undone) throw error;
      return await this.#record(request, undone.stored, undone.draft);
    }
  }

  #refuse<R>(request: WriteRequest<R>, entryId: string, error: FleetError): Promise<WriteOutcome<R>> {
    const field = error.extensions['field'] as string[] | undefined;
    const userErrors = [{ code: error.code, message: error.message, field: field ?? null }];
    const outcome = error.code === 'FORBIDDEN' ? 'DENIED' : 'FAILED';
    const draft = this.#draft(request, entryId, outcome, { reason: `${error.code}: ${error.message}` });
    // A key that is refused itself must not be claimed again: the attempt is recorded without it.
    const aboutKey = error.code === 'IDEMPOTENCY_KEY_REUSED' || field?.includes('clientMutationId');
    const { idempotencyKey: _, ...call } = request.call;
    const recorded = aboutKey ? { ...request, call, args: { ...request.args, clientMutationId: null } } : request;
    return this.#record(recorded, { userErrors, auditEntry: entryId }, draft);
  }

  /** Writes an outcome that changed nothing, in a transaction of its own. */
  #record<R>(request: WriteRequest<R>, stored: Stored<R>, draft: EntryDraft): Promise<WriteOutcome<R>> {
    return this.database.transaction(async (tx) => {
      const before = await this.#claim<R>(tx, request);
      if (before) return repeat(before);
      await this.#finish(tx, request, stored, { entries: [draft] });
      return { ...stored, repeated: false };
    });
  }

  /** Takes the idempotency key, also one whose time is over; waits for the same key in flight. The stored outcome when there is one already. */
  async #claim<R>(tx: Transaction, { call, args, action }: WriteRequest<R>): Promise<Stored<R> | undefined> {
    const key = keyOf(call, args);
    if (key === undefined) return undefined;
    const hash = argumentsHash(args);
    const rows: unknown[] = await tx.query(
      `insert into idempotency (principal, key, action, args_hash) values ($1, $2, $3, $4)
       on conflict (principal, key, action) do update
         set args_hash = excluded.args_hash, outcome = null, created_at = excluded.created_at
         where idempotency.created_at < now() - interval '${KEY_LIFE}'
       returning key`,
      [call.principal.id, key, action, hash],
    );
    if (rows.length) return undefined;
    const [row]: { args_hash: string; outcome: Stored<R> }[] = await tx.query(
      'select args_hash, outcome from idempotency where principal = $1 and key = $2 and action = $3',
      [call.principal.id, key, action],
    );
    if (row?.args_hash !== hash) {
      throw new FleetError(
        'IDEMPOTENCY_KEY_REUSED',
        'this idempotency key was used with other arguments: take a new one',
      );
    }
    return row.outcome;
  }

  async #finish<R>(
    tx: Transaction,
    { call, args, action }: WriteRequest<R>,
    stored: Stored<R>,
    left: Pick<Leavings, 'entries' | 'events'>,
  ): Promise<void> {
    const key = keyOf(call, args);
    const outcome = key === undefined ? undefined : { principal: call.principal.id, key, action, outcome: stored };
    await insertLeavings(tx, { ...left, outcome }, this.clock.nowMs());
  }

  #draft<R>(
    { call, action, args, target }: WriteRequest<R>,
    id: string,
    outcome: EntryDraft['outcome'],
    written: Partial<Written<R>> & { reason?: string },
  ): EntryDraft {
    const { principal } = call;
    return {
      id,
      occurredAtMs: this.clock.nowMs(),
      actor: { id: principal.id, kind: principal.kind, name: principal.name },
      action,
      outcome,
      isDryRun: args.dryRun === true,
      reason: written.reason ?? args.reason ?? null,
      targetType: written.target?.type ?? target.type,
      targetId: written.target?.id ?? target.id,
      before: written.before ?? null,
      after: written.after ?? null,
      requestId: call.requestId,
      traceId: call.traceparent?.split('-')[1] ?? null,
      clientIp: call.clientIp ?? null,
      causedBy: null,
    };
  }

  #systemDraft(id: string, process: string, entry: SystemEntry): EntryDraft {
    return {
      id,
      occurredAtMs: this.clock.nowMs(),
      actor: { id: `system:${process}`, kind: 'SYSTEM', name: process },
      action: entry.action,
      outcome: entry.outcome ?? 'SUCCEEDED',
      isDryRun: false,
      reason: entry.reason ?? null,
      targetType: entry.target.type,
      targetId: entry.target.id,
      before: entry.before ?? null,
      after: entry.after ?? null,
      requestId: id,
      traceId: null,
      clientIp: null,
      causedBy: entry.causedBy ?? null,
    };
  }
}

const KEY = /^[\x21-\x7e]{1,255}$/;

function keyOf(call: Call, args: { clientMutationId?: string | null | undefined }): string | undefined {
  const key = args.clientMutationId ?? call.idempotencyKey;
  if (key === undefined) return undefined;
  if (!KEY.test(key))
    throw new FleetError('BAD_INPUT', 'an idempotency key is 1 to 255 visible ASCII characters', {
      field: ['clientMutationId'],
    });
  return key;
}

function repeat<R>(stored: Stored<R>): WriteOutcome<R> {
  const { hadSecret, ...outcome } = stored;
  const shown = {
    code: 'SECRET_ALREADY_SHOWN',
    message: 'the secret was shown once and is not kept: make a new one',
    field: null,
  };
  return { ...outcome, userErrors: hadSecret ? [...outcome.userErrors, shown] : outcome.userErrors, repeated: true };
}
