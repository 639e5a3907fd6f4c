import { Directive, Field, ID, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { Node } from '../../../lib/graphql/shared.ts';
import { nodeId } from '../../../lib/node-id.ts';
import type { Attempt } from './attempt.ts';
import { AgentState, HealthGrade } from './enums.ts';
import { evidenceQuery } from './evidence.ts';
import { HealthFactor } from './health-model.ts';

@ObjectType({ description: 'Something that takes from an agent’s health.' })
export class HealthPenalty {
  @Field({ description: 'What is wrong.' })
  reason!: string;

  @Field(() => Int, { description: 'What it takes from the score.' })
  points!: number;

  @Field({ description: 'What was seen.' })
  evidence!: string;

  @Field(() => HealthFactor, { nullable: true, description: 'The factor that it is of.' })
  factor?: HealthFactor;

  @Field(() => String, { nullable: true, description: 'A query, ready to be sent, that shows it.' })
  query?: string | null;

  /** uuid of another agent that it is about. */
  about?: string;
}

@ObjectType({ description: 'How well an agent does, and what speaks against it.' })
export class AgentHealth {
  @Field(() => Int, { description: 'From 0 to 100; 100 less the penalties’ points.' })
  score!: number;

  @Field(() => HealthGrade, {
    description: 'The score in one word: it falls at once, and rises when the score stays above the bound.',
  })
  grade!: HealthGrade;

  @Field(() => [HealthPenalty], { description: 'The gravest first; their points sum exactly to 100 - score.' })
  penalties!: HealthPenalty[];

  @Field(() => Date, { description: 'When it was computed last.' })
  computedAt!: Date;
}

@ObjectType({ description: 'An address that an agent answers at.' })
export class AgentEndpoint {
  @Field({ description: 'What it is for.' })
  name!: string;

  @Field({ description: 'Where it answers: an absolute URL.' })
  url!: string;
}

@ObjectType({
  description: 'An agent runs another version or configuration than it should, for longer than the grace.',
})
export class AgentDrift {
  @Field(() => Date, { description: 'Since when.' })
  since!: Date;

  @Field(() => Date, { description: 'When it was told last, and sent again what it should run.' })
  toldAt!: Date;
}

/** One agent of the fleet: the row and the GraphQL type are the same class. */
@Entity('agent')
@Directive('@key(fields: "id")')
@Directive('@key(fields: "name")')
@ObjectType('Agent', { implements: Node, description: 'One agent of the fleet.' })
export class Agent {
  @PrimaryColumn('uuid', { name: 'id' })
  uuid!: string;

  @Field(() => ID, { description: 'Opaque, stable for life.' })
  get id(): string {
    return nodeId('Agent', this.uuid);
  }

  @Column('text')
  @Field({ description: 'Unique among agents whose life is not over.' })
  name!: string;

  @Column('text')
  @Field({ description: 'What sort of agent it is.' })
  kind!: string;

  @Column('text')
  @Field({ description: 'The version of its code that runs.' })
  version!: string;

  /** The words of name and kind, a blank around each: what searches look through. */
  @Column('text')
  words!: string;

  /** What the fleet sees: `observedState` of the two below. */
  @Column('text')
  @Field(() => AgentState, { description: 'Where it is in its life, as observed.' })
  state!: AgentState;

  @Column('text', { name: 'reported_state' })
  reportedState!: AgentState;

  /** What it said last itself, and since when it says so: one that says STARTING for too long is reported FAILED. */
  @Column('text', { name: 'said_state' })
  saidState!: AgentState;

  @Column('timestamptz', { name: 'said_since' })
  saidSince!: Date;

  @Column('text', { name: 'desired_state' })
  @Field(() => AgentState, { description: 'Where it is asked to be.' })
  desiredState!: AgentState;

  /** What was desired when a quarantine began. */
  @Column('text', { name: 'held_state', nullable: true })
  heldState!: AgentState | null;

  @Column('text')
  @Field(() => AgentPresence, { description: 'Whether it is there, by its lease.' })
  presence!: AgentPresence;

  @Column('int', { name: 'health_score' })
  healthScore!: number;

  @Column('text', { name: 'health_grade' })
  healthGrade!: HealthGrade;

  @Column('jsonb', { name: 'health_penalties' })
  healthPenalties!: HealthPenalty[];

  @Column('timestamptz', { name: 'health_at' })
  healthAt!: Date;

  @Field(() => AgentHealth, { description: 'How well it does.' })
  get health(): AgentHealth {
    return {
      score: this.healthScore,
      grade: this.healthGrade,
      penalties: this.healthPenalties.map((penalty) => ({
        ...penalty,
        query: penalty.factor ? evidenceQuery(penalty.factor, this.id) : null,
      })),
      computedAt: this.healthAt,
    };
  }

  @Column('jsonb')
  @Field(() => SCALARS.Labels, { description: 'Its labels, name to value.' })
  labels!: Record<string, string>;

  @Column('jsonb')
  @Field(() => [AgentEndpoint], { description: 'Where it answers.' })
  endpoints!: AgentEndpoint[];

  @Column('jsonb')
  @Field(() => [String], { description: 'What it can do.' })
  capabilities!: string[];

  @Column('jsonb')
  @Field(() => [String], { description: 'The agents or kinds that it cannot work without, by name.' })
  dependencies!: string[];

  @Column('jsonb')
  @Field(() => SCALARS.JSON, {
    description: 'The configuration it shall work by; observedConfigVersion tells whether it does.',
  })
  config!: Record<string, unknown>;

  @Column('int', { name: 'config_version' })
  @Field(() => Int, { description: 'Counts changes of the configuration, from 1.' })
  configVersion!: number;

  @Column('int', { name: 'observed_config_version', nullable: true })
  @Field(() => Int, {
    nullable: true,
    description: 'The version of the configuration that it works by, as it last said.',
  })
  observedConfigVersion!: number | null;

  @Column('timestamptz', { name: 'registered_at' })
  @Field(() => Date, { description: 'When it was registered first.' })
  registeredAt!: Date;

  @Column('timestamptz', { name: 'last_seen_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When its last beat came.' })
  lastSeenAt!: Date | null;

  @Column('timestamptz', { name: 'lease_expires_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When it counts as OFFLINE unless it beats.' })
  leaseExpiresAt!: Date | null;

  @Column('int')
  @Field(() => Int, { description: 'How often it was started anew after a failure, or on request.' })
  restarts!: number;

  @Column('text', { name: 'desired_version', nullable: true })
  @Field(() => String, {
    nullable: true,
    description: 'The version it should run; null while nobody has said so.',
  })
  desiredVersion!: string | null;

  /** The configuration that goes with the version it should run, until it runs it. */
  @Column('jsonb', { name: 'next_config', nullable: true })
  nextConfig!: Record<string, unknown> | null;

  /** Since when it does not run what it should. */
  @Column('timestamptz', { name: 'drifting_at', nullable: true })
  driftingAt!: Date | null;

  @Column('timestamptz', { name: 'drift_told_at', nullable: true })
  driftToldAt!: Date | null;

  @Field(() => AgentDrift, {
    nullable: true,
    description: 'Whether it runs something else than it should; null when not.',
  })
  get drift(): AgentDrift | null {
    const { driftingAt, driftToldAt } = this;
    return driftingAt && driftToldAt ? { since: driftingAt, toldAt: driftToldAt } : null;
  }

  /** Epoch milliseconds of the last restarts. */
  @Column('jsonb', { name: 'restarted_at_ms' })
  restartedAtMs!: number[];

  /** The last steps that recoveries took for it. */
  @Column('jsonb')
  recoveries!: Attempt[];

  /** The principal that registered it. */
  @Column('text', { name: 'owner_id' })
  ownerId!: string;

  /** Counts the processes that were it: commands are fenced by it. */
  @Column('int')
  incarnation!: number;

  /** Number of the last beat that was taken. */
  @Column('bigint', { name: 'beat_sequence', transformer: { to: (value: number) => value, from: Number } })
  beatSequence!: number;

  /** Number of its last command. */
  @Column('int', { name: 'command_count' })
  commandCount!: number;

  /** Counts every change but mere beats. */
  @Column('int')
  revision!: number;

  /** uuid of the audit entry of its last change by mutation. */
  @Column('uuid', { name: 'changed_by', nullable: true })
  changedBy!: string | null;

  /** uuid of the audit entry of its last move that was observed. */
  @Column('uuid', { name: 'moved_by', nullable: true })
  movedBy!: string | null;

  @Column('timestamptz', { name: 'deregistered_at', nullable: true })
  deregisteredAt!: Date | null;
}

const TIMES = ['healthAt', 'registeredAt', 'lastSeenAt', 'leaseExpiresAt', 'driftingAt', 'driftToldAt'] as const;
/** What a change stream shows of an agent. */
const SHOWN = [
  ...['uuid', 'name', 'kind', 'version', 'state', 'desiredState', 'presence'],
  ...['healthScore', 'healthGrade', 'healthPenalties', 'labels', 'endpoints', 'capabilities', 'dependencies'],
  ...['config', 'configVersion', 'observedConfigVersion', 'desiredVersion', 'restarts', 'ownerId'],
  ...TIMES,
] as (keyof Agent)[];

/** An agent's own fields as JSON, for events. */
export function snapshotOf(agent: Agent): Record<string, unknown> {
  return Object.fromEntries(SHOWN.map((field) => [field, agent[field]]));
}

/** The agent of a snapshot that went through JSON. */
export function agentOf(snapshot: Record<string, unknown>): Agent {
  const times = TIMES.map((field) => [field, snapshot[field] ? new Date(String(snapshot[field])) : null]);
  return Object.assign(new Agent(), snapshot, Object.fromEntries(times));
}

/** A snapshot as callers know it: the contract's names. */
export function shownOf(snapshot: Record<string, unknown>): Record<string, unknown> {
  const agent = agentOf(snapshot);
  const { uuid: _, ownerId: _owner, healthScore: _score, healthGrade: _grade, ...rest } = snapshot;
  const { healthPenalties: _penalties, healthAt: _at, driftingAt: _since, driftToldAt: _told, ...own } = rest;
  return { id: agent.id, ...own, health: agent.health, drift: agent.drift };
}
