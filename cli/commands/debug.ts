import type { Command } from 'commander';
import { isColourWelcome } from '../client.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { follow, type Live } from '../debug/live.ts';
import { examine } from '../debug/patient.ts';
import { sectionsOf, storyLine } from '../debug/sections.ts';
import { type LineStyle, logLine, STANDARD_COLUMNS } from '../output/log-line.ts';
import { plain } from '../output/table.ts';

export function addDebug(program: Command, surface: Surface): void {
  const command = program
    .command('debug')
    .description(
      'All of one agent: state, health, configuration, mailbox, errors; then its log, spans and changes as they come.',
    )
    .argument('<agent>', 'its name')
    .option('--once', 'what is known now, and no more');
  command.action((name: string, { once = false }: { once?: boolean }) =>
    debug(contextOf(command, surface), name, once, surface),
  );
}

async function debug(context: Context, name: string, once: boolean, { out }: Surface): Promise<void> {
  const { client, printer, missing, nowMs, signal } = context;
  const examination = await examine(client, name, missing);
  const lines: LineStyle = { columns: STANDARD_COLUMNS, isColoured: isColourWelcome(out) };
  const { cursor: _, ...known } = examination;
  const width = out.isTTY ? out.columns : undefined;
  printer.item(known, () => sectionsOf(examination, { nowMs: nowMs(), width, lines }).join('\n'));
  if (once) return;
  await follow(client, examination, (live) => printer.item(live, () => lineOf(live, lines)), signal);
}

/** What happens, as a line: what it is stands first. */
function lineOf(live: Live, style: LineStyle): string {
  switch (live.live) {
    case 'log':
      return `log    ${logLine(live.entry, style)}`;
    case 'missed':
      return `log    ${live.lines} lines were not sent`;
    case 'change': {
      const { node, occurredAt } = live.change;
      const asked = node.state === node.desiredState ? '' : `, asked to be ${node.desiredState}`;
      return `agent  ${occurredAt} ${node.state}${asked}, ${node.presence}, ${node.health.grade} ${node.health.score}, configuration ${node.observedConfigVersion ?? '-'} of ${node.configVersion}`;
    }
    case 'story':
      return `story  ${storyLine(live.line)}`;
    case 'span': {
      const { startedAt, name, durationMs, error, traceId } = live.span;
      return plain(`span   ${startedAt} ${error ? '✗ ' : ''}${name} ${durationMs.toFixed(1)} ms ${traceId}`);
    }
    case 'away':
      return `!      ${live.reason}`;
    case 'back':
      return '!      the platform answers again';
  }
}
