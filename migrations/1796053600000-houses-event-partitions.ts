import type { MigrationInterface, QueryRunner } from 'typeorm';
import { EVENT_PARTITIONS } from '../lib/write/tables.ts';

/** Events in partitions, so that old ones go a partition at a time. The same in every house that has events. */
export class EventPartitions1796053600000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of EVENT_PARTITIONS) await run.query(statement);
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query(
      'create table event_whole (like event including defaults including constraints, primary key (seq))',
    );
    await run.query('alter table event_whole add unique (position)');
    await run.query('insert into event_whole select * from event');
    await run.query('alter sequence event_seq_seq owned by event_whole.seq');
    await run.query('drop table event');
    await run.query('alter table event_whole rename to event');
    await run.query('alter index event_whole_pkey rename to event_pkey');
    await run.query('alter table event rename constraint event_whole_position_key to event_position_key');
    await run.query('create index event_unplaced on event (seq) where position is null');
    await run.query('create index event_by_entity on event (type, entity_id, seq)');
    await run.query('alter table stream drop column oldest_position');
  }
}
