import { Field, Int, ObjectType } from 'type-graphql';
import { LogSeverity } from '../../../lib/graphql/log-filter.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { LogEntry } from './log-entry.ts';

@ObjectType({ description: 'How many of the matching entries have one value of a field.' })
export class LogFacet {
  @Field({ description: 'The value as text, cut at 1,000 characters; an agent is its id.' })
  value!: string;

  @Field(() => SCALARS.SafeInt, { description: 'How many entries have it.' })
  count!: number;

  @Field({ description: 'Of all that match, 0 to 1; those without the field are among them.' })
  share!: number;

  @Field({
    description:
      'Whether every entry was counted. If not, so many match that a part of them was, spread over the table, and the rest is inferred.',
  })
  isExact!: boolean;
}

@ObjectType({ description: 'Entries that say the same but for some places, such as numbers and names.' })
export class LogPattern {
  @Field({ description: 'What they have in common, each place that differs as `<*>`.' })
  template!: string;

  @Field(() => SCALARS.SafeInt, { description: 'How many of the entries read are of it.' })
  count!: number;

  @Field({ description: 'Of the entries read, 0 to 1.' })
  share!: number;

  @Field(() => LogSeverity, { description: 'The gravest severity among them.' })
  severity!: LogSeverity;

  @Field(() => Date, { description: 'When the oldest of them happened.' })
  firstSeenAt!: string;

  @Field(() => Date, { description: 'When the newest of them happened.' })
  lastSeenAt!: string;

  /** Bare uuid of the newest. */
  sampleUuid!: string;

  @Field(() => LogEntry, { nullable: true, description: 'The newest of them; null when retention took it meanwhile.' })
  sample?: LogEntry | null;

  @Field(() => SCALARS.SafeInt, {
    description: 'How many entries all patterns of this answer were made of: the newest that match.',
  })
  rowsRead!: number;

  @Field({ description: 'Whether those were all that match.' })
  isComplete!: boolean;
}

@ObjectType({ description: 'A word that a search could go on with.' })
export class LogCompletion {
  @Field({ description: 'The whole word as it would be.' })
  text!: string;

  @Field(() => Int, { description: 'Where the word that it replaces begins, characters from 0; it ends at the caret.' })
  from!: number;
}

@ObjectType({ description: 'What was read for a page of entries.' })
export class LogScan {
  @Field(() => SCALARS.SafeInt, { description: 'Rows of the table that were looked at.' })
  rows!: number;

  @Field(() => SCALARS.SafeInt, { description: 'Bytes of them, unpacked.' })
  bytes!: number;

  @Field({ description: 'How long the engine took, milliseconds.' })
  elapsedMs!: number;

  @Field(() => Date, { nullable: true, description: 'Where the time asked for begins; null: with what is kept.' })
  from!: string | null;

  @Field(() => Date, {
    nullable: true,
    description: 'Where the time asked for ends, itself outside; null: it does not.',
  })
  to!: string | null;

  @Field(() => [String], {
    description:
      'Indexes that left out parts of the table: `partition`, `time`, `words`, `attributes`, `traces`, `stamps`, `observations`.',
  })
  indexes!: string[] | (() => Promise<string[]>);

  @Field({ description: 'Whether every matching entry was considered; a search that cannot be is refused as TIMEOUT.' })
  isExact!: boolean;
}
