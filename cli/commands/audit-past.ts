import { type Command, InvalidArgumentError } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { changesOf, differences, History, type PastEntry, valueAt } from './audit-history.ts';

const PAST = `query AuditPast($last: Int!, $before: String, $filter: AuditFilter) {
  auditEntries(last: $last, before: $before, filter: $filter) {
    pageInfo { hasPreviousPage startCursor }
    nodes { id occurredAt actor { id name } action reason isDryRun before after changes { op path value } }
  }
}`;
const PAGE = 100;
/** Entries about one target that are read at most. */
const MAX_ENTRIES = 100_000;

interface Page {
  auditEntries: { pageInfo: { hasPreviousPage: boolean; startCursor: string | null }; nodes: PastEntry[] } | null;
}

interface BlameRow {
  path: string;
  value: unknown;
  entry: PastEntry;
}

/** What was, and who made it so: from the values that entries have before and after. */
export function addAuditPast(audit: Command, surface: Surface): void {
  const target = 'id of what it is about, or its name where it has none';
  const blame = audit
    .command('blame')
    .description('Who wrote each part of something last; with a path, every change of that part.')
    .argument('<target>', target)
    .argument('[path]', 'JSON pointer of a part, e.g. /config/maxTokens', pointerOf);
  blame.action((id: string, path?: string) => blameOf(contextOf(blame, surface), id, path));
  const state = audit
    .command('state')
    .description('How something was at a time.')
    .argument('<target>', target)
    .option('--at <time>', 'RFC 3339; now unless given', timeOf);
  state.action(async (id: string, { at }: { at?: string }) => {
    const context = contextOf(state, surface);
    const { value } = historyOf(await pastOf(context, id, at));
    if (value === null) throw new FleetFailure('NOT_FOUND', `${id} is not there${at ? ` at ${at}` : ''}`);
    context.printer.line(JSON.stringify(value, null, 2));
  });
  const diff = audit
    .command('diff')
    .description('What became of something between two times.')
    .argument('<target>', target)
    .requiredOption('--from <time>', 'RFC 3339', timeOf)
    .option('--to <time>', 'RFC 3339; now unless given', timeOf);
  diff.action((id: string, { from, to }: { from: string; to?: string }) =>
    diffOf(contextOf(diff, surface), id, from, to),
  );
}

async function blameOf(context: Context, id: string, path?: string): Promise<void> {
  const { printer } = context;
  const past = await pastOf(context, id);
  const rows: BlameRow[] = path === undefined ? lastOf(historyOf(past)) : eachOf(past, path);
  printer.answer(
    rows.map(({ entry: { id: entry, occurredAt, actor, action, reason }, ...row }) => ({
      ...row,
      entry,
      occurredAt,
      actor,
      action,
      reason,
    })),
    () =>
      printer.table<BlameRow>(
        [
          { title: 'PATH', text: (row) => row.path },
          { title: 'VALUE', text: ({ value }) => (value === undefined ? '-' : JSON.stringify(value)) },
          { title: 'WHEN', text: ({ entry }) => entry.occurredAt },
          { title: 'WHO', text: ({ entry }) => entry.actor.name },
          { title: 'ACTION', text: ({ entry }) => entry.action },
          { title: 'ENTRY', text: ({ entry }) => entry.id },
        ],
        rows,
      ),
  );
}

function lastOf({ value, blame }: History): BlameRow[] {
  return [...blame].map(([path, entry]) => ({ path, value: valueAt(value, path), entry })).sort(byPath);
}

function byPath(one: BlameRow, other: BlameRow): number {
  return one.path < other.path ? -1 : 1;
}

/** Every change of a part, newest first. */
function eachOf(past: readonly PastEntry[], path: string): BlameRow[] {
  const history = new History();
  const changing = past.filter((entry) => history.add(entry));
  return changing.flatMap((entry) => changesOf(entry, path).map((change) => ({ ...change, entry }))).reverse();
}

async function diffOf(context: Context, id: string, from: string, to?: string): Promise<void> {
  const { printer } = context;
  const past = await pastOf(context, id, to);
  const then = historyOf(past.filter(({ occurredAt }) => Date.parse(occurredAt) <= Date.parse(from)));
  const rows = differences(then.value, historyOf(past).value);
  printer.answer(rows, () =>
    printer.table<(typeof rows)[number]>(
      [
        { title: 'PATH', text: (row) => row.path },
        { title: 'FROM', text: (row) => (row.from === undefined ? '-' : JSON.stringify(row.from)) },
        { title: 'TO', text: (row) => (row.to === undefined ? '-' : JSON.stringify(row.to)) },
      ],
      rows,
    ),
  );
}

function historyOf(past: readonly PastEntry[]): History {
  const history = new History();
  for (const entry of past) history.add(entry);
  return history;
}

/** Everything that succeeded on a target up to a time, oldest first. @throws FleetFailure NOT_FOUND when there is nothing */
async function pastOf({ client }: Context, id: string, at?: string): Promise<PastEntry[]> {
  // `to` is exclusive, and what happened in that very millisecond had happened.
  const range = at === undefined ? undefined : { to: new Date(Date.parse(at) + 1).toISOString() };
  const filter = { targetIds: [id], outcomes: ['SUCCEEDED'], range };
  const past: PastEntry[] = [];
  for (let before: string | null | undefined; ; ) {
    const { auditEntries } = await client.query<Page>(PAST, { last: PAGE, before, filter });
    // A page is newest first, and the last page of the list is the oldest.
    past.push(...[...(auditEntries?.nodes ?? [])].reverse());
    if (!auditEntries?.pageInfo.hasPreviousPage) break;
    if (past.length >= MAX_ENTRIES)
      throw new FleetFailure(
        'QUERY_TOO_LARGE',
        `there are over ${MAX_ENTRIES} entries about ${id}: give an earlier time`,
      );
    before = auditEntries.pageInfo.startCursor;
  }
  if (!past.length)
    throw new FleetFailure('NOT_FOUND', `the audit trail has nothing about ${id}${at ? ` up to ${at}` : ''}`);
  return past;
}

function timeOf(text: string): string {
  const isTime =
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text) && !Number.isNaN(Date.parse(text));
  if (!isTime) throw new InvalidArgumentError('a time is RFC 3339, e.g. 2026-01-31T12:00:00Z');
  return new Date(Date.parse(text)).toISOString();
}

function pointerOf(text: string): string {
  if (!/^(\/([^~]|~0|~1)*)?$/.test(text))
    throw new InvalidArgumentError('a path is a JSON pointer, e.g. /config/maxTokens');
  return text;
}
