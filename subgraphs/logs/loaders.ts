import DataLoader from 'dataloader';
import type { LogEntry } from './entity/index.ts';
import type { LogService } from './service/index.ts';

/** Batches of one request. */
export interface LogLoaders {
  /** By uuid; null when there is none. */
  entry: DataLoader<string, LogEntry | null>;
}

export function logLoaders(service: LogService): LogLoaders {
  return { entry: new DataLoader<string, LogEntry | null>((uuids) => service.find(uuids)) };
}
