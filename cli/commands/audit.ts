import { type Command, Option } from 'commander';
import { contextOf, type Surface } from '../context.ts';
import { Printer } from '../output/printer.ts';
import { exportTo, translateTo } from './audit-export.ts';
import { addAuditPast } from './audit-past.ts';
import { type VerifyOptions, verify } from './audit-verify.ts';

const CHECKPOINT = '{ auditCheckpoint { origin size rootHash signedNote createdAt } }';

interface Checkpoint {
  origin: string;
  size: string;
  rootHash: string;
  signedNote: string;
  createdAt: string;
}

export function addAudit(program: Command, surface: Surface): void {
  const audit = program.command('audit').description('Who changed what, and that nobody can hide it.');
  const checkpoint = audit
    .command('checkpoint')
    .description('The newest signed checkpoint: keep it elsewhere, and nobody can rewrite what came before it.');
  checkpoint.action(async () => {
    const { client, printer } = contextOf(checkpoint, surface);
    const { auditCheckpoint } = await client.query<{ auditCheckpoint: Checkpoint | null }>(CHECKPOINT);
    printer.answer(auditCheckpoint, () => printer.line(auditCheckpoint?.signedNote.trimEnd() ?? ''));
  });
  const download = audit
    .command('export')
    .description('Writes the whole log into a file, or goes on with one where it ended.')
    .argument('<file>', 'the file; one that is there is continued')
    .addOption(
      new Option('--format <format>', 'ours, which can be verified, or OCSF 1.6 events for security tools')
        .choices(['fleetgraph', 'ocsf'])
        .default('fleetgraph'),
    );
  download.action((file: string, { format }: { format: string }) => {
    const context = contextOf(download, surface);
    return format === 'ocsf' ? translateTo(context, file) : exportTo(context, file);
  });
  const check = audit
    .command('verify')
    .description('Verifies an exported log, without the platform: every entry, their order, the signature.')
    .argument('<file>', 'the exported log')
    .option('--key <name+id+key>', 'the key it must be signed with; without it, the file’s own is taken')
    .option('--checkpoint <file>', 'an older checkpoint that the log must go on from')
    .option('--allow-removed', 'take entries whose bytes retention removed by their hash alone');
  check.action(async (file: string, options: VerifyOptions) => {
    // No client: this needs neither an address nor a token.
    const { json = false } = check.optsWithGlobals<{ json?: boolean }>();
    await verify(new Printer(surface.out, surface.err, json), file, options);
  });
  addAuditPast(audit, surface);
}
