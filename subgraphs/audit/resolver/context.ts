import type { HouseContext } from '../../../lib/subgraph.ts';
import type { AuditLoaders } from '../loaders.ts';
import type { WitnessDesk } from '../service/cosigning/index.ts';
import type { AuditService } from '../service/index.ts';
import type { MerkleLog } from '../service/merkle-log.ts';
import type { Readings } from '../service/readings.ts';
import type { SinkDesk } from '../service/sink/index.ts';
import type { TrailConfiguration } from '../service/trail-configuration.ts';
import type { CosignatureStore, ProgressStore } from '../store/index.ts';

/** What every resolver of this house may reach for. Made anew for each request. */
export interface AuditContext extends HouseContext {
  service: AuditService;
  log: MerkleLog;
  readings: Readings;
  desk: WitnessDesk;
  cosignatures: CosignatureStore;
  sinks: SinkDesk;
  trail: TrailConfiguration;
  progress: ProgressStore;
  loaders: AuditLoaders;
}
