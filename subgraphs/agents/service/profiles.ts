import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { nodeId, uuidOf } from '../../../lib/node-id.ts';
import { BadProfile, type ProfileTree, readProfile, sharesOf } from '../../../lib/profile/index.ts';
import type { WriteOutcome, Writes, Written } from '../../../lib/write/writes.ts';
import type { Agent } from '../entity/agent.ts';
import { AgentProfile, type ProfileFunction, type ProfileKind } from '../entity/profile.ts';
import type { AgentStore } from '../store/agents.ts';
import type { ProfileEnd, ProfileRow, ProfileStore } from '../store/profiles.ts';
import type { StoryStore } from '../store/story.ts';
import { owns } from './access.ts';
import { takesCommands } from './lifecycle.ts';
import type { Mailbox } from './mailbox.ts';
import { expiryOf, isUnderWay, profileState, TAKEN_WITHIN_MS } from './profile-rules.ts';
import { actorOf } from './record.ts';

export interface ProfileAsk {
  id: string;
  kind: ProfileKind;
  seconds: number;
  engine?: string | null | undefined;
  reason?: string | null | undefined;
  clientMutationId?: string | null | undefined;
}

export interface ProfileResult {
  profile: string;
}

export interface ProfileLimits {
  /** Profiles that are kept of one agent. */
  kept: number;
  keptDays: number;
}

const DAY_MS = 86_400_000;
const MAX_SECONDS = 60;
/** Of a file, packed, bytes. */
const MAX_PACKED = 4 << 20;
const TOP = 50;
const ENGINE = /^[a-z][a-z0-9-]{0,31}$/;
const MAX_FAILURE = 500;
const packed = promisify(gzip);

/** Profiles: asked of agents, taken from them, kept for a while. */
export class Profiles {
  constructor(
    private readonly profiles: ProfileStore,
    private readonly agents: AgentStore,
    private readonly story: StoryStore,
    private readonly mailbox: Mailbox,
    private readonly writes: Writes,
    private readonly clock: Clock,
    private readonly limits: ProfileLimits,
  ) {}

  /** Asks an agent for a profile of itself. CONFLICT while another of it is under way, or when it takes no commands. */
  async ask(call: Call, input: ProfileAsk): Promise<WriteOutcome<ProfileResult>> {
    let agentUuid = '';
    const outcome = await this.writes.run<ProfileResult>({
      call,
      action: 'profileAgent',
      args: input,
      target: { type: 'Agent', id: input.id },
      run: async (tx) => {
        assertAsk(input);
        agentUuid = uuidOf('Agent', input.id);
        return this.#ask(tx, call, agentUuid, input);
      },
    });
    if (agentUuid) this.mailbox.wake(agentUuid);
    return outcome;
  }

  async #ask(tx: Transaction, call: Call, agentUuid: string, input: ProfileAsk): Promise<Written<ProfileResult>> {
    const agent = await this.agents.lock(tx, agentUuid);
    if (!agent || agent.deregisteredAt) throw new FleetError('NOT_FOUND', 'there is no such agent', { field: ['id'] });
    if (!takesCommands(agent.desiredState))
      throw new FleetError('CONFLICT', `agent ${agent.name} is ${agent.state}: it takes no commands`);
    const others = await this.profiles.ofAgents([agentUuid], tx);
    if (others.some((other) => isUnderWay(this.#shown(other).state)))
      throw new FleetError('CONFLICT', `a profile of agent ${agent.name} is being made: wait until it is here`);
    const nowMs = this.clock.nowMs();
    const { kind, seconds } = input;
    const [uuid, by] = [this.clock.uuid(), actorOf(call.principal)];
    const { command, event } = await this.mailbox.post(tx, agent, by, {
      name: 'profile',
      arguments: {
        profile: nodeId('AgentProfile', uuid),
        kind,
        seconds,
        ...(input.engine ? { engine: input.engine } : {}),
      },
      expiresAt: new Date(nowMs + TAKEN_WITHIN_MS),
    });
    await this.profiles.add(tx, {
      ...{ uuid, agentUuid, commandUuid: command.uuid, kind, seconds },
      ...{ askedAt: new Date(nowMs), askedBy: by, expiresAt: expiryOf(nowMs, seconds) },
    });
    await this.profiles.keepNewest(tx, agentUuid, this.limits.kept);
    await this.agents.save(tx, agent);
    await this.#tell(tx, call, agent, 'profile.asked', { profile: nodeId('AgentProfile', uuid), kind, seconds });
    return {
      result: { profile: uuid },
      target: { type: 'Agent', id: agent.id },
      after: { profile: nodeId('AgentProfile', uuid), kind, seconds, command: command.id },
      events: [event],
    };
  }

  /**
   * Takes a profile, or why there is none, from its agent. The same again changes nothing.
   * @throws BAD_INPUT when it is no profile, NOT_FOUND, FORBIDDEN for another's
   */
  async take(call: Call, told: { profile?: unknown; content?: unknown; error?: unknown }): Promise<void> {
    const uuid = uuidOf('AgentProfile', String(told.profile), ['profile']);
    const profile = await this.profiles.find(uuid);
    const [agent] = profile ? await this.agents.findMany([profile.agentUuid]) : [];
    if (!profile || !agent || agent.deregisteredAt) throw new FleetError('NOT_FOUND', 'there is no such profile');
    // Also an operator may not make up what an agent does.
    if (!owns(call.principal, agent)) throw new FleetError('FORBIDDEN', 'an agent tells of itself only');
    if (profile.finishedAt) return;
    const end =
      typeof told.error === 'string'
        ? { failure: told.error.slice(0, MAX_FAILURE) }
        : await endOf(profile, told.content);
    const outcome = await this.writes.run({
      call,
      action: 'agent.profile.taken',
      args: {},
      target: { type: 'Agent', id: agent.id },
      run: (tx) => this.#end(tx, call, agent, profile, end),
    });
    const [refused] = outcome.userErrors;
    if (refused) throw new FleetError('CONFLICT', refused.message);
  }

  async #end(
    tx: Transaction,
    call: Call,
    agent: Agent,
    { uuid, kind }: ProfileRow,
    end: ProfileEnd,
  ): Promise<Written<object>> {
    if (!(await this.profiles.end(tx, uuid, end, new Date(this.clock.nowMs()))))
      throw new FleetError('CONFLICT', 'this profile has ended already');
    const said = 'failure' in end ? end : { samples: end.samples, sizeBytes: end.content.length };
    const after = { profile: nodeId('AgentProfile', uuid), kind, ...said };
    await this.#tell(tx, call, agent, 'profile.ended', after);
    return { result: {}, after };
  }

  /** A profile without its file; null when there is none, or none any longer. */
  async find(uuid: string): Promise<AgentProfile | null> {
    const row = await this.profiles.find(uuid);
    return row ? this.#shown(row) : null;
  }

  /** The profiles of each agent, newest first, in the agents' order. */
  async ofAgents(agents: readonly string[]): Promise<AgentProfile[][]> {
    const rows = Map.groupBy(await this.profiles.ofAgents(agents), ({ agentUuid }) => agentUuid);
    return agents.map((agent) => (rows.get(agent) ?? []).map((row) => this.#shown(row)));
  }

  /** The file of a profile, packed. @throws NOT_FOUND */
  async file(id: string): Promise<{ kind: ProfileKind; content: Buffer }> {
    const uuid = uuidOf('AgentProfile', id);
    const [row, content] = [await this.profiles.find(uuid), await this.profiles.content(uuid)];
    if (!row || !content) throw new FleetError('NOT_FOUND', 'there is no such profile, or it is not here');
    return { kind: row.kind, content };
  }

  /** Forgets what is older than is kept. */
  async forget(): Promise<void> {
    await this.profiles.forget(new Date(this.clock.nowMs() - this.limits.keptDays * DAY_MS));
  }

  #shown({ failure, outcome, result, ...row }: ProfileRow): AgentProfile {
    const told = profileState({ failure, outcome, result, ...row }, this.clock.nowMs());
    return Object.assign(new AgentProfile(), row, told, { top: row.top ?? [] });
  }

  #tell(tx: Transaction, call: Call, agent: Agent, name: string, detail: Record<string, unknown>): Promise<void> {
    const [id, occurredAt, actor] = [this.clock.uuid(), new Date(this.clock.nowMs()), actorOf(call.principal)];
    return this.story.add(tx, [{ id, agentUuid: agent.uuid, occurredAt, name, detail, actor }]);
  }
}

function assertAsk({ seconds, engine }: ProfileAsk): void {
  if (seconds < 1 || seconds > MAX_SECONDS)
    throw new FleetError('BAD_INPUT', `seconds is 1 to ${MAX_SECONDS}`, { field: ['seconds'] });
  if (engine && !ENGINE.test(engine))
    throw new FleetError('BAD_INPUT', 'an engine is a name of small letters, digits and dashes', { field: ['engine'] });
}

async function endOf({ kind }: ProfileRow, content: unknown): Promise<ProfileEnd> {
  const tree = treeOf(kind, content);
  const file = await packed(JSON.stringify(content));
  if (file.length > MAX_PACKED) throw new FleetError('BAD_INPUT', `a profile has at most ${MAX_PACKED} bytes, packed`);
  const top: ProfileFunction[] = sharesOf(tree).slice(0, TOP);
  return { content: file, samples: tree.samples, total: tree.total, top };
}

function treeOf(kind: ProfileKind, content: unknown): ProfileTree {
  try {
    return readProfile(kind, content);
  } catch (error) {
    throw error instanceof BadProfile ? new FleetError('BAD_INPUT', error.message, { field: ['content'] }) : error;
  }
}
