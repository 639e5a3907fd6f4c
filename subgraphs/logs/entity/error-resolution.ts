import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Actor } from '../../../lib/graphql/shared.ts';

/** That a group of errors is taken for mended. Without a row it is not. */
@Entity('error_resolution')
export class ErrorResolution {
  /** Of the group. */
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Column('timestamptz', { name: 'resolved_at' })
  resolvedAt!: Date;

  @Column('jsonb', { name: 'resolved_by' })
  resolvedBy!: Actor;

  /** The version it is mended in; null when any later error tells that it is not. */
  @Column('text', { name: 'in_version', nullable: true })
  inVersion!: string | null;
}
