import { existsSync } from 'node:fs';
import path from 'node:path';
import { FleetFailure } from '../../sdk/index.ts';
import { clientFor, dataFolder, platformUrl, STANDARD_URL, tokenIfAny } from '../client.ts';
import type { Surface } from '../context.ts';
import { EXIT_CODE, exitCodeOf } from '../output/exit-code.ts';
import { Printer } from '../output/printer.ts';
import { objection } from './configuration.ts';
import { replaceFile } from './folder.ts';
import type { Plan } from './project.ts';

/** Words that every way of creating takes. */
export interface CommonOptions {
  dir?: string;
  yes?: boolean;
  dryRun?: boolean;
  diff?: boolean;
  url?: string;
  json?: boolean;
}

/** What follows when the files are there. */
interface Then {
  /** What to do next, a command a line. */
  next?: string[];
  /** A file that a running platform looks at. */
  look?: { file: string; what: 'migration' | 'rule' };
  /** A new project is told where this machine’s platform keeps its data. */
  tellsPlatform?: boolean;
}

/** Does what is planned, or tells it; marks of a merge end the command with a code of their own. */
export async function carryOut(plan: Plan, options: CommonOptions, surface: Surface, then: Then = {}): Promise<void> {
  const printer = new Printer(surface.out, surface.err, options.json ?? false);
  const isWritten = !options.dryRun && !options.diff;
  if (isWritten) plan.write();
  if (isWritten && then.tellsPlatform && plan.isNew) tellPlatform(plan.folder, options.url, surface.root);
  const files = plan.steps.map(({ path: file, outcome }) => ({ path: file, outcome }));
  const diff = options.diff ? plan.diff() : undefined;
  const next = isWritten && !plan.conflicts.length ? (then.next ?? []) : [];
  printer.answer({ folder: plan.folder, written: isWritten, files, conflicts: plan.conflicts, diff, next }, () => {
    if (diff !== undefined) return surface.out.write(diff);
    for (const { path: file, outcome } of files) printer.line(`${outcome.padEnd(8)}  ${file}`);
    if (!files.length) printer.line('nothing changes');
    for (const line of next) printer.line(`next: ${line}`);
    return undefined;
  });
  if (plan.conflicts.length) {
    printer.note(`fleet: both sides changed the same in ${plan.conflicts.join(', ')}: settle what is marked`);
    return surface.exit(EXIT_CODE.refused);
  }
  if (isWritten && then.look)
    await lookAt(path.join(plan.folder, then.look.file), then.look.what, options, surface, printer);
}

/** A running platform’s word on a file, where there is one. */
async function lookAt(
  file: string,
  what: 'migration' | 'rule',
  { url }: CommonOptions,
  surface: Surface,
  printer: Printer,
): Promise<void> {
  if (!tokenIfAny(surface.root)) return printer.note('not looked at by a platform: there is no token');
  try {
    const refused = await objection(file, what, clientFor(url, surface.root, LOOK_MS));
    if (!refused) return printer.note(`the platform at ${platformUrl(url)} would take it`);
    printer.note(`fleet: the platform would refuse it: ${refused.message} (${refused.code})`);
    surface.exit(exitCodeOf(refused.code));
  } catch (error) {
    if (!(error instanceof FleetFailure)) throw error;
    printer.note(`not looked at by a platform: ${error.message} (${error.code})`);
  }
}

const LOOK_MS = 3_000;

/** Written once, for this machine alone: where the token is, never the token. */
function tellPlatform(folder: string, url: string | undefined, root: string): void {
  const data = dataFolder(root);
  const address = platformUrl(url);
  const lines = [
    ...(existsSync(path.join(data, 'admin-token')) ? [`FLEET_DATA=${quoted(data)}`] : []),
    ...(address === STANDARD_URL ? [] : [`FLEET_URL=${address}`]),
  ];
  if (lines.length) replaceFile(folder, '.env', Buffer.from(`${lines.join('\n')}\n`), 0o600);
}

const quoted = (text: string) => (text.includes("'") ? `"${text}"` : `'${text}'`);
