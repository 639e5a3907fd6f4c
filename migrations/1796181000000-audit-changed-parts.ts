import type { MigrationInterface, QueryRunner } from 'typeorm';
import { changedParts } from '../lib/changed-parts.ts';

const BATCH = 500;

/** Entries are found by what they changed. */
export class AuditChangedParts1796181000000 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    await run.query(`alter table entry add column changed text[] not null default '{}'`);
    for (let seq = '0', isMore = true; isMore; ) {
      const rows: { seq: string; id: string; leaf: Buffer }[] = await run.query(
        'select seq, id, leaf from entry where seq > $1 and leaf is not null order by seq limit $2',
        [seq, BATCH],
      );
      const told = rows.map(({ id, leaf }) => {
        const { before, after } = JSON.parse(leaf.toString()) as { before: unknown; after: unknown };
        return { id, changed: changedParts(before, after) };
      });
      await run.query(
        `update entry e set changed = array(select jsonb_array_elements_text(t.one -> 'changed'))
           from jsonb_array_elements($1::jsonb) as t(one) where e.id = (t.one ->> 'id')::uuid`,
        [JSON.stringify(told)],
      );
      isMore = rows.length === BATCH;
      seq = rows.at(-1)?.seq ?? seq;
    }
  }

  async down(run: QueryRunner): Promise<void> {
    await run.query('alter table entry drop column changed');
  }
}
