import type { Settings } from '../../lib/settings/index.ts';
import type { DocumentsOptions } from './documents.ts';
import { readRegistered } from './registered.ts';

/**
 * What the settings say of known operations.
 * @throws Error when the list cannot be read, or is wanted alone and not given
 */
export function documentsIn(settings: Settings): DocumentsOptions {
  const { FLEET_OPERATIONS: place, FLEET_OPERATIONS_ONLY: registeredOnly } = settings;
  if (registeredOnly && place === undefined) {
    throw new Error('FLEET_OPERATIONS_ONLY without a list would refuse everything: set FLEET_OPERATIONS');
  }
  return {
    registered: place === undefined ? undefined : readRegistered(place),
    registeredOnly,
    learnedBytes: settings.FLEET_LEARNED_OPERATIONS_BYTES,
  };
}
