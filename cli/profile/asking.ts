import { FleetFailure, type UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';
import type { Context } from '../context.ts';
import { ProgressBar } from '../output/progress-bar.ts';

const AGENT = `query ProfiledAgent($name: String!) {
  agent(name: $name) { id name presence profiles { id kind state askedAt seconds } } }`;
const ASK = `mutation ProfileAgent($input: ProfileAgentInput!) { profileAgent(input: $input) {
  profile { id expiresAt } userErrors { code message field } } }`;
const LOOK = `query Profile($id: ID!) { agentProfile(id: $id) { id kind state reason seconds samples total sizeBytes } }`;

/** How far two looks for a profile are apart, milliseconds. */
const LOOK_MS = 500;

export type Kind = 'CPU' | 'HEAP';

export interface ProfiledAgent {
  id: string;
  name: string;
  profiles: { id: string; kind: Kind; state: string; askedAt: string; seconds: number }[];
}

export interface MadeProfile {
  id: string;
  kind: Kind;
  state: string;
  reason: string | null;
  seconds: number;
  samples: number | null;
  total: number | null;
}

export interface Order {
  kind: Kind;
  seconds: number;
  engine?: string | undefined;
  reason?: string | undefined;
}

/** The agent and what was profiled of it before. @throws NOT_FOUND */
export async function profiledAgent({ client }: Context, name: string): Promise<ProfiledAgent> {
  const { agent } = await client.query<{ agent: ProfiledAgent | null }>(AGENT, { name });
  if (!agent) throw new FleetFailure('NOT_FOUND', `there is no agent ${name}`);
  return agent;
}

/**
 * Asks for a profile and waits until it is there, with a bar on a terminal.
 * @throws CONFLICT when the agent refuses or fails, TIMEOUT when it is not heard in time
 */
export async function madeProfile(
  context: Context,
  agent: ProfiledAgent,
  order: Order,
  bar: ProgressBar,
): Promise<MadeProfile> {
  const { client, signal, nowMs } = context;
  const { profileAgent } = await client.query<{
    profileAgent: { profile: { id: string } | null; userErrors: UserError[] } | null;
  }>(ASK, { input: { id: agent.id, ...order } });
  const id = settled(profileAgent).profile?.id ?? '';
  let begunMs: number | undefined;
  while (!signal.aborted) {
    const { agentProfile: profile } = await client.query<{ agentProfile: MadeProfile | null }>(LOOK, { id });
    if (!profile) throw new FleetFailure('NOT_FOUND', 'the profile is gone');
    if (profile.state === 'DONE') return profile;
    if (profile.state === 'EXPIRED')
      throw new FleetFailure('TIMEOUT', `no profile of ${agent.name}: ${profile.reason}`);
    if (profile.state === 'REFUSED' || profile.state === 'FAILED')
      throw new FleetFailure('CONFLICT', `no profile of ${agent.name}: ${profile.reason}`);
    if (profile.state === 'RUNNING') begunMs ??= nowMs();
    bar.at(begunMs === undefined ? 0 : Math.min(order.seconds, Math.round((nowMs() - begunMs) / 1_000)));
    await client.surroundings.sleep(LOOK_MS, signal);
  }
  throw new FleetFailure('TIMEOUT', 'nobody waits for the profile any longer');
}

/** The file of a profile, parsed. */
export async function profileFile({ client, signal }: Context, id: string): Promise<unknown> {
  const response = await client.open(`/v1/profiles?${new URLSearchParams({ id })}`, signal);
  return response.json();
}
