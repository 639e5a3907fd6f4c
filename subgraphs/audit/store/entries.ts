import { type DataSource, In } from 'typeorm';
import type { Transaction } from '../../../lib/database.ts';
import type { StreamedEvent } from '../../../lib/events/stream.ts';
import type { PageRequest } from '../../../lib/page.ts';
import { AuditEntry } from '../entity/index.ts';
import { type Bind, binder, type Criteria, conditionsOf } from './criteria.ts';

/** What an entry of the configuration is about. Their bytes are what later starts are compared with. */
export const CONFIGURATION_TYPES = ['Settings', 'FeatureFlag'] as const;
/** Notification that entries without a position were committed. */
export const ARRIVED = 'fleet_entry_arrived';
/** Notification that entries got their positions and are in the tree. */
export const PLACED = 'fleet_entry_placed';

/** An entry as it is first written. */
export type NewEntry = Omit<AuditEntry, 'id' | 'position'> & { words: string };

/** Which entries a page is of, as of which position. */
export interface PageQuery {
  criteria: Criteria;
  page: PageRequest;
  /** Entries above this position are not yet in the page: the change stream tells them. */
  upTo: number;
}

const FACTS = {
  uuid: 'id',
  position: 'position',
  occurredAt: 'occurred_at',
  actorId: 'actor_id',
  actorKind: 'actor_kind',
  actorName: 'actor_name',
  action: 'action',
  outcome: 'outcome',
  isDryRun: 'is_dry_run',
  reason: 'reason',
  targetType: 'target_type',
  targetId: 'target_id',
  requestId: 'request_id',
  traceId: 'trace_id',
  clientIp: 'client_ip',
  causedBy: 'caused_by',
  changed: 'changed',
} as const;

const listed = (columns: Record<string, string>) =>
  Object.entries(columns)
    .map(([name, column]) => `e.${column} as "${name}"`)
    .join(', ');
const FACT_COLUMNS = listed(FACTS);
const COLUMNS = listed({ ...FACTS, leaf: 'leaf', leafHash: 'leaf_hash' });

/** What a filter of a stream looks at. */
export type EntryFacts = Pick<AuditEntry, Exclude<keyof typeof FACTS, 'position'>>;

function entryOf(row: object): AuditEntry {
  return Object.assign(new AuditEntry(), row);
}

/** The entries. */
export class EntryStore {
  constructor(private readonly database: DataSource) {}

  /** Writes those that are not there yet, in this order; durable when it resolves. @returns ids of those that were new */
  insert(entries: readonly NewEntry[]): Promise<string[]> {
    return this.database.transaction((tx) => insertInto(tx, entries));
  }

  /** The same in a transaction under way. */
  insertIn(tx: Transaction, entries: readonly NewEntry[]): Promise<string[]> {
    return insertInto(tx, entries);
  }

  /**
   * Writes what is to be said in view of the newest entry about each target that succeeded and was no dry run. One process at a
   * time, so that two that see the same say it once.
   * @param targetTypes @param targetIds of each target, side by side
   */
  insertInView(
    targetTypes: readonly string[],
    targetIds: readonly string[],
    say: (newest: readonly AuditEntry[]) => NewEntry[],
  ): Promise<string[]> {
    return this.database.transaction(async (tx) => {
      await tx.query(`select pg_advisory_xact_lock(hashtext(current_schema()), hashtext('in view'))`);
      const rows: object[] = await tx.query(
        `select newest.* from unnest($1::text[], $2::text[]) as t(type, id)
          cross join lateral (
            select ${COLUMNS} from entry e
             where e.target_id = t.id and e.target_type = t.type and e.outcome = 'SUCCEEDED' and not e.is_dry_run
             order by e.seq desc limit 1) newest`,
        [targetTypes, targetIds],
      );
      const entries = say(rows.map(entryOf));
      return entries.length ? await insertInto(tx, entries) : [];
    });
  }

  byIds(uuids: readonly string[]): Promise<AuditEntry[]> {
    return this.database.getRepository(AuditEntry).findBy({ uuid: In([...uuids]) });
  }

  /** Those of the ids that are stored, with their position when they have one. */
  async progress(uuids: readonly string[]): Promise<{ uuid: string; position: string | null }[]> {
    return await this.database.query('select id as uuid, position from entry where id = any($1::uuid[])', [uuids]);
  }

  /** Newest first; one more than the page holds, when there is one. */
  async page(query: PageQuery): Promise<AuditEntry[]> {
    const { bind, values } = binder();
    const rows: object[] = await this.database.query(pageSql(query, bind), values);
    return inListOrder(rows.map(entryOf), query.page);
  }

  /** The same page of each of these targets, in their order, by one statement. */
  async pagesOfTargets(targetIds: readonly string[], query: PageQuery): Promise<AuditEntry[][]> {
    const { bind, values } = binder();
    const targets = bind(targetIds);
    const rows: (object & { of: string })[] = await this.database.query(
      `select t.id as "of", found.* from unnest(${targets}::text[]) as t(id)
        cross join lateral (${pageSql(query, bind, 'e.target_id = t.id')}) found`,
      values,
    );
    const pages = new Map<string, AuditEntry[]>(targetIds.map((id) => [id, []]));
    for (const { of, ...row } of rows) pages.get(of)?.push(entryOf(row));
    return targetIds.map((id) => inListOrder(pages.get(id) as AuditEntry[], query.page));
  }

  async count(criteria: Criteria, upTo: number): Promise<number> {
    const { bind, values } = binder();
    const conditions = [`e.position <= ${bind(upTo)}`, ...conditionsOf(criteria, bind)];
    const [row] = await this.database.query(
      `select count(*) as count from entry e where ${conditions.join(' and ')}`,
      values,
    );
    return Number(row.count);
  }

  /** Entries behind a position, as the change stream reads them: without their bytes. */
  async readAfter(position: number, limit: number): Promise<StreamedEvent[]> {
    const rows: (EntryFacts & { position: string; seq: string })[] = await this.database.query(
      `select ${FACT_COLUMNS}, e.seq from entry e where e.position > $1 order by e.position limit $2`,
      [position, limit],
    );
    return rows.map(({ position: at, seq, ...facts }) => ({
      position: Number(at),
      seq: Number(seq),
      occurredAt: facts.occurredAt,
      type: 'AuditEntry',
      entityId: facts.uuid,
      kind: 'CREATED',
      node: { ...facts },
      previous: null,
    }));
  }
}

const INSERTED =
  'id, occurred_at, actor_id, actor_kind, actor_name, action, outcome, reason, target_type, target_id, request_id, trace_id, ' +
  'client_ip, caused_by, leaf, leaf_hash, words, is_dry_run';

async function insertInto(tx: Transaction, entries: readonly NewEntry[]): Promise<string[]> {
  const column = <K extends keyof NewEntry>(name: K) => entries.map((entry) => entry[name]);
  const rows: { id: string }[] = await tx.query(
    `insert into entry (${INSERTED}, changed)
     select ${INSERTED}, array(select jsonb_array_elements_text(u.parts))
       from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                   $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::uuid[], $15::bytea[], $16::bytea[],
                   $17::text[], $18::boolean[], $19::jsonb[]) as u(${INSERTED}, parts)
     on conflict (id) do nothing
     returning id`,
    [
      column('uuid'),
      column('occurredAt'),
      column('actorId'),
      column('actorKind'),
      column('actorName'),
      column('action'),
      column('outcome'),
      column('reason'),
      column('targetType'),
      column('targetId'),
      column('requestId'),
      column('traceId'),
      column('clientIp'),
      column('causedBy'),
      column('leaf'),
      column('leafHash'),
      column('words'),
      column('isDryRun'),
      column('changed').map((parts) => JSON.stringify(parts)),
    ],
  );
  await tx.query(`select pg_notify($1 || '_' || current_schema(), '')`, [ARRIVED]);
  return rows.map(({ id }) => id);
}

/** The sort key of an entry: a cursor's content. */
export function keyOf(entry: AuditEntry): [string, string] {
  return [entry.occurredAt.toISOString(), entry.uuid];
}

function pageSql({ criteria, page, upTo }: PageQuery, bind: Bind, ...more: string[]): string {
  const conditions = [`e.position <= ${bind(upTo)}`, ...more, ...conditionsOf(criteria, bind)];
  const beyond = (sign: '<' | '>', [time, uuid]: unknown[]) =>
    conditions.push(`(e.occurred_at, e.id) ${sign} (${bind(time)}::timestamptz, ${bind(uuid)}::uuid)`);
  if (page.after) beyond('<', page.after);
  if (page.before) beyond('>', page.before);
  const order = page.backward ? 'e.occurred_at, e.id' : 'e.occurred_at desc, e.id desc';
  return `select ${COLUMNS} from entry e where ${conditions.join(' and ')} order by ${order} limit ${bind(page.limit + 1)}`;
}

function inListOrder(rows: AuditEntry[], { backward }: PageRequest): AuditEntry[] {
  return backward ? rows.reverse() : rows;
}
