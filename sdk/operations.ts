import type { AgentState } from './lifecycle.ts';

export interface UserError {
  code: string;
  message: string;
  field?: string[] | null;
}

/** A command in an agent's mailbox. */
export interface AgentCommand {
  id: string;
  cursor: string;
  agentId: string;
  name: string;
  arguments: unknown;
  fence: string;
  issuedAt: string;
}

export type CommandOutcome = 'DONE' | 'FAILED' | 'REFUSED' | 'EXPIRED';

export interface AgentStats {
  requests: number;
  errors: number;
  latencyMs?: number;
  cpu?: number;
  memoryBytes?: number;
  queue?: number;
}

/** A line of an agent's timeline that the agent itself tells; stored once by its id. */
export interface AgentEventReport {
  id: string;
  occurredAt: string;
  name: string;
  detail: Record<string, unknown>;
}

export interface AgentBeat {
  agentId: string;
  sequence: number;
  state: AgentState;
  version: string;
  configVersion?: number;
  checks?: { name: string; ok: boolean; message?: string }[];
  stats?: AgentStats;
  events?: AgentEventReport[];
}

export interface BeatAnswer {
  agentId: string;
  beatEveryMs: number;
  leaseMs: number;
  desiredState: AgentState;
  configVersion: number;
  commands: AgentCommand[];
  userErrors: UserError[];
}

const COMMAND = 'id cursor agentId name arguments fence issuedAt';
const BEAT = `agentId beatEveryMs leaseMs desiredState configVersion commands { ${COMMAND} } userErrors { code message field }`;
const IDENTITY = 'agent { id name state desiredState config configVersion } token userErrors { code message field }';

export const REGISTER = `mutation RegisterAgent($input: RegisterAgentInput!) { registerAgent(input: $input) { ${IDENTITY} } }`;
export const ROTATE = `mutation RotateAgentToken($input: AgentActionInput!) { rotateAgentToken(input: $input) { ${IDENTITY} } }`;
export const FIND = 'query FindAgent($name: String!) { agent(name: $name) { id } }';
export const CONFIG = 'query AgentConfig($id: ID!) { agent(id: $id) { config configVersion } }';
export const BEAT_ONE = `mutation AgentBeat($input: AgentBeatInput!) { agentBeat(input: $input) { ${BEAT} } }`;
export const BEAT_MANY = `mutation AgentBeats($input: AgentBeatsInput!) { agentBeats(input: $input) { beats { ${BEAT} } } }`;
export const COMPLETE =
  'mutation CompleteCommand($input: CompleteCommandInput!) { completeCommand(input: $input) { userErrors { code message field } } }';
export const COMMANDS = `subscription AgentCommands($agentId: ID!, $after: String) { agentCommands(agentId: $agentId, after: $after) { ${COMMAND} } }`;
export const SEND =
  'mutation SendAgentCommand($input: SendAgentCommandInput!) { sendAgentCommand(input: $input) { command { id } userErrors { code message field } } }';
