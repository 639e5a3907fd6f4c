import type { HouseContext } from '../../../lib/subgraph.ts';
import type { LogLoaders } from '../loaders.ts';
import type { LogService } from '../service/index.ts';

/** What every resolver of this house may reach for. Made anew for each request. */
export interface LogContext extends HouseContext {
  service: LogService;
  loaders: LogLoaders;
}
