import {
  bindField,
  type FieldNode,
  type SearchField,
  type SearchFields,
  type SearchNode,
  wordsOf,
} from '../../../lib/search/index.ts';
import type { Bind } from './criteria.ts';
import type { EntryFacts } from './entries.ts';

/** A searchable field, with the expressions on `entry e` that hold it; any of them may match. */
interface StoredField extends SearchField<EntryFacts> {
  stored: readonly string[];
}

const keyword = (stored: readonly string[], read: (entry: EntryFacts) => unknown): StoredField => ({
  type: 'keyword',
  stored,
  read,
});

const FIELDS: Record<string, StoredField> = {
  action: keyword(['e.action'], ({ action }) => action),
  actor: keyword(['e.actor_id', 'e.actor_name'], ({ actorId, actorName }) => [actorId, actorName]),
  actorKind: keyword(['e.actor_kind', 'lower(e.actor_kind)'], ({ actorKind }) => [actorKind, actorKind.toLowerCase()]),
  outcome: keyword(['e.outcome', 'lower(e.outcome)'], ({ outcome }) => [outcome, outcome.toLowerCase()]),
  dryRun: keyword(['e.is_dry_run::text'], ({ isDryRun }) => String(isDryRun)),
  targetType: keyword(['e.target_type'], ({ targetType }) => targetType),
  target: keyword(['e.target_id'], ({ targetId }) => targetId),
  requestId: keyword(['e.request_id'], ({ requestId }) => requestId),
  traceId: keyword(['e.trace_id'], ({ traceId }) => traceId),
  time: { type: 'time', stored: ['e.occurred_at'], read: ({ occurredAt }) => occurredAt },
};

/** What `query:` can ask of entries. The values before and after are not in it: not everybody may read them. */
export const ENTRY_SEARCH: SearchFields<EntryFacts> = {
  words: ({ action, actorName, targetType, targetId, reason }) =>
    [action, actorName, targetType, targetId, reason].join('\n'),
  fields: FIELDS,
};

/** The words of an entry as they are stored: each between spaces, so that a phrase is found as a piece of text. */
export function storedWords(entry: EntryFacts): string {
  return ` ${wordsOf(ENTRY_SEARCH.words(entry)).join(' ')} `;
}

/** What the words of an entry are made of, as it was written. */
const TEXT = `concat(e.action, E'\\n', e.actor_name, E'\\n', e.target_type, E'\\n', e.target_id, E'\\n', e.reason)`;

/** A search as a condition on `entry e`; finds the same entries as the live filter does. */
export function searchSql(node: SearchNode, bind: Bind): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.nodes.map((part) => searchSql(part, bind)).join(` ${node.kind} `)})`;
    case 'not':
      // What is unknown of an absent value is not found, so its negation is.
      return `not coalesce(${searchSql(node.node, bind)}, false)`;
    case 'words':
      if (node.regex) return `${TEXT} ~ ${bind(node.regex.are)}::text`;
      return `strpos(e.words, ${bind(` ${node.words.join(' ')}${node.prefix ? '' : ' '}`)}) > 0`;
    case 'field': {
      const { name, number } = bindField(node, ENTRY_SEARCH);
      const { stored, type } = FIELDS[name] as StoredField;
      const value = type === 'time' && number !== undefined ? new Date(number) : node.value;
      return `(${stored.map((column) => comparisonSql(column, type, node, bind, value)).join(' or ')})`;
    }
  }
}

function comparisonSql(
  column: string,
  type: StoredField['type'],
  { comparison, prefix, value: text, regex }: FieldNode,
  bind: Bind,
  value: string | Date,
): string {
  if (regex) return `${column} ~ ${bind(regex.are)}::text`;
  if (prefix && text === '') return `${column} is not null`;
  if (prefix) return `starts_with(${column}, ${bind(text)}::text)`;
  return `${column} ${comparison} ${bind(value)}::${type === 'time' ? 'timestamptz' : 'text'}`;
}
