import { Field, ID, Int, ObjectType } from 'type-graphql';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { ContactPointKind, NotificationState } from './enums.ts';

@ObjectType({ description: 'One step of an escalation.' })
export class EscalationStep {
  /** Milliseconds, as the Duration scalar takes them. */
  @Field(() => SCALARS.Duration, {
    name: 'after',
    description: 'Pause since the step before; of the first step, since the alert fired.',
  })
  afterMs!: number;

  @Field(() => [String], { description: 'Names of the contact points that are told.' })
  contactPoints!: string[];
}

@Entity('escalation_policy')
@ObjectType({ description: 'Who is told of an alert, in steps, until somebody acknowledges it.' })
export class EscalationPolicy {
  @PrimaryColumn('text')
  @Field({ description: 'Its name. `default` serves alerts whose rule names none.' })
  name!: string;

  @Column('int')
  @Field(() => Int, { description: 'Counts its changes, from 1.' })
  version!: number;

  @Column('jsonb')
  @Field(() => [EscalationStep], { description: 'Its steps, in order.' })
  steps!: EscalationStep[];

  @Column('int')
  @Field(() => Int, {
    description: 'How many more rounds follow the first; the pause between rounds is the longest pause of a step.',
  })
  repeat!: number;
}

@Entity('contact_point')
@ObjectType({ description: 'Where notifications go.' })
export class ContactPoint {
  @PrimaryColumn('text')
  @Field({ description: 'Unique among the contact points; policies name it by this.' })
  name!: string;

  @Column('int')
  @Field(() => Int, { description: 'Counts its changes, from 1.' })
  version!: number;

  @Column('text')
  @Field(() => ContactPointKind, { description: 'How it is reached.' })
  kind!: ContactPointKind;

  @Column('text')
  @Field({ description: 'Its address.' })
  target!: string;

  /** Encrypted; never shown. */
  @Column('bytea', { name: 'sealed_secret', nullable: true })
  sealedSecret!: Buffer | null;
}

/** A row of the outbox. Its body is fixed when it is queued, so that each attempt sends the same bytes. */
@Entity('notification')
@ObjectType({ description: 'One message to one contact point about one alert.' })
export class Notification {
  @PrimaryColumn('uuid')
  @Field(() => ID, { description: 'The same for each attempt; a webhook gets it as `webhook-id`.' })
  id!: string;

  @Column({ type: 'bigint', insert: false, update: false })
  seq!: string;

  @Column('uuid', { name: 'alert_id' })
  alertUuid!: string;

  @Column('text', { name: 'contact_point' })
  @Field({ description: 'The contact point’s name.' })
  contactPoint!: string;

  @Column('text')
  @Field({ description: 'What it tells: `alert.fired` or `alert.resolved`.' })
  kind!: string;

  @Column('int')
  round!: number;

  @Column('int')
  step!: number;

  @Column('text')
  @Field(() => NotificationState, { description: 'What became of it.' })
  state!: NotificationState;

  @Column('int')
  @Field(() => Int, { description: 'How often it was tried.' })
  attempts!: number;

  @Column('timestamptz', { name: 'next_attempt_at' })
  nextAttemptAt!: Date;

  @Column('timestamptz', { name: 'sent_at', nullable: true })
  @Field(() => Date, { nullable: true, description: 'When the target took it.' })
  sentAt!: Date | null;

  @Column('text', { nullable: true })
  @Field(() => String, { nullable: true, description: 'Why the last attempt failed.' })
  error!: string | null;

  @Column('text')
  body!: string;
}
