import type { HouseRuntime, OpenHouseOptions } from '../../lib/house.ts';
import type { Subgraph } from '../../lib/subgraph.ts';
import { entities as agentEntities, agentsSubgraph } from '../../subgraphs/agents/index.ts';
import { entities as alertEntities, alertsSubgraph } from '../../subgraphs/alerts/index.ts';
import { entities as auditEntities, auditSubgraph } from '../../subgraphs/audit/index.ts';
import { entities as logEntities, logsSubgraph } from '../../subgraphs/logs/index.ts';
import { entities as metricEntities, metricsSubgraph } from '../../subgraphs/metrics/index.ts';

export interface HouseEntry {
  entities: OpenHouseOptions['entities'];
  make(runtime: HouseRuntime): Promise<Subgraph>;
  /** Whether it keeps telemetry: then it shares the process that holds the engine. */
  telemetry: boolean;
}

/** The five houses: the one place that knows them all. */
export const HOUSES: Record<string, HouseEntry> = {
  agents: { entities: agentEntities, make: agentsSubgraph, telemetry: false },
  logs: { entities: logEntities, make: logsSubgraph, telemetry: true },
  audit: { entities: auditEntities, make: auditSubgraph, telemetry: false },
  alerts: { entities: alertEntities, make: alertsSubgraph, telemetry: false },
  metrics: { entities: metricEntities, make: metricsSubgraph, telemetry: true },
};
