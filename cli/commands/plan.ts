import type { Command } from 'commander';
import { contextOf, type Surface } from '../context.ts';
import { variablesOf } from './query.ts';

const PLAN = `query QueryPlan($query: String!, $variables: JSON, $operationName: String, $run: Boolean) {
  queryPlan(query: $query, variables: $variables, operationName: $operationName, run: $run) {
    operationName rootFields cost tookMs errors
    nodes { kind depth subgraph operation fields path variable representations startedMs tookMs }
  }
}`;

interface Node {
  kind: string;
  depth: number;
  subgraph: string | null;
  fields: string[];
  path: string[];
  variable: string | null;
  representations: number | null;
  startedMs: number | null;
  tookMs: number | null;
}

interface Plan {
  operationName: string | null;
  rootFields: string[];
  cost: number;
  tookMs: number | null;
  errors: number | null;
  nodes: Node[];
}

interface Options {
  variables?: Record<string, unknown>;
  operation?: string;
  run?: boolean;
}

export function addPlan(program: Command, surface: Surface): void {
  const command = program
    .command('plan')
    .description('How the router answers an operation: who is asked for what, in which order, and what it costs.')
    .argument('<graphql>', 'the operation')
    .option('--variables <json>', 'its variables, or @file', variablesOf)
    .option('--operation <name>', 'which one, when there are several')
    .option('--run', 'run it too, and show what each step took');
  command.action(async (query: string, { variables, operation, run = false }: Options) => {
    const { client, printer } = contextOf(command, surface);
    const { queryPlan } = await client.query<{ queryPlan: Plan }>(PLAN, {
      query,
      variables,
      operationName: operation,
      run,
    });
    printer.answer(queryPlan, () => {
      for (const line of linesOf(queryPlan)) printer.line(line);
    });
  });
}

function linesOf({ operationName, rootFields, cost, tookMs, errors, nodes }: Plan): string[] {
  const ran = tookMs === null ? '' : `, ${tookMs} ms${errors ? `, ${errors} errors` : ''}`;
  const head = `${operationName ?? rootFields.join(', ')}: cost ${cost}${ran}`;
  const whenOf = tookMs === null ? () => '' : (node: Node) => `${barOf(node, tookMs)} `;
  return [head, ...nodes.map((node, at) => `${whenOf(node)}${branchOf(nodes, at)}${textOf(node)}`)];
}

/** Cells of a bar; the whole is the time of the operation. */
const CELLS = 20;

/** When a step ran, drawn and in figures; of one that did not, as much room. */
function barOf({ startedMs, tookMs }: Node, wholeMs: number): string {
  if (startedMs === null || tookMs === null) return ' '.repeat(CELLS + 11);
  const cellMs = Math.max(wholeMs, startedMs + tookMs, 1) / CELLS;
  const from = Math.min(Math.floor(startedMs / cellMs), CELLS - 1);
  const cells = Math.min(Math.max(Math.round(tookMs / cellMs), 1), CELLS - from);
  return `▕${' '.repeat(from)}${'█'.repeat(cells)}${' '.repeat(CELLS - from - cells)}▏${`${tookMs} ms`.padStart(9)}`;
}

/** The lines of a tree before a node: each ancestor goes on below, or not. */
function branchOf(nodes: readonly Node[], at: number): string {
  const depth = nodes[at]?.depth ?? 0;
  let branch = '';
  for (let level = 0; level <= depth; level++) {
    const following = nodes.slice(at + 1).find((node) => node.depth <= level);
    const goesOn = following?.depth === level;
    if (level === depth) branch += goesOn ? '├─ ' : '└─ ';
    else branch += goesOn ? '│  ' : '   ';
  }
  return branch;
}

const WORDS: Readonly<Record<string, string>> = { SEQUENCE: 'one after the other', PARALLEL: 'at the same time' };

function textOf({ kind, subgraph, fields, path, variable, ...ran }: Node): string {
  if (kind === 'CONDITION') return `if $${variable}`;
  if (subgraph === null) return WORDS[kind] ?? kind.toLowerCase();
  const where = path.length ? ` at ${path.join(', ')}` : '';
  const many = ran.representations === null ? '' : `${ran.representations} × `;
  return `${kind === 'STREAM' ? 'events of ' : ''}${many}${subgraph}${where}: ${fields.join(', ')}`;
}
