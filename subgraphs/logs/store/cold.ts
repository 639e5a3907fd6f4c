import type { TelemetryStore } from '../../../lib/telemetry-store/index.ts';

/** When entries are moved to which storage. */
export interface ColdStorage {
  /** A storage policy of the engine with the volumes `default` and `cold`. */
  policy: string;
  /** Days since they were received. */
  afterDays: number;
}

/**
 * Lets the engine move what is old, part by part, by itself. Counted from when entries were received: so a day of them, which is
 * a partition, moves as one. What is there already is moved too.
 */
export async function keepCold(telemetry: TelemetryStore, { policy, afterDays }: ColdStorage): Promise<void> {
  const [table] = await telemetry.query<{ definition: string }>(
    `select create_table_query as definition from system.tables where database = currentDatabase() and name = 'log'`,
  );
  const definition = table?.definition ?? '';
  const days = `toIntervalDay(${Math.floor(afterDays)})`;
  if (!definition.includes(`storage_policy = '${policy}'`)) {
    await telemetry.command(`alter table log modify setting storage_policy = '${policy}'`);
  }
  if (definition.includes(`${days} TO VOLUME 'cold'`)) return;
  await telemetry.command(
    `alter table log modify ttl toDateTime(intDiv(stamp, 1000000), 'UTC') + ${days} to volume 'cold'
       settings materialize_ttl_after_modify = 1`,
  );
}
