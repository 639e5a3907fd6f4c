import { FleetError } from '../errors.ts';

const MAX_NAME = 256;

/** @throws BAD_INPUT for a name that is empty or too long */
export function checkName(name: string): void {
  if (!name.trim() || name.length > MAX_NAME)
    throw new FleetError('BAD_INPUT', `a name has 1 to ${MAX_NAME} characters`, { field: ['name'] });
}

/**
 * @param expected nothing asks for nothing; 0 that there is none yet
 * @throws CONFLICT when what is stored has another version
 */
export function checkVersion(expected: number | null | undefined, version: number | undefined, what: string): void {
  if (expected == null || expected === (version ?? 0)) return;
  const is = version === undefined ? 'does not exist' : `is at version ${version}`;
  throw new FleetError('CONFLICT', `${what} ${is}, not at ${expected}: read it again`, { field: ['expectedVersion'] });
}
