import { createHash } from 'node:crypto';
import { FleetError } from '../errors.ts';
import type { TelemetryStore } from './index.ts';

const TABLE = `create table if not exists fleet_migration (
  house       String,
  version     UInt32,
  hash        String,
  applied_at  DateTime64(3, 'UTC') default now64(3)
) engine = ReplacingMergeTree order by (house, version)`;

/**
 * Runs what is new of a house's list. Statements are written so that running one twice is harmless (`if not exists`): a crash
 * between a statement and its record repeats it.
 */
export async function migrateHouse(store: TelemetryStore, house: string, statements: readonly string[]): Promise<void> {
  await store.command(TABLE);
  const rows = await store.query<{ version: number; hash: string }>(
    'select version, any(hash) as hash from fleet_migration where house = {house:String} group by version order by version',
    { house },
  );
  if (rows.length > statements.length) {
    throw new FleetError('CONFLICT', `the ${house} telemetry was migrated by newer code: update`);
  }
  for (const [at, statement] of statements.entries()) {
    const hash = createHash('sha256').update(statement).digest('hex');
    const known = rows[at];
    if (known && known.hash !== hash) {
      throw new FleetError(
        'CONFLICT',
        `telemetry migration ${at + 1} of ${house} was changed after it ran: add a new one instead`,
      );
    }
    if (known) continue;
    await store.command(statement);
    await store.command(
      'insert into fleet_migration (house, version, hash) select {house:String}, {version:UInt32}, {hash:String}',
      { house, version: at + 1, hash },
    );
  }
}
