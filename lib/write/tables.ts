/**
 * The tables that every house with mutations has in its own schema. Frozen once shipped: a change is a new list and a migration.
 * `event` and `audit_outbox` rows get a `position` after commit, from one sequencer (docs/streams.md 1.2).
 */
export const WRITE_TABLES: readonly string[] = [
  `create table event (
     seq         bigserial primary key,
     occurred_at timestamptz not null,
     kind        text not null check (kind in ('CREATED', 'UPDATED', 'DELETED')),
     type        text not null,
     entity_id   text not null,
     node        jsonb not null,
     previous    jsonb,
     position    bigint unique
   )`,
  'create index event_unplaced on event (seq) where position is null',
  'create index event_by_entity on event (type, entity_id, seq)',
  `create table stream (
     one           boolean primary key default true check (one),
     epoch         text not null default gen_random_uuid()::text,
     last_position bigint not null default 0
   )`,
  'insert into stream default values',
  `create table audit_outbox (
     seq        bigserial primary key,
     id         uuid not null unique,
     entry      jsonb not null,
     created_at timestamptz not null default now()
   )`,
  `create table idempotency (
     principal    text not null,
     key          text not null,
     action       text not null,
     args_hash    text not null,
     outcome      jsonb,
     created_at   timestamptz not null default now(),
     primary key (principal, key, action)
   )`,
  'create index idempotency_age on idempotency (created_at)',
];

/**
 * Events in partitions of their `seq`, so that old ones go a partition at a time (STREAMS.md 1.3). What was there stays in the
 * first one. What has no partition yet falls into `event_beyond`. A `position` is unique within each partition, and over all by
 * the counter it comes from. Frozen like the tables above.
 */
export const EVENT_PARTITIONS: readonly string[] = [
  'alter table event rename to event_0',
  'alter index event_pkey rename to event_0_pkey',
  'alter index event_unplaced rename to event_0_unplaced',
  'drop index event_by_entity',
  `create table event (like event_0 including defaults including constraints, primary key (seq)) partition by range (seq)`,
  'create index event_unplaced on event (seq) where position is null',
  'alter sequence event_seq_seq owned by event.seq',
  `do $$ begin
     execute format('alter table event attach partition event_0 for values from (minvalue) to (%s)',
       (select last_value / 250000 + 1 from event_seq_seq) * 250000);
   end $$`,
  'create table event_beyond partition of event default',
  'alter table event_beyond add unique (position)',
  'alter table stream add column oldest_position bigint not null default 1',
];
