import type { Command } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { plain } from '../output/table.ts';

const HEALTH = `query AgentHealth($name: String!) {
  agent(name: $name) {
    name kind state desiredState presence dependencies
    health { score grade computedAt penalties { factor reason points evidence query } }
    rootCause { name state presence health { score } }
  }
}`;

interface Penalty {
  factor: string | null;
  reason: string;
  points: number;
  evidence: string;
  query: string | null;
}

interface Patient {
  name: string;
  state: string;
  presence: string;
  health: { score: number; grade: string; penalties: Penalty[] };
  rootCause: { name: string; state: string; presence: string; health: { score: number } } | null;
}

export function addHealth(program: Command, surface: Surface): void {
  const command = program
    .command('health')
    .description('What speaks against an agent’s health, point by point.')
    .argument('<agent>', 'its name')
    .option('--queries', 'with a query for each penalty that shows it');
  command.action((name: string, { queries = false }: { queries?: boolean }) =>
    explain(contextOf(command, surface), name, queries),
  );
}

async function explain({ client, printer, missing }: Context, name: string, queries: boolean): Promise<void> {
  const { data, errors = [] } = await client.ask<{ agent: Patient | null }>(HEALTH, { name });
  missing(errors);
  const agent = data?.agent;
  if (!agent) throw new FleetFailure('NOT_FOUND', `there is no agent ${name}`);
  const { health, rootCause: cause } = agent;
  printer.answer(agent, () => {
    printer.line(plain(`${agent.name} is ${health.grade}, ${health.score} of 100 (${agent.state}, ${agent.presence})`));
    if (cause)
      printer.line(
        plain(`the cause is ${cause.name}: ${cause.health.score} of 100 (${cause.state}, ${cause.presence})`),
      );
    if (!health.penalties.length) return;
    printer.table<Penalty>(
      [
        { title: 'POINTS', text: ({ points }) => `-${points}`, right: true },
        { title: 'FACTOR', text: ({ factor }) => factor ?? '' },
        { title: 'WHY', text: ({ reason }) => reason },
        { title: 'EVIDENCE', text: ({ evidence }) => evidence },
      ],
      health.penalties,
    );
    if (queries) for (const { query } of health.penalties) if (query) printer.line(query);
  });
}
