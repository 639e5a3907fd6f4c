import type { AgentState } from './lifecycle.ts';

/** Why a mutation did not do what was asked. */
export interface UserError {
  /** One of the codes in docs/errors.md. */
  code: string;
  /** What is wrong, in a sentence. */
  message: string;
  /** Path of the input’s part that is wrong, where one is. */
  field?: string[] | null;
}

/** A command in an agent's mailbox. */
export interface AgentCommand {
  /** Its global id: a handler whose effect must not happen twice remembers it. */
  id: string;
  /** Where it stands in the agent’s mailbox. */
  cursor: string;
  /** The agent that is asked. */
  agentId: string;
  /** What is asked: `start`, `stop`, … or a name of the agent’s own. */
  name: string;
  /** What goes with it, as the sender gave it. */
  arguments: unknown;
  /** `<incarnation>.<number>`: numbers rise in the order in which the agent was asked. */
  fence: string;
  /** When it was asked, RFC 3339. */
  issuedAt: string;
}

/** How a command ended: done, failed with an error, refused by the agent, or not taken in time. */
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
  /** Unique; a repeat is stored once. */
  id: string;
  /** When it happened by the agent’s clock, RFC 3339. */
  occurredAt: string;
  /** `hook.<name>`, or `own.<name>` for a line of its own. */
  name: string;
  /** At most 2,000 bytes of JSON. */
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
