import type { MigrationInterface, QueryRunner } from 'typeorm';
import { WRITE_TABLES } from '../lib/write/tables.ts';

const TABLES = [
  `create table alert_rule (
     id                  uuid primary key,
     name                text not null unique,
     version             int not null,
     severity            text not null check (severity in ('INFO', 'WARNING', 'CRITICAL')),
     enabled             boolean not null,
     for_ms              int not null check (for_ms >= 0),
     keep_firing_for_ms  int not null check (keep_firing_for_ms >= 0),
     every_ms            int not null check (every_ms > 0),
     condition           jsonb not null,
     labels              jsonb not null,
     annotations         jsonb not null,
     escalation_policy   text,
     health              text not null check (health in ('OK', 'NO_DATA', 'ERROR')),
     health_reason       text,
     last_evaluated_at   timestamptz,
     next_evaluation_at  timestamptz not null,
     created_at          timestamptz not null
   )`,
  'create index alert_rule_due on alert_rule (next_evaluation_at) where enabled',
  `create table alert (
     id                  uuid primary key,
     fingerprint         text not null,
     name                text not null,
     severity            text not null check (severity in ('INFO', 'WARNING', 'CRITICAL')),
     state               text not null check (state in ('PENDING', 'FIRING', 'RECOVERING', 'RESOLVED')),
     acknowledgement     jsonb,
     labels              jsonb not null,
     annotations         jsonb not null,
     value               double precision,
     started_at          timestamptz not null,
     fired_at            timestamptz,
     resolved_at         timestamptz,
     resolved_by         jsonb,
     agent_id            text,
     trace_id            text,
     rule_id             uuid references alert_rule (id) on delete set null,
     rule_name           text,
     rule_version        int,
     words               text not null,
     summary             text not null,
     samples             jsonb not null,
     threshold           double precision,
     clear_since         timestamptz,
     held                boolean not null,
     escalation_policy   text,
     escalation_step     int not null,
     escalation_round    int not null,
     escalation_next_at  timestamptz,
     check ((state = 'RESOLVED') = (resolved_at is not null)),
     check (state <> 'FIRING' or fired_at is not null)
   )`,
  // The rule that at most one alert of a fingerprint is open, whatever replicas do.
  `create unique index alert_open on alert (fingerprint) where state <> 'RESOLVED'`,
  'create index alert_newest on alert (started_at desc, id desc)',
  'create index alert_of_agent on alert (agent_id, started_at desc, id desc) where agent_id is not null',
  `create index alert_of_rule on alert (rule_id) where state <> 'RESOLVED' or held`,
  'create index alert_by_fingerprint on alert (fingerprint, started_at desc)',
  `create index alert_escalates on alert (escalation_next_at) where escalation_next_at is not null and state = 'FIRING'`,
  `create table escalation_policy (
     name    text primary key,
     version int not null,
     steps   jsonb not null,
     repeat  int not null check (repeat between 0 and 10)
   )`,
  `create table contact_point (
     name          text primary key,
     version       int not null,
     kind          text not null check (kind in ('WEBHOOK', 'SLACK', 'PAGERDUTY')),
     target        text not null,
     sealed_secret bytea
   )`,
  `create table notification (
     id              uuid primary key,
     seq             bigserial not null unique,
     alert_id        uuid not null references alert (id) on delete cascade,
     contact_point   text not null,
     kind            text not null,
     round           int not null,
     step            int not null,
     state           text not null check (state in ('QUEUED', 'SENT', 'FAILED', 'DROPPED')),
     attempts        int not null,
     next_attempt_at timestamptz not null,
     sent_at         timestamptz,
     error           text,
     body            text not null,
     unique (alert_id, contact_point, kind, round, step)
   )`,
  `create index notification_due on notification (next_attempt_at) where state = 'QUEUED'`,
];

const POLICY = `insert into escalation_policy (name, version, steps, repeat) values ('default', 1, '[]', 0)`;

const RULE = `insert into alert_rule (id, name, version, severity, enabled, for_ms, keep_firing_for_ms, every_ms, condition, labels,
    annotations, health, next_evaluation_at, created_at)
  values ($1, $2, 1, $3, true, $4, $5, $6, $7, '{}', $8, 'OK', now(), now())`;

/** What any fleet wants to be told of: id, name, severity, for, keepFiringFor, every (milliseconds), condition, what to do. */
const RULES: [string, string, string, number, number, number, object, string][] = [
  [
    '019a0000-0000-7000-8000-000000000001',
    'agent-offline',
    'CRITICAL',
    2_000,
    5_000,
    2_000,
    { presence: { presence: 'OFFLINE' } },
    'Look at its last logs, then restart it.',
  ],
  [
    '019a0000-0000-7000-8000-000000000002',
    'agent-unhealthy',
    'WARNING',
    5_000,
    10_000,
    5_000,
    { health: { below: 50 } },
    'Its health’s penalties say what is wrong.',
  ],
  [
    '019a0000-0000-7000-8000-000000000003',
    'error-burst',
    'WARNING',
    0,
    10_000,
    5_000,
    { logs: { filter: { minSeverity: 'ERROR' }, window: 'PT1M', above: 10, groupBy: 'AGENT' } },
    'Its preceding changes say what was done before; its trace shows one of the failures.',
  ],
  [
    '019a0000-0000-7000-8000-000000000004',
    'agent-saturated',
    'WARNING',
    0,
    10_000,
    5_000,
    { metric: { query: { metric: 'task_duration_seconds_sum', overTime: 'RATE', window: 'PT30S' }, above: 0.8 } },
    'It spends over 80 % of its time in tasks: it is slow or has too much to do. Its traces say which.',
  ],
];

/** Rules, alerts, escalation and notifications, and the rules that a new fleet starts with. */
export class AlertsStart1763868000401 implements MigrationInterface {
  name = 'AlertsStart1763868000401';

  async up(run: QueryRunner): Promise<void> {
    for (const statement of [...WRITE_TABLES, ...TABLES, POLICY]) await run.query(statement);
    for (const [id, name, severity, forMs, keepMs, everyMs, condition, action] of RULES) {
      const json = [JSON.stringify(condition), JSON.stringify({ action })];
      await run.query(RULE, [id, name, severity, forMs, keepMs, everyMs, ...json]);
    }
  }

  async down(run: QueryRunner): Promise<void> {
    for (const table of ['notification', 'contact_point', 'escalation_policy', 'alert', 'alert_rule']) {
      await run.query(`drop table ${table}`);
    }
    for (const table of ['event', 'stream', 'audit_outbox', 'idempotency']) await run.query(`drop table ${table}`);
  }
}
