import { Field, ID, InputType, registerEnumType } from 'type-graphql';
import { LabelMatcher, TimeRange } from './shared.ts';

/** What logs are asked by: the logs house searches with it, alert rules carry it. One copy, identical in both. */

export enum LogSeverity {
  TRACE = 'TRACE',
  DEBUG = 'DEBUG',
  INFO = 'INFO',
  WARN = 'WARN',
  ERROR = 'ERROR',
  FATAL = 'FATAL',
}
registerEnumType(LogSeverity, {
  name: 'LogSeverity',
  description: 'How much a log entry matters, least first.',
  valuesConfig: {
    TRACE: { description: 'Every step.' },
    DEBUG: { description: 'For whoever looks for a fault.' },
    INFO: { description: 'What happened in normal work.' },
    WARN: { description: 'Not as it should be, yet the work went on.' },
    ERROR: { description: 'Work failed.' },
    FATAL: { description: 'The program could not go on.' },
  },
});

export enum LogGroup {
  SEVERITY = 'SEVERITY',
  SERVICE = 'SERVICE',
  AGENT = 'AGENT',
}
registerEnumType(LogGroup, {
  name: 'LogGroup',
  description: 'What log entries are counted by.',
  valuesConfig: {
    SEVERITY: { description: 'One group for each severity.' },
    SERVICE: { description: 'One group for each service.' },
    AGENT: { description: 'One group for each agent.' },
  },
});

@InputType({ description: 'Which log entries: lists mean any of, and all parts must hold.' })
export class LogFilter {
  @Field(() => String, { nullable: true, description: 'An expression of the search language.' })
  query?: string | null;

  @Field(() => String, { nullable: true, description: 'What the saved search of this name says, beside `query`.' })
  savedSearch?: string | null;

  @Field(() => [LogSeverity], { nullable: true, description: 'Any of these severities.' })
  severities?: LogSeverity[] | null;

  @Field(() => LogSeverity, { nullable: true, description: 'This severity or a graver one.' })
  minSeverity?: LogSeverity | null;

  @Field(() => [String], { nullable: true, description: 'Any of these services.' })
  services?: string[] | null;

  @Field(() => [ID], { nullable: true, description: 'Any of these agents, by id.' })
  agentIds?: string[] | null;

  @Field(() => String, { nullable: true, description: 'Entries of this trace.' })
  traceId?: string | null;

  @Field(() => TimeRange, {
    nullable: true,
    description: 'Entries of this stretch of time; nothing means all that is kept.',
  })
  range?: TimeRange | null;

  @Field(() => [LabelMatcher], { nullable: true, description: 'Conditions on attributes.' })
  attributes?: LabelMatcher[] | null;
}
