import { Field, Float, ID, InputType, Int } from 'type-graphql';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import { SCALARS } from '../../../lib/graphql/scalars.ts';
import { LabelMatcher } from '../../../lib/graphql/shared.ts';
import { AgentOrderField, AgentState, CommandOutcome, Direction } from '../entity/enums.ts';

const KEY = 'Idempotency key: a repeat returns the first outcome.';
const WHY = 'Why, for the audit trail.';

@InputType({ description: 'A new API key.' })
export class CreateApiKeyInput {
  @Field({ description: 'What it is for, 1 to 128 characters.' })
  name!: string;

  @Field(() => [String], { description: 'Some of viewer, operator, admin, agent, auditor, schema:read.' })
  scopes!: string[];

  @Field(() => Date, { nullable: true, description: 'When it ends by itself; nothing means never.' })
  expiresAt?: Date | null;

  @Field(() => Float, { nullable: true, description: 'Requests a second it may make; nothing means the usual.' })
  requestsPerSecond?: number | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'Ends an API key.' })
export class RevokeApiKeyInput {
  @Field(() => ID, { description: 'The key’s id.' })
  id!: string;

  @Field(() => String, { nullable: true, description: WHY })
  reason?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'An address that an agent answers at.' })
export class AgentEndpointInput {
  @Field({ description: 'What it is for.' })
  name!: string;

  @Field({ description: 'Where it answers: an absolute URL, e.g. http://10.0.0.7:8080/api.' })
  url!: string;
}

@InputType({ description: 'What an agent says of itself when it comes.' })
export class RegisterAgentInput {
  @Field({ description: 'Unique in the fleet, 1 to 128 characters.' })
  name!: string;

  @Field({ description: 'What sort of agent it is.' })
  kind!: string;

  @Field({ description: 'The version of its code.' })
  version!: string;

  @Field(() => [AgentEndpointInput], { nullable: true, description: 'Where it answers.' })
  endpoints?: AgentEndpointInput[] | null;

  @Field(() => [String], { nullable: true, description: 'What it can do.' })
  capabilities?: string[] | null;

  @Field(() => [String], {
    nullable: true,
    description: 'Names of agents, or kinds, that it cannot work without.',
  })
  dependencies?: string[] | null;

  @Field(() => SCALARS.Labels, { nullable: true, description: 'Its labels, name to value.' })
  labels?: Record<string, string> | null;

  @Field(() => SCALARS.JSON, {
    nullable: true,
    description: 'The configuration it starts with; one set here later wins.',
  })
  config?: unknown;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'The outcome of one of an agent’s own checks.' })
export class AgentCheckInput {
  @Field({ description: 'What is checked.' })
  name!: string;

  @Field({ description: 'Whether it is well.' })
  ok!: boolean;

  @Field(() => String, { nullable: true, description: 'What was found.' })
  message?: string | null;
}

@InputType({ description: 'An agent’s work since the beat before.' })
export class AgentStatsInput {
  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'Requests it answered.' })
  requests?: number | null;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'How many of them failed.' })
  errors?: number | null;

  @Field(() => Float, { nullable: true, description: 'How long they took on average, milliseconds.' })
  latencyMs?: number | null;

  @Field(() => Float, { nullable: true, description: 'Share of a processor in use, 1 for a whole one.' })
  cpu?: number | null;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'Memory in use, bytes.' })
  memoryBytes?: number | null;

  @Field(() => Int, { nullable: true, description: 'Pieces of work that wait.' })
  queue?: number | null;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'Tokens that it gave to models.' })
  inputTokens?: number | null;

  @Field(() => SCALARS.SafeInt, { nullable: true, description: 'Tokens that models gave it.' })
  outputTokens?: number | null;

  @Field(() => Float, { nullable: true, description: 'What that cost, US dollars.' })
  costUsd?: number | null;
}

@InputType({ description: 'A line of an agent’s story that the agent itself tells.' })
export class AgentEventInput {
  @Field(() => ID, { description: 'The agent’s own name of it, 1 to 64 characters: the same one is stored once.' })
  id!: string;

  @Field(() => Date, { description: 'When it happened.' })
  occurredAt!: Date;

  @Field({ description: '`hook.` or `own.`, and 1 to 64 letters, digits, dots, dashes.' })
  name!: string;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'The particulars: an object of at most 2,048 bytes.' })
  detail?: unknown;
}

@InputType({ description: 'What an agent says of itself now and then, so that its lease holds.' })
export class AgentBeatInput {
  @Field(() => ID, { description: 'Global id of the agent.' })
  agentId!: string;

  @Field(() => SCALARS.SafeInt, { description: 'Rises with every beat of a process; a repeat changes nothing.' })
  sequence!: number;

  @Field(() => AgentState, { description: 'Where it is in its life.' })
  state!: AgentState;

  @Field(() => String, { nullable: true, description: 'The version of its code.' })
  version?: string | null;

  @Field(() => Int, { nullable: true, description: 'The version of the configuration it works by.' })
  configVersion?: number | null;

  @Field(() => [AgentCheckInput], { nullable: true, description: 'Its own checks, at most 32.' })
  checks?: AgentCheckInput[] | null;

  @Field(() => AgentStatsInput, { nullable: true, description: 'Its work since the beat before.' })
  stats?: AgentStatsInput | null;

  @Field(() => [AgentEventInput], {
    nullable: true,
    description: 'What happened to it, for its story; at most 64, and one change on the stream for all.',
  })
  events?: AgentEventInput[] | null;
}

@InputType({ description: 'Beats of many agents that share a connection.' })
export class AgentBeatsInput {
  @Field(() => [AgentBeatInput], { description: 'At most 1,000.' })
  beats!: AgentBeatInput[];
}

@InputType({ description: 'Something done to one agent.' })
export class AgentActionInput {
  @Field(() => ID, { description: 'Global id of the agent.' })
  id!: string;

  @Field(() => String, { nullable: true, description: WHY })
  reason?: string | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'A new configuration of an agent.' })
export class SetAgentConfigInput extends AgentActionInput {
  @Field(() => SCALARS.JSON, { description: 'The whole configuration, a JSON object.' })
  config!: unknown;

  @Field(() => Int, { nullable: true, description: 'Refused with CONFLICT when it has another version.' })
  expectedVersion?: number | null;
}

@InputType({ description: 'A command for an agent.' })
export class SendAgentCommandInput {
  @Field(() => ID, { description: 'Whose mailbox it goes to.' })
  agentId!: string;

  @Field({ description: 'What to do: a name the agent knows.' })
  name!: string;

  @Field(() => SCALARS.JSON, {
    nullable: true,
    description: 'What goes with it: any JSON, given to the agent as it is.',
  })
  arguments?: unknown;

  @Field(() => Date, { nullable: true, description: 'Not to be done after this time.' })
  expiresAt?: Date | null;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'How a command ended.' })
export class CompleteCommandInput {
  @Field(() => ID, { description: 'Global id of the command that has ended.' })
  id!: string;

  @Field({ description: 'The fence it was delivered with.' })
  fence!: string;

  @Field(() => CommandOutcome, { description: 'How it ended: DONE, FAILED or REFUSED.' })
  outcome!: CommandOutcome;

  @Field(() => SCALARS.JSON, { nullable: true, description: 'What came of it.' })
  result?: unknown;

  @Field(() => String, { nullable: true, description: KEY })
  clientMutationId?: string | null;
}

@InputType({ description: 'Which agents: lists mean any of, and all parts must hold.' })
export class AgentFilter {
  @Field(() => String, {
    nullable: true,
    description:
      'An expression of the search language: words of name and kind, and the fields name, kind, version, state, presence, health, labels.x.',
  })
  query?: string | null;

  @Field(() => [ID], { nullable: true, description: 'Any of these agents.' })
  ids?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Any of these names.' })
  names?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Any of these kinds.' })
  kinds?: string[] | null;

  @Field(() => [String], { nullable: true, description: 'Any of these versions.' })
  versions?: string[] | null;

  @Field(() => [AgentState], { nullable: true, description: 'Any of these states.' })
  states?: AgentState[] | null;

  @Field(() => [AgentPresence], { nullable: true, description: 'Any of these presences.' })
  presences?: AgentPresence[] | null;

  @Field(() => [LabelMatcher], {
    nullable: true,
    description: 'Conditions on labels; expressions match in linear time.',
  })
  labels?: LabelMatcher[] | null;

  @Field(() => Int, { nullable: true, description: 'A health score of at most this.' })
  maxHealth?: number | null;

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether they run another version or configuration than they should.',
  })
  drifted?: boolean | null;
}

@InputType({ description: 'What a list of agents is sorted by.' })
export class AgentOrder {
  @Field(() => AgentOrderField, { description: 'The key.' })
  field!: AgentOrderField;

  @Field(() => Direction, { nullable: true, defaultValue: Direction.ASC, description: 'Which end comes first.' })
  direction!: Direction;
}
