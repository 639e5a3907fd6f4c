import { Field, Float, Int, ObjectType, registerEnumType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { isoDuration, SCALARS } from '../../../lib/graphql/scalars.ts';

export enum RecoveryMode {
  ACT = 'ACT',
  OBSERVE = 'OBSERVE',
  OFF = 'OFF',
}
registerEnumType(RecoveryMode, {
  name: 'RecoveryMode',
  description: 'What a recovery policy may do.',
  valuesConfig: {
    ACT: { description: 'It takes its steps.' },
    OBSERVE: { description: 'It only tells, in the agent’s story and the trail, what it would do.' },
    OFF: { description: 'Its agents are left alone: the policy’s kill switch.' },
  },
});

export enum RecoveryTrouble {
  SILENT = 'SILENT',
  FAILED = 'FAILED',
  CRASH_LOOP = 'CRASH_LOOP',
  OVERSPENT = 'OVERSPENT',
  CRITICAL = 'CRITICAL',
  DEGRADED = 'DEGRADED',
}
registerEnumType(RecoveryTrouble, {
  name: 'RecoveryTrouble',
  description: 'What a recovery begins with.',
  valuesConfig: {
    SILENT: { description: 'Its lease has ended.' },
    FAILED: { description: 'It says that it failed.' },
    CRASH_LOOP: { description: 'It was started anew five times within two minutes.' },
    OVERSPENT: { description: 'It spent its budget of an hour.' },
    CRITICAL: { description: 'Its score was below 50 for `criticalBeats` beats in a row.' },
    DEGRADED: { description: 'Its score was below 80 for `degradedBeats` beats in a row.' },
  },
});

export enum RecoveryAction {
  RESTART = 'RESTART',
  RESTART_DEPENDANTS = 'RESTART_DEPENDANTS',
  ROLLBACK_CONFIG = 'ROLLBACK_CONFIG',
  PAUSE = 'PAUSE',
  QUARANTINE = 'QUARANTINE',
  PAGE = 'PAGE',
}
registerEnumType(RecoveryAction, {
  name: 'RecoveryAction',
  description: 'One thing a recovery can do.',
  valuesConfig: {
    RESTART: { description: 'Asks it to start anew.' },
    RESTART_DEPENDANTS: { description: 'Asks it, and the agents that depend on it, to start anew.' },
    ROLLBACK_CONFIG: {
      description:
        'Gives it back the last configuration under which it was HEALTHY; passed over when it works by that already.',
    },
    PAUSE: { description: 'Asks it to hold its work until somebody resumes it.' },
    QUARANTINE: { description: 'Keeps it from work until somebody releases it.' },
    PAGE: { description: 'Raises an alert, which escalates to a person.' },
  },
});

@ObjectType({ description: 'One rung of a recovery’s ladder.' })
export class RecoveryStep {
  @Field(() => RecoveryAction, { description: 'What is done.' })
  action!: RecoveryAction;

  @Field(() => Int, { description: 'How often within the window before the next rung.' })
  attempts!: number;

  @Field(() => [RecoveryTrouble], { description: 'Against which troubles.' })
  on!: RecoveryTrouble[];
}

/** How agents are brought back: the row and the GraphQL type are the same class. */
@Entity('recovery_policy')
@ObjectType({ description: 'How the platform brings agents back by itself.' })
export class RecoveryPolicy {
  @PrimaryColumn('text')
  @Field({ description: 'Its name. `default` is there without being applied.' })
  name!: string;

  @Column('int')
  @Field(() => Int, { description: 'Counts its changes, from 1; 0 is the `default` nobody changed.' })
  version!: number;

  @Column('text')
  @Field(() => RecoveryMode, { description: 'Whether it acts, only tells, or is off.' })
  mode!: RecoveryMode;

  @Column('int')
  @Field(() => Int, { description: 'Of several that match, the highest holds; then the first by name.' })
  priority!: number;

  @Column('jsonb')
  @Field(() => [String], { description: 'For agents of these kinds; none: of any.' })
  kinds!: string[];

  @Column('jsonb')
  @Field(() => SCALARS.Labels, { description: 'For agents with all of these labels.' })
  labels!: Record<string, string>;

  @Column('jsonb')
  @Field(() => [RecoveryStep], { description: 'The ladder: a rung is taken when those before it were of no avail.' })
  steps!: RecoveryStep[];

  @Column('int', { name: 'critical_beats' })
  @Field(() => Int, { description: 'So many beats in a row with a score below 50 are trouble.' })
  criticalBeats!: number;

  @Column('int', { name: 'degraded_beats' })
  @Field(() => Int, { description: 'So many beats in a row with a score below 80 are trouble.' })
  degradedBeats!: number;

  /** Milliseconds, as the Duration scalar takes them; so are those below. */
  @Column('int', { name: 'window_ms' })
  @Field(() => SCALARS.Duration, { name: 'window', description: 'How long a step counts against its attempts.' })
  windowMs!: number;

  @Column('int', { name: 'rest_ms' })
  @Field(() => SCALARS.Duration, { name: 'rest', description: 'Pause after the first step; doubles with each other.' })
  restMs!: number;

  @Column('int', { name: 'max_rest_ms' })
  @Field(() => SCALARS.Duration, { name: 'maxRest', description: 'The longest pause.' })
  maxRestMs!: number;

  @Column('double precision')
  @Field(() => Float, { description: 'By which share a pause is lengthened at most, by chance: 0 to 1.' })
  jitter!: number;

  @Column('int', { name: 'cool_down_ms' })
  @Field(() => SCALARS.Duration, {
    name: 'coolDown',
    description: 'Well for so long, an agent’s earlier steps are forgotten.',
  })
  coolDownMs!: number;

  @Column('double precision', { name: 'max_share' })
  @Field(() => Float, {
    description:
      'The blast radius: no more than this share of a kind, though always one agent, is taken from its work at a time.',
  })
  maxShare!: number;
}

/** What a caller sees of a policy's configuration: compared for changes, written to audit. */
export function configurationOf(policy: RecoveryPolicy): object {
  const { name, mode, priority, kinds, labels, steps, criticalBeats, degradedBeats, jitter, maxShare } = policy;
  const { windowMs, restMs, maxRestMs, coolDownMs } = policy;
  return {
    name,
    mode,
    priority,
    kinds,
    labels,
    steps,
    criticalBeats,
    degradedBeats,
    window: isoDuration(windowMs),
    rest: isoDuration(restMs),
    maxRest: isoDuration(maxRestMs),
    jitter,
    coolDown: isoDuration(coolDownMs),
    maxShare,
  };
}
