import { readFile } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { FleetFailure, type UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import { type Context, contextOf, type Surface } from '../context.ts';
import { durationOf } from './duration.ts';

const SINK = 'name version target format taken';
const LIST = `query AuditSinks { auditSinks { ${SINK} } auditCheckpoint { size } }`;
const APPLY = `mutation ApplyAuditSink($input: AuditSinkInput!) {
  applyAuditSink(input: $input) { sink { ${SINK} } changes { op path value oldValue } userErrors { code message field } }
}`;
const DELETE = `mutation DeleteAuditSink($input: DeleteByNameInput!) {
  deleteAuditSink(input: $input) { name userErrors { code message field } }
}`;
const RETENTION = 'query AuditRetention { auditRetention { version keepFor } }';
const KEEP = `mutation ApplyAuditRetention($input: AuditRetentionInput!) {
  applyAuditRetention(input: $input) {
    retention { version keepFor } changes { op path value oldValue } userErrors { code message field }
  }
}`;

interface SinkRow {
  name: string;
  version: number;
  target: string;
  format: string;
  taken: number | null;
}

interface Retention {
  version: number;
  keepFor: string | null;
}

interface Versioned {
  expectedVersion?: number;
  dryRun?: boolean;
}

/** Where the trail goes and how long its bytes are kept. */
export function addAuditSinks(audit: Command, surface: Surface): void {
  const sinks = audit.command('sinks').description('What is given the trail as it grows, and how far each is.');
  sinks.action(() => show(contextOf(sinks, surface)));
  const list = sinks.command('list').description('The same.');
  list.action(() => show(contextOf(list, surface)));
  addApply(sinks, surface);
  const remove = sinks
    .command('delete')
    .description('Deletes a sink that was applied; audited.')
    .argument('<name>', 'the sink')
    .option('--expected-version <number>', 'refused when it has another', whole);
  remove.action(async (name: string, { expectedVersion }: Versioned) => {
    const { client, printer } = contextOf(remove, surface);
    const { deleteAuditSink } = await client.query<{
      deleteAuditSink: { name: string | null; userErrors: UserError[] } | null;
    }>(DELETE, { input: { name, expectedVersion } });
    const done = settled(deleteAuditSink);
    printer.answer({ name: done.name }, () => printer.line(`${done.name} is deleted`));
  });
  addRetention(audit, surface);
}

function addApply(sinks: Command, surface: Surface): void {
  const apply = sinks
    .command('apply')
    .description('Makes or changes a sink; a new one is given the trail from its first entry. Audited.')
    .argument('<name>', 'its name')
    .argument('<target>', 'https://host/path or syslog+tls://host:6514')
    .addOption(new Option('--format <format>', 'what it is given').choices(['ndjson', 'ocsf']).default('ndjson'))
    .option('--secret-file <file>', 'what signs webhooks, read from a file; - reads standard input')
    .option('--expected-version <number>', 'refused when it has another; 0: it must be new', whole)
    .option('--dry-run', 'only tell what would be');
  apply.action(
    async (
      name: string,
      target: string,
      { format, secretFile, ...options }: Versioned & { format: string; secretFile?: string },
    ) => {
      const { client, printer } = contextOf(apply, surface);
      const secret = secretFile === undefined ? undefined : await secretIn(secretFile, surface);
      const input = { name, target, format: format.toUpperCase(), secret, ...options };
      const { applyAuditSink } = await client.query<{
        applyAuditSink: { sink: SinkRow; userErrors: UserError[] } | null;
      }>(APPLY, { input });
      const { userErrors: _, ...done } = settled(applyAuditSink);
      printer.answer(done, () =>
        printer.line(`${name} ${options.dryRun ? 'would be' : 'is'} version ${done.sink.version}: ${done.sink.target}`),
      );
    },
  );
}

function addRetention(audit: Command, surface: Surface): void {
  const retention = audit.command('retention').description('How long the bytes of entries are kept; hashes stay.');
  retention.action(async () => {
    const { client, printer } = contextOf(retention, surface);
    const { auditRetention } = await client.query<{ auditRetention: Retention | null }>(RETENTION);
    printer.answer(auditRetention, () => printer.line(keptText(auditRetention)));
  });
  const apply = retention
    .command('apply')
    .description('Says how long bytes are kept from now on; what a sweep took is gone. Audited.')
    .argument('<duration>', 'e.g. 90d or P2Y; forever')
    .option('--reason <text>', 'why, for the trail')
    .option('--expected-version <number>', 'refused when it has another; 0: it must still be the setting', whole)
    .option('--dry-run', 'only tell what would be');
  apply.action(async (duration: string, options: Versioned & { reason?: string }) => {
    const { client, printer } = contextOf(apply, surface);
    const keepFor = duration === 'forever' ? null : durationOf(duration);
    const { applyAuditRetention } = await client.query<{
      applyAuditRetention: { retention: Retention; userErrors: UserError[] } | null;
    }>(KEEP, { input: { keepFor, ...options } });
    const { userErrors: _, ...done } = settled(applyAuditRetention);
    printer.answer(done, () => printer.line(`${options.dryRun ? 'would be: ' : ''}${keptText(done.retention)}`));
  });
}

async function show({ client, printer, missing }: Context): Promise<void> {
  const { data, errors = [] } = await client.ask<{
    auditSinks: SinkRow[] | null;
    auditCheckpoint: { size: string } | null;
  }>(LIST);
  missing(errors);
  const rows = data?.auditSinks ?? [];
  const size = Number(data?.auditCheckpoint?.size ?? 0);
  printer.answer(rows, () =>
    printer.table<SinkRow>(
      [
        { title: 'SINK', text: ({ name }) => name },
        { title: 'VERSION', text: ({ version }) => (version ? String(version) : 'setting'), right: true },
        { title: 'FORMAT', text: ({ format }) => format.toLowerCase() },
        { title: 'TAKEN', text: ({ taken }) => String(taken ?? ''), right: true },
        { title: 'WAITING', text: ({ taken }) => String(Math.max(0, size - (taken ?? 0))), right: true },
        { title: 'TARGET', text: ({ target }) => target },
      ],
      rows,
    ),
  );
}

function keptText(retention: Retention | null): string {
  if (!retention) return 'nobody knows';
  const whose = retention.version ? `version ${retention.version}` : 'the setting';
  return `bytes are kept ${retention.keepFor === null ? 'for good' : `for ${retention.keepFor}`} (${whose})`;
}

/** A secret stands in no argument: those are seen by everybody on the machine. */
async function secretIn(file: string, { stdin }: Surface): Promise<string> {
  const chunks: string[] = [];
  if (file === '-') for await (const chunk of stdin) chunks.push(String(chunk));
  else {
    try {
      chunks.push(await readFile(file, 'utf8'));
    } catch (error) {
      throw new FleetFailure('BAD_INPUT', `the secret cannot be read: ${(error as Error).message}`);
    }
  }
  return chunks.join('').trimEnd();
}

function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('a whole number');
  return Number(text);
}
