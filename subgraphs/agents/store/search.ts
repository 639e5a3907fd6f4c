import { type BoundField, bindField, type FieldNode, type SearchNode } from '../../../lib/search/index.ts';
import { AGENT_SEARCH, type AgentSnapshot } from '../entity/search.ts';

type Bind = (value: unknown) => string;

const COLUMNS: Record<string, string> = {
  name: 'agent.name',
  kind: 'agent.kind',
  version: 'agent.version',
  state: 'lower(agent.state)',
  presence: 'lower(agent.presence)',
  health: 'agent.health_score',
};
/** What JavaScript's Number reads of a text, as far as labels bear numbers. */
const NUMERIC = `'^\\s*[-+]?(\\d+\\.?\\d*|\\.\\d+)([eE][-+]?\\d{1,3})?\\s*$'`;

/** A search as a condition; means what `compileSearch` does on snapshots. Never null, so that `not` is its contrary. */
export function searchSql(node: SearchNode, bind: Bind): string {
  switch (node.kind) {
    case 'and':
    case 'or':
      return `(${node.nodes.map((part) => searchSql(part, bind)).join(` ${node.kind} `)})`;
    case 'not':
      return `(not ${searchSql(node.node, bind)})`;
    case 'words':
      if (node.regex) return `(concat(agent.name, ' ', agent.kind) ~ ${bind(node.regex.are)})`;
      // The column holds the words as `wordsOf` finds them, a blank around each.
      return `(position(${bind(` ${node.words.join(' ')}${node.prefix ? '' : ' '}`)} in agent.words) > 0)`;
    case 'field':
      return `coalesce(${fieldSql(node, bindField(node, AGENT_SEARCH), bind)}, false)`;
  }
}

function fieldSql(node: FieldNode, { field, name, path, number }: BoundField<AgentSnapshot>, bind: Bind): string {
  const column = field.open ? `(agent.labels ->> ${bind(path)})` : (COLUMNS[name] as string);
  if (node.regex) return `${column} ~ ${bind(node.regex.are)}`;
  if (node.prefix) return node.value === '' ? `${column} is not null` : `starts_with(${column}, ${bind(node.value)})`;
  if (field.ranks)
    return `array_position(${bind(field.ranks)}::text[], ${column}) - 1 ${node.comparison} ${bind(number)}`;
  if (field.type === 'number') return `${column} ${node.comparison} ${bind(number)}::float8`;
  if (node.comparison === '=') return `${column} = ${bind(node.value)}`;
  return `case when ${column} ~ ${NUMERIC} then ${column}::float8 ${node.comparison} ${bind(number)}::float8 end`;
}
