import { readFile } from 'node:fs/promises';
import { FleetFailure } from '../../sdk/index.ts';
import type { Printer } from '../output/printer.ts';

export interface VerifyOptions {
  key?: string;
  checkpoint?: string;
  witness?: string[];
  allowRemoved?: boolean;
}

/** So many entries are verified between two lines of progress. */
const TELL_EVERY = 250_000;

/** Says that an exported log is whole, or what is wrong with it first. @throws FleetFailure CONFLICT when it is damaged */
export async function verify(printer: Printer, file: string, options: VerifyOptions): Promise<void> {
  // Only this command needs the tree and the signatures; the others start without them.
  const { Damage, verifyFile } = await import('../../lib/audit-export/index.ts');
  const older = options.checkpoint === undefined ? undefined : await present(readFile(options.checkpoint, 'utf8'));
  if (options.witness && older === undefined)
    throw new FleetFailure('BAD_INPUT', '--witness says who cosigned a checkpoint: give it with --checkpoint');
  let told = 0;
  const progress = (entries: number) => {
    if (entries < told + TELL_EVERY) return;
    told = entries;
    printer.note(`${entries} entries are whole so far`);
  };
  try {
    const { key, witness: witnesses, allowRemoved: mayBeRemoved } = options;
    const given = { key, older, witnesses, mayBeRemoved };
    const found = await present(verifyFile(file, given, progress));
    printer.answer({ isWhole: true, ...found, isKeyGiven: options.key !== undefined }, () => {
      printer.line(`${found.size} entries are whole, in order, and signed`);
      printer.line(`log   ${found.origin}`);
      printer.line(`root  ${found.rootHash}`);
      if (found.removed) printer.line(`of ${found.removed} of them only the hash is left`);
    });
    if (options.key === undefined)
      printer.note(`fleet: the key is the file’s own; to know whose log it is, give --key ${found.key}`);
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    const { fault, index, id, message } = error;
    if (printer.json) printer.answer({ isWhole: false, fault, index, id, message }, () => undefined);
    throw new FleetFailure('CONFLICT', `${file} is damaged, ${fault}: ${message}`);
  }
}

/** @throws FleetFailure NOT_FOUND for a file that is not there */
async function present<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new FleetFailure('NOT_FOUND', `there is no file ${path}`);
    throw error;
  }
}
