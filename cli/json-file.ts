import { readFileSync } from 'node:fs';
import { FleetFailure } from '../sdk/index.ts';

/** What a file says in JSON. @throws BAD_INPUT when it is none */
export function readJsonFile(file: string): object {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as object;
  } catch {
    throw new FleetFailure('BAD_INPUT', `${file} cannot be read as JSON`);
  }
}
