import type { HouseContext } from '../../../lib/subgraph.ts';
import type { MetricsLoaders } from '../loaders.ts';
import type { Intake } from '../service/intake.ts';
import type { MeasureService } from '../service/measures.ts';
import type { TraceService } from '../service/traces.ts';

/** What every resolver of this house may reach for. Made anew for each request. */
export interface MetricsContext extends HouseContext {
  /** The time of the request, milliseconds since 1970: all its fields mean the same `now`. */
  nowMs: number;
  intake: Intake;
  measures: MeasureService;
  traces: TraceService;
  loaders: MetricsLoaders;
}
