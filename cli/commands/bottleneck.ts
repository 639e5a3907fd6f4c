import type { Command } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { plain } from '../output/table.ts';
import { durationOf } from './duration.ts';

const BOTTLENECK = `query Bottleneck($name: String!, $range: TimeRange) {
  agent(name: $name) { name bottleneck(range: $range) { kind confidence subject reason tasks evidence { what value bound } } } }`;

interface Evidence {
  what: string;
  value: number;
  bound: number;
}

interface Finding {
  kind: string | null;
  confidence: number;
  subject: string | null;
  reason: string;
  tasks: number;
  evidence: Evidence[];
}

export function addBottleneck(program: Command, surface: Surface): void {
  const command = program
    .command('bottleneck')
    .description(
      'What keeps an agent from being faster: its code, its collector, a lock, runs of calls, what it calls.',
    )
    .argument('<agent>', 'its name')
    .option('--since <duration>', 'by what it did since then, e.g. 15m', '5m');
  command.action((name: string, { since }: { since: string }) => explain(contextOf(command, surface), name, since));
}

async function explain({ client, printer, missing }: Context, name: string, since: string): Promise<void> {
  const range = { last: durationOf(since) };
  const { data, errors = [] } = await client.ask<{ agent: { name: string; bottleneck: Finding | null } | null }>(
    BOTTLENECK,
    { name, range },
  );
  missing(errors);
  const agent = data?.agent;
  if (!agent) throw new FleetFailure('NOT_FOUND', `there is no agent ${name}`);
  const found = agent.bottleneck;
  if (!found) return;
  printer.answer({ agent: agent.name, ...found }, () => {
    const told = found.kind
      ? `${found.kind}, ${Math.round(found.confidence * 100)} % sure: ${found.reason}`
      : found.reason;
    printer.line(plain(`${agent.name}: ${told} (${found.tasks} tasks)`));
    if (!found.evidence.length) return;
    printer.table<Evidence>(
      [
        { title: 'MEASURED', text: ({ value }) => String(value), right: true },
        { title: 'BOUND', text: ({ bound }) => String(bound), right: true },
        { title: 'WHAT', text: ({ what }) => what },
      ],
      found.evidence,
    );
  });
}
