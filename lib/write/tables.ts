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
