import type { HouseContext } from '../../../lib/subgraph.ts';
import type { LogLoaders } from '../loaders.ts';
import type { ErrorGroups } from '../service/error-groups.ts';
import type { ErrorResolutions } from '../service/error-resolutions.ts';
import type { ErrorWatch } from '../service/error-watch.ts';
import type { LogService } from '../service/index.ts';
import type { LogMetrics } from '../service/log-metrics.ts';

/** What every resolver of this house may reach for. Made anew for each request. */
export interface LogContext extends HouseContext {
  service: LogService;
  errors: { groups: ErrorGroups; resolutions: ErrorResolutions; watch: ErrorWatch };
  metrics: LogMetrics;
  loaders: LogLoaders;
}
