import type { Condition } from '../entity/condition.ts';
import { readHealth, readPresence } from './agent-conditions.ts';
import { causeOf } from './cause.ts';
import { readErrors } from './error-condition.ts';
import { readLogs } from './log-condition.ts';
import { readMetric } from './metric-condition.ts';
import type { Houses, Reading, Sources } from './sources.ts';

/** Looks where a condition points: into the house that owns what it speaks of. */
export class HouseSources implements Sources {
  constructor(private readonly houses: Houses) {}

  read(condition: Condition, nowMs: number): Promise<Reading> {
    if ('metric' in condition) return readMetric(this.houses, condition.metric);
    if ('logs' in condition) return readLogs(this.houses, condition.logs, nowMs);
    if ('errors' in condition) return readErrors(this.houses, condition.errors, nowMs);
    if ('presence' in condition) return readPresence(this.houses, condition.presence);
    return readHealth(this.houses, condition.health, nowMs);
  }

  causeOf(agentId: string): Promise<string | undefined> {
    return causeOf(this.houses, agentId);
  }
}
