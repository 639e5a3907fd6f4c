import type { MigrationInterface, QueryRunner } from 'typeorm';
import { WRITE_TABLES } from '../lib/write/tables.ts';

/** The audit trail: entries as canonical bytes, and one Merkle tree over them. */
export class AuditTrail1795405000003 implements MigrationInterface {
  async up(run: QueryRunner): Promise<void> {
    for (const statement of WRITE_TABLES) await run.query(statement);
    await run.query(`
      create table entry (
        seq         bigserial primary key,
        id          uuid not null unique,
        occurred_at timestamptz not null,
        actor_id    text not null,
        actor_kind  text not null,
        actor_name  text not null,
        action      text not null,
        outcome     text not null check (outcome in ('SUCCEEDED', 'FAILED', 'DENIED')),
        reason      text,
        target_type text not null,
        target_id   text not null,
        request_id  text not null,
        trace_id    text,
        client_ip   text,
        caused_by   uuid,
        words       text not null,
        leaf        bytea,
        leaf_hash   bytea not null check (octet_length(leaf_hash) = 32),
        position    bigint unique check (position >= 1)
      )`);
    await run.query('create index entry_unplaced on entry (seq) where position is null');
    await run.query('create index entry_newest on entry (occurred_at desc, id desc)');
    await run.query('create index entry_of_target on entry (target_id, occurred_at desc, id desc)');
    await run.query('create index entry_of_actor on entry (actor_id, occurred_at desc, id desc)');
    await run.query('create index entry_of_action on entry (action, occurred_at desc, id desc)');
    // Hashes of perfect subtrees above the leaves; a leaf's own is in its entry.
    await run.query(`
      create table tree_node (
        level smallint not null check (level >= 1),
        index bigint not null check (index >= 0),
        hash  bytea not null check (octet_length(hash) = 32),
        primary key (level, index)
      )`);
    await run.query(`
      create table signing_key (
        one         boolean primary key default true check (one),
        origin      text not null,
        private_key bytea not null,
        created_at  timestamptz not null
      )`);
    // One row, so that there is one newest checkpoint and no other to contradict it.
    await run.query(`
      create table tree (
        one           boolean primary key default true check (one),
        epoch         text not null default gen_random_uuid()::text,
        last_position bigint not null default 0,
        root_hash     bytea not null check (octet_length(root_hash) = 32),
        signed_note   text not null,
        signed_at     timestamptz not null
      )`);
  }

  async down(run: QueryRunner): Promise<void> {
    for (const table of ['tree', 'signing_key', 'tree_node', 'entry', 'idempotency', 'audit_outbox', 'stream', 'event'])
      await run.query(`drop table ${table}`);
  }
}
