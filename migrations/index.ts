import type { MigrationInterface } from 'typeorm';
import { AlertsStart1763868000401 } from './1763868000401-alerts-start.ts';
import { AuditTrail1795405000003 } from './1795405000003-audit-trail.ts';
import { AgentsRegistry1795405937193 } from './1795405937193-agents-registry.ts';
import { LogsRetention1795406000004 } from './1795406000004-logs-retention.ts';
import { EventPartitions1796053600000 } from './1796053600000-houses-event-partitions.ts';
import { LogsErrorResolutions1796067600000 } from './1796067600000-logs-error-resolutions.ts';
import { AuditDryRuns1796091600000 } from './1796091600000-audit-dry-runs.ts';
import { LogsSweepPlan1796091600001 } from './1796091600001-logs-sweep-plan.ts';
import { LogsSearchesMetrics1796091600002 } from './1796091600002-logs-searches-metrics.ts';
import { AuditProgress1796092800000 } from './1796092800000-audit-progress.ts';
import { LogsErrorWatch1796094000000 } from './1796094000000-logs-error-watch.ts';
import { LogsErrorBridges1796095200000 } from './1796095200000-logs-error-bridges.ts';
import { AgentsCauses1796096400000 } from './1796096400000-agents-causes.ts';
import { AlertsCauses1796096400001 } from './1796096400001-alerts-causes.ts';
import { AuditWitnesses1796097600000 } from './1796097600000-audit-witnesses.ts';
import { AgentsJobs1796180400000 } from './1796180400000-agents-jobs.ts';
import { AgentsSaid1796180400001 } from './1796180400001-agents-said.ts';
import { AgentsPast1796180400002 } from './1796180400002-agents-past.ts';
import { AgentsTokenIncarnation1796180400003 } from './1796180400003-agents-token-incarnation.ts';
import { AgentsVersions1796180410000 } from './1796180410000-agents-versions.ts';
import { AgentsRollouts1796180410001 } from './1796180410001-agents-rollouts.ts';
import { AgentsRecovery1796180420000 } from './1796180420000-agents-recovery.ts';
import { AgentsHealthModel1796180420001 } from './1796180420001-agents-health-model.ts';
import { AgentsPeers1796180440000 } from './1796180440000-agents-peers.ts';
import { AuditChangedParts1796181000000 } from './1796181000000-audit-changed-parts.ts';
import { AgentsProfiles1796240000000 } from './1796240000000-agents-profiles.ts';
import { AgentsStoryRetention1796241000000 } from './1796241000000-agents-story-retention.ts';
import { AuditAppliedSinks1796242000000 } from './1796242000000-audit-applied-sinks.ts';

type Migration = abstract new (...args: never[]) => MigrationInterface;

/** The migrations of each house, in the order they run. Never edit one that has shipped: add another. */
export const migrations: Record<string, Migration[]> = {
  agents: [
    AgentsRegistry1795405937193,
    EventPartitions1796053600000,
    AgentsCauses1796096400000,
    AgentsVersions1796180410000,
    AgentsRollouts1796180410001,
    AgentsPeers1796180440000,
    AgentsJobs1796180400000,
    AgentsSaid1796180400001,
    AgentsPast1796180400002,
    AgentsTokenIncarnation1796180400003,
    AgentsRecovery1796180420000,
    AgentsHealthModel1796180420001,
    AgentsProfiles1796240000000,
    AgentsStoryRetention1796241000000,
  ],
  logs: [
    LogsRetention1795406000004,
    EventPartitions1796053600000,
    LogsErrorResolutions1796067600000,
    LogsSweepPlan1796091600001,
    LogsSearchesMetrics1796091600002,
    LogsErrorWatch1796094000000,
    LogsErrorBridges1796095200000,
  ],
  audit: [
    AuditTrail1795405000003,
    EventPartitions1796053600000,
    AuditDryRuns1796091600000,
    AuditProgress1796092800000,
    AuditWitnesses1796097600000,
    AuditChangedParts1796181000000,
    AuditAppliedSinks1796242000000,
  ],
  alerts: [AlertsStart1763868000401, EventPartitions1796053600000, AlertsCauses1796096400001],
  metrics: [],
};
