import { TRADES } from '../fleet/kinds/index.ts';
import { ROSTER, roster } from '../fleet/roster.ts';
import { LIFE } from '../fleet/trade.ts';
import type { Kind, ObjectSchema, Schema } from '../sdk/factory/index.ts';
import { cell, code, page, table } from './markdown.ts';

const HEAD = `# The agents of the demo fleet

Made from fleet/kinds and fleet/roster.ts by \`npm run docs\`. [Kinds of agents](../agent-kinds.md) says how a kind is written,
[hooks](../sdk.md#hooks) what the hooks are.
`;

const listed = (names: readonly string[]) => names.map(code).join(' ') || 'none';

/** What a value may be, in words of its schema. */
function boundsOf(schema: Schema): string {
  const told: string[] = [];
  const range = (least: number | undefined, most: number | undefined, unit: string) => {
    if (least !== undefined && most !== undefined) told.push(`${least} to ${most}${unit}`);
    else if (least !== undefined) told.push(`at least ${least}${unit}`);
    else if (most !== undefined) told.push(`at most ${most}${unit}`);
  };
  if (schema.type === 'string') {
    if (schema.enum) told.push(`one of ${schema.enum.map(code).join(', ')}`);
    range(schema.minLength, schema.maxLength, ' characters');
  } else if (schema.type === 'number' || schema.type === 'integer') range(schema.minimum, schema.maximum, '');
  else if (schema.type === 'array') range(schema.minItems, schema.maxItems, ' items');
  return told.join(', ');
}

/** Rows of a configuration, those of objects in it below them. */
function configRows(schema: ObjectSchema, within = ''): string[][] {
  return Object.entries(schema.properties).flatMap(([name, part]) => {
    const at = within ? `${within}.${name}` : name;
    const standard = 'default' in part && part.default !== undefined ? code(JSON.stringify(part.default)) : '';
    const row = [code(at), part.type, standard, boundsOf(part), cell(part.description ?? '')];
    return part.type === 'object' ? [row, ...configRows(part, at)] : [row];
  });
}

function section({ kind, version, description, config, capabilities, dependsOn, ...rest }: Kind): string {
  const usual = LIFE as Readonly<Record<string, unknown>>;
  const own = rest.hooks.filter(({ name, run }) => run !== usual[name]).map(({ name }) => name);
  const names = roster().filter((member) => member.kind.kind === kind);
  const scopes = Object.entries(rest.provide).map(([name, { scope }]) => `${code(name)} (${scope})`);
  const facts: [string, string][] = [
    ['version', code(version)],
    ['agents', `${names.length}: ${code(names[0]?.name ?? '')} to ${code(names.at(-1)?.name ?? '')}`],
    ['can', listed(capabilities)],
    ['gives work to', dependsOn.map((name) => `[${code(name)}](#${name})`).join(' ') || 'nobody'],
    ['parts', scopes.join(', ')],
    ['hooks of its own', listed(own)],
    ['commands', listed(Object.keys(rest.commands))],
    ['checks', listed(Object.keys(rest.checks))],
    ['another version', rest.upgrade ? 'in place' : 'refused'],
  ];
  return page(
    `## ${kind}`,
    description ?? '',
    table(['', ''], facts),
    table(['configuration', 'type', 'default', 'may be', 'what it is'], configRows(config)),
  );
}

/** What of the kinds says nothing of itself. */
function silentIn({ kind, description, config }: Kind): string[] {
  const at = `fleet/kinds/${kind}.ts`;
  return [
    ...(description ? [] : [`${at}: ${kind} has no description`]),
    ...configRows(config)
      .filter((row) => !row.at(-1))
      .map(([name]) => `${at}: ${name} has no description`),
  ];
}

/** docs/reference/fleet.md: each kind, and the agents there are of it. */
export function kindPages(): { pages: Record<string, string>; silent: string[] } {
  const kinds = Object.values(TRADES) as readonly Kind[];
  const overview = kinds.map(({ kind, version, description = '' }) => [
    `[${code(kind)}](#${kind})`,
    code(version),
    String(ROSTER[kind as keyof typeof ROSTER]),
    cell(description),
  ]);
  const total = Object.values(ROSTER).reduce((sum, count) => sum + count, 0);
  return {
    pages: {
      'docs/reference/fleet.md': page(
        HEAD,
        `${total} agents of ${kinds.length} kinds. Each has the labels \`fleet.demo\`, \`team\` and \`region\`, an endpoint \`tasks\`, and a counter of all hooks.`,
        table(['kind', 'version', 'agents', 'what they do'], overview),
        ...kinds.map(section),
      ),
    },
    silent: kinds.flatMap(silentIn),
  };
}
