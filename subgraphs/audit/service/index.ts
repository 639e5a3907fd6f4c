import { type Clock, uuidMs } from '../../../lib/clock.ts';
import type { CursorSealer } from '../../../lib/cursor.ts';
import { FleetError } from '../../../lib/errors.ts';
import type { ChangeSubscription, EventStream } from '../../../lib/events/stream.ts';
import { durationMs } from '../../../lib/graphql/scalars.ts';
import type { Log } from '../../../lib/log.ts';
import { type Page, type PageArgs, pageOf, readPage } from '../../../lib/page.ts';
import type { EntryDraft } from '../../../lib/write/entry.ts';
import type { Alert, AuditEntry, AuditFilter, AuditProof, NewestEntriesArgs } from '../entity/index.ts';
import {
  type Criteria,
  type EntryFacts,
  type EntryStore,
  keyOf,
  type PageQuery,
  type TreeStore,
} from '../store/index.ts';
import type { Arrivals } from './arrivals.ts';
import { criteriaOf, matcherOf } from './filter.ts';
import { entryOfDraft } from './leaf.ts';
import type { MerkleLog } from './merkle-log.ts';

/** How long a reader waits for an entry, or for its place in the tree. */
const WAIT_MS = 2_000;
/** An entry younger than this may still be with the relay of its house. */
const ON_ITS_WAY_MS = 60_000;
const LIST = 'audit';
/** What the platform merely saw: no change that could be the cause of something. */
const OBSERVATIONS = ['agent.state.changed', 'agent.presence.changed'];

/** What the service is made of. */
export interface AuditRooms {
  entries: EntryStore;
  trees: TreeStore;
  log: MerkleLog;
  arrivals: Arrivals;
  stream: EventStream;
  cursors: CursorSealer;
  clock: Clock;
  notes: Log;
  redactionKey: Buffer;
}

/** The audit trail's rules. */
export class AuditService {
  constructor(private readonly rooms: AuditRooms) {}

  /** Stores a batch; durable when it resolves. Entries that are there already stay as they are. */
  async append(drafts: readonly EntryDraft[]): Promise<void> {
    const entries = drafts.map((draft) => entryOfDraft(draft, this.rooms.redactionKey));
    const fresh = new Set(await this.rooms.entries.insert(entries));
    const known = new Map(entries.filter(({ uuid }) => !fresh.has(uuid)).map((entry) => [entry.uuid, entry]));
    if (!known.size) return;
    for (const { uuid, leafHash } of await this.rooms.entries.byIds([...known.keys()])) {
      if (!known.get(uuid)?.leafHash.equals(leafHash)) this.rooms.notes.error('audit.entry.differs', { entry: uuid });
    }
  }

  /**
   * Entries by uuid, in this order. One that may still be on its way is waited for.
   * @returns null for one that does not exist, AUDIT_PENDING for one that did not come in time
   */
  async find(uuids: readonly string[]): Promise<(AuditEntry | null | FleetError)[]> {
    const { entries, arrivals, clock } = this.rooms;
    const found = new Map((await entries.byIds(uuids)).map((entry) => [entry.uuid, entry]));
    const coming = uuids.filter((uuid) => !found.has(uuid) && mayBeOnItsWay(uuid, clock.nowMs()));
    if (coming.length) {
      await arrivals.wait(coming, 'stored', WAIT_MS);
      for (const entry of await entries.byIds(coming)) found.set(entry.uuid, entry);
    }
    return uuids.map(
      (uuid) => found.get(uuid) ?? (coming.includes(uuid) ? pending('the entry has not arrived yet') : null),
    );
  }

  /** Proofs of entries, in this order; AUDIT_PENDING for one that did not get its place in time. */
  async prove(entries: readonly AuditEntry[]): Promise<(AuditProof | FleetError)[]> {
    const waiting = entries.filter(({ position }) => position === null).map(({ uuid }) => uuid);
    await this.rooms.arrivals.wait(waiting, 'placed', WAIT_MS);
    const found = waiting.length ? await this.rooms.entries.progress(waiting) : [];
    const positions = new Map(found.map(({ uuid, position }) => [uuid, position]));
    const placed = entries.flatMap(({ uuid, leaf, leafHash, position }) => {
      const at = position ?? positions.get(uuid);
      return at ? [{ uuid, leaf, leafHash, leafIndex: Number(at) - 1 }] : [];
    });
    const proofs = placed.length ? await this.rooms.log.prove(placed) : [];
    const byId = new Map(placed.map(({ uuid }, i) => [uuid, proofs[i]]));
    return entries.map(({ uuid }) => byId.get(uuid) ?? pending('the entry is not in the tree yet'));
  }

  /** A page of entries, newest first. @throws BAD_INPUT, BAD_QUERY, BAD_CURSOR */
  async page(args: PageArgs & { filter?: AuditFilter | null }): Promise<Page<AuditEntry>> {
    const [query, changeCursor] = await this.#query(args);
    return this.#pageOf(await this.rooms.entries.page(query), query, changeCursor);
  }

  /** The same page of the entries about each target, by its id. @throws BAD_INPUT, BAD_QUERY, BAD_CURSOR */
  async pagesOfTargets(targetIds: readonly string[], args: NewestEntriesArgs): Promise<Page<AuditEntry>[]> {
    const [query, changeCursor] = await this.#query(args);
    const pages = await this.rooms.entries.pagesOfTargets(targetIds, query);
    return pages.map((rows, i) => this.#pageOf(rows, forTarget(query, targetIds[i] as string), changeCursor));
  }

  /**
   * What was changed on an alert's agent within a time before the alert started, newest first: what succeeded and changed
   * something, by whomever. Observations (a state, a presence) are no changes and are left out. Nothing without an agent.
   */
  async preceding(alert: Alert, within: string, first: number): Promise<Page<AuditEntry>> {
    const criteria: Criteria = {
      targetIds: alert.agent ? [alert.agent.id] : [],
      outcomes: ['SUCCEEDED'],
      withoutDryRuns: true,
      withoutActions: OBSERVATIONS,
      from: new Date(alert.startedAt.getTime() - (durationMs(within) as number)),
      to: new Date(alert.startedAt.getTime() + 1),
    };
    const [query, changeCursor] = await this.#query({ first }, criteria);
    return this.#pageOf(await this.rooms.entries.page(query), query, changeCursor);
  }

  /** Entries as they get their places. @throws BAD_INPUT, BAD_QUERY, BAD_CURSOR, RESUME_GAP */
  appended(filter: AuditFilter | null | undefined, after: string | null | undefined): Promise<ChangeSubscription> {
    const isWanted = matcherOf(criteriaOf(filter, this.rooms.clock.nowMs()));
    return this.rooms.stream.subscribe({
      type: 'AuditEntry',
      after,
      matches: (node) => isWanted(node as unknown as EntryFacts),
    });
  }

  async #query(args: PageArgs & { filter?: AuditFilter | null }, criteria?: Criteria): Promise<[PageQuery, string]> {
    const { cursors, clock, trees } = this.rooms;
    const page = readPage(args, cursors, LIST);
    const { epoch, size } = (await trees.state()) ?? { epoch: '', size: 0 };
    const query = { criteria: criteria ?? criteriaOf(args.filter, clock.nowMs()), page, upTo: size };
    return [query, cursors.seal('change:AuditEntry', [epoch, size])];
  }

  #pageOf(rows: readonly AuditEntry[], { criteria, page, upTo }: PageQuery, changeCursor: string): Page<AuditEntry> {
    const connection = pageOf(rows, page, this.rooms.cursors, LIST, keyOf);
    return { ...connection, changeCursor, totalCount: () => this.rooms.entries.count(criteria, upTo) };
  }
}

/** The query of one target's page: its filter may name targets of its own. */
function forTarget(query: PageQuery, targetId: string): PageQuery {
  const { targetIds } = query.criteria;
  return {
    ...query,
    criteria: { ...query.criteria, targetIds: !targetIds || targetIds.includes(targetId) ? [targetId] : [] },
  };
}

function pending(sentence: string): FleetError {
  return new FleetError('AUDIT_PENDING', `${sentence}: ask again`, { retryAfterMs: 500 });
}

/** Whether an entry of this id may still come: an id of version 7 begins with its time. */
export function mayBeOnItsWay(uuid: string, nowMs: number): boolean {
  const bornMs = uuidMs(uuid);
  return bornMs !== undefined && Math.abs(nowMs - bornMs) < ON_ITS_WAY_MS;
}
