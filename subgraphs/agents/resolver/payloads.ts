import { Field, ID, Int, ObjectType } from 'type-graphql';
import { AuditEntryReference } from '../../../lib/graphql/references.ts';
import { UserError } from '../../../lib/graphql/shared.ts';
import { Agent } from '../entity/agent.ts';
import { AgentCommand } from '../entity/command.ts';
import { ApiKey } from '../entity/credential.ts';
import { AgentState } from '../entity/enums.ts';

const FAILURES = 'Expected failures; empty when it was done.';
const RECEIPT = 'Its entry in the audit trail.';

@ObjectType({ description: 'What became of a change of an API key.' })
export class ApiKeyPayload {
  @Field(() => ApiKey, { nullable: true, description: 'The key.' })
  apiKey!: ApiKey | null;

  @Field(() => String, { nullable: true, description: 'The credential, shown this once.' })
  secret!: string | null;

  @Field(() => [UserError], { description: FAILURES })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: RECEIPT })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What became of a registration.' })
export class RegisterAgentPayload {
  @Field(() => Agent, { nullable: true, description: 'The agent as it is registered now; null when it was refused.' })
  agent!: Agent | null;

  @Field(() => String, { nullable: true, description: 'The agent’s own token, shown this once.' })
  token!: string | null;

  @Field(() => [UserError], { description: FAILURES })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: RECEIPT })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What became of a change of an agent.' })
export class AgentPayload {
  @Field(() => Agent, { nullable: true, description: 'The agent after it.' })
  agent!: Agent | null;

  @Field(() => [UserError], { description: FAILURES })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: RECEIPT })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What became of a command.' })
export class AgentCommandPayload {
  @Field(() => AgentCommand, {
    nullable: true,
    description: 'The command as it stands in the mailbox; null when it was refused.',
  })
  command!: AgentCommand | null;

  @Field(() => [UserError], { description: FAILURES })
  userErrors!: UserError[];

  @Field(() => AuditEntryReference, { nullable: true, description: RECEIPT })
  auditEntry!: AuditEntryReference | null;
}

@ObjectType({ description: 'What an agent is told when it beats.' })
export class AgentBeatPayload {
  @Field(() => ID, { description: 'Global id of the agent whose beat it was.' })
  agentId!: string;

  @Field(() => Int, { description: 'How often to beat, milliseconds.' })
  beatEveryMs!: number;

  @Field(() => Int, { description: 'How long silence is borne, milliseconds.' })
  leaseMs!: number;

  @Field(() => AgentState, { description: 'Where it is asked to be.' })
  desiredState!: AgentState;

  @Field(() => Int, { description: 'The version of the configuration it should work by.' })
  configVersion!: number;

  @Field(() => [AgentCommand], { description: 'What waits in its mailbox, in order.' })
  commands!: AgentCommand[];

  @Field(() => [UserError], { description: 'Why the beat was not taken; NOT_FOUND: it is gone and should stop.' })
  userErrors!: UserError[];
}

@ObjectType({ description: 'What many agents are told when they beat.' })
export class AgentBeatsPayload {
  @Field(() => [AgentBeatPayload], { description: 'One answer for each beat, in their order.' })
  beats!: AgentBeatPayload[];
}
