import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { packageRoot } from '../cli/platform/surroundings.ts';
import { documents, faultsOf, orphans } from './documents.ts';

/** Writes the documents that are made from code; with `--check` only says what of them is wrong, and ends with 1. */
async function main(words: readonly string[]): Promise<void> {
  const root = packageRoot();
  const made = await documents(root);
  for (const line of made.leftOut) console.error(`left as it is: ${line}`);
  if (!words.includes('--check')) {
    for (const file of orphans(root, made)) rmSync(path.join(root, file));
    for (const [file, text] of Object.entries(made.pages)) {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    }
  }
  const faults = faultsOf(root, made);
  for (const line of faults) console.error(line);
  if (faults.length) process.exitCode = 1;
}

void main(process.argv.slice(2));
