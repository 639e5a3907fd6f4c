import { type Command, Option } from 'commander';
import { FleetFailure } from '../../sdk/index.ts';
import { contextOf, listed, type Surface } from '../context.ts';
import { Printer } from '../output/printer.ts';
import { exportTo, translateTo } from './audit-export.ts';
import { addAuditPast } from './audit-past.ts';
import { addAuditSinks } from './audit-sinks.ts';
import { type VerifyOptions, verify } from './audit-verify.ts';

const CHECKPOINT = `{ auditCheckpoint {
  origin size rootHash signedNote createdAt cosigned { size rootHash signedNote witnesses cosignedAt }
} }`;

interface Checkpoint {
  cosigned: { signedNote: string } | null;
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
  checkpoint.option('--cosigned', 'the newest that witnesses have cosigned, with their signatures');
  checkpoint.action(async ({ cosigned }: { cosigned?: boolean }) => {
    const { client, printer } = contextOf(checkpoint, surface);
    const { auditCheckpoint } = await client.query<{ auditCheckpoint: Checkpoint | null }>(CHECKPOINT);
    const found = cosigned ? (auditCheckpoint?.cosigned ?? null) : auditCheckpoint;
    if (cosigned && !found)
      throw new FleetFailure('NOT_FOUND', 'no witness has cosigned the log: see FLEET_AUDIT_WITNESSES');
    printer.answer(found, () => printer.line(found?.signedNote.trimEnd() ?? ''));
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
    .option('--witness <keys>', 'who must have cosigned that one (name+id+key, separated by commas)', listed)
    .option('--allow-removed', 'take entries whose bytes retention removed by their hash alone');
  check.action(async (file: string, options: VerifyOptions) => {
    // No client: this needs neither an address nor a token.
    const { json = false } = check.optsWithGlobals<{ json?: boolean }>();
    await verify(new Printer(surface.out, surface.err, json), file, options);
  });
  addAuditPast(audit, surface);
  addAuditSinks(audit, surface);
}
