import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { dataFolder, platformUrl, tokenIfAny, wholeEnvironment } from '../client.ts';
import type { Surface } from '../context.ts';
import type { Examined, Place } from '../doctor/index.ts';
import { EXIT_CODE } from '../output/exit-code.ts';
import { Printer } from '../output/printer.ts';

export function addDoctor(program: Command, surface: Surface): void {
  const command = program
    .command('doctor')
    .description(
      'Looks at install, settings, data folder, machine, engines and platform; says what is wrong and its mend.',
    );
  command.action(async () => {
    const { url, json = false } = command.optsWithGlobals<{ url?: string; json?: boolean }>();
    // It loads the engines' clients, which no other command needs.
    const { examine } = await import('../doctor/index.ts');
    const printer = new Printer(surface.out, surface.err, json);
    const areas: Examined[] = [];
    for await (const examined of examine(placeOf(url, surface.root))) {
      areas.push(examined);
      if (!json) show(printer, examined);
    }
    const findings = areas.flatMap(({ area, findings: found }) => found.map((finding) => ({ area, ...finding })));
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    printer.answer({ healthy: errors === 0, findings }, () => {
      printer.line(findings.length ? `\n${errors} to mend, ${findings.length - errors} to know` : '\nnothing is wrong');
    });
    if (errors) surface.exit(EXIT_CODE.internal);
  });
}

function show(printer: Printer, { area, findings }: Examined): void {
  if (!findings.length) printer.line(`✓ ${area}`);
  for (const { severity, fault, what, mend } of findings) {
    printer.line(`${severity === 'error' ? '✗' : '!'} ${area}: ${what} (${fault})\n  → ${mend}`);
  }
}

function placeOf(url: string | undefined, root: string): Place {
  return {
    env: wholeEnvironment(),
    root,
    data: dataFolder(root),
    url: platformUrl(url),
    token: tokenIfAny(root),
    nodeVersion: process.versions.node,
    isRoot: process.getuid?.() === 0,
    openFiles: openFiles(),
    memoryBytes: Math.max(totalmem(), freemem()),
    freeBytes,
    nowMs: () => Date.now(),
  };
}

/** The soft limit, where the system tells it: Linux. */
function openFiles(): number | undefined {
  const limits = '/proc/self/limits';
  if (!existsSync(limits)) return undefined;
  const told = /^Max open files\s+(\d+)/m.exec(readFileSync(limits, 'utf8'))?.[1];
  return told === undefined ? undefined : Number(told);
}

function freeBytes(folder: string): number | undefined {
  let place = path.resolve(folder);
  while (!existsSync(place)) place = path.dirname(place);
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize;
}
