import type { Settings } from '../../lib/settings/index.ts';
import type { SchemaOptions } from '../options.ts';

/** How a new schema comes into service, as the settings say. @param operationsFile unless they say so */
export function schemaIn(settings: Settings, operationsFile?: string): SchemaOptions {
  return {
    canary: { share: settings.FLEET_CANARY_SHARE, forMs: settings.FLEET_CANARY_MS },
    operationsFile: settings.FLEET_OPERATIONS_FILE ?? operationsFile,
  };
}
