import type { Call } from '../../../lib/call/signing.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Transaction } from '../../../lib/database.ts';
import { FleetError } from '../../../lib/errors.ts';
import { AgentPresence } from '../../../lib/graphql/agent-presence.ts';
import type { WriteOutcome, Writes, Written } from '../../../lib/write/writes.ts';
import { Agent, type AgentEndpoint, snapshotOf } from '../entity/agent.ts';
import { AgentState, HealthGrade } from '../entity/enums.ts';
import type { AgentStore } from '../store/agents.ts';
import type { CredentialStore } from '../store/credentials.ts';
import type { MailStore } from '../store/mail.ts';
import type { StoryStore } from '../store/story.ts';
import { owns } from './access.ts';
import { assertDefinition } from './definition.ts';
import { observedState, wasAtWork } from './lifecycle.ts';
import type { LiveFleet } from './live.ts';
import { countRestart } from './mailbox.ts';
import { actorOf, agentEvent, audited } from './record.ts';
import type { Targets } from './rollout/targets.ts';
import { settled } from './rollout/upgrades.ts';
import { makeSecret } from './secrets.ts';
import type { Versions } from './version/versions.ts';

/** What an agent says of itself when it comes. */
export interface Registration {
  name: string;
  kind: string;
  version: string;
  endpoints?: readonly AgentEndpoint[] | null | undefined;
  capabilities?: readonly string[] | null | undefined;
  /** Names of agents, or kinds, that it cannot work without. */
  dependencies?: readonly string[] | null | undefined;
  labels?: Record<string, string> | null | undefined;
  config?: unknown;
  clientMutationId?: string | null | undefined;
}

export interface AgentResult {
  agent: string;
}

/** Who is in the fleet: agents come, and come back. */
export class Registry {
  constructor(
    private readonly agents: AgentStore,
    private readonly mail: MailStore,
    private readonly story: StoryStore,
    private readonly credentials: CredentialStore,
    private readonly versions: Versions,
    private readonly targets: Targets,
    private readonly writes: Writes,
    private readonly fleet: LiveFleet,
    private readonly clock: Clock,
  ) {}

  /**
   * Adds an agent, or greets one that comes back: the same name by the same principal is the same agent. Either way a new
   * token is shown; those before it stay good until it is first used.
   */
  async register(call: Call, input: Registration): Promise<WriteOutcome<AgentResult>> {
    let written: Agent | undefined;
    const outcome = await this.writes.run<AgentResult>({
      call,
      action: 'registerAgent',
      args: input as never,
      target: { type: 'Agent', id: input.name },
      run: async (tx, entryId): Promise<Written<AgentResult>> => {
        assertDefinition(input);
        const known = await this.agents.lockNamed(tx, input.name);
        const { principal } = call;
        if (known && !owns(principal, known)) {
          throw new FleetError('CONFLICT', `the name ${input.name} is another’s: take a different one`, {
            field: ['name'],
          });
        }
        if (!known && principal.agentId) throw new FleetError('FORBIDDEN', 'an agent registers itself only');
        const previous = known && snapshotOf(known);
        const before = known && audited(known);
        const agent = known ?? (await this.#newAgent(tx, call, input));
        if (known) await this.#comeBack(tx, known, input);
        agent.changedBy = entryId;
        await this.agents.save(tx, agent);
        if (!known) await this.#decideVersion(tx, call, agent);
        const secret = await this.#token(tx, agent);
        await this.#tell(tx, agent, call, known ? 'registered.again' : 'registered', { version: agent.version });
        written = agent;
        return {
          result: { agent: agent.uuid },
          secret,
          target: { type: 'Agent', id: agent.id },
          before,
          after: audited(agent),
          events: [agentEvent(agent, previous)],
        };
      },
    });
    if (outcome.result && written) this.fleet.adopt(written);
    return outcome;
  }

  /** Gives an agent a new token; the ones before it are void at once. */
  rotateToken(
    call: Call,
    input: { id: string; reason?: string | null | undefined; clientMutationId?: string | null | undefined },
    find: (tx: Transaction) => Promise<Agent>,
  ): Promise<WriteOutcome<AgentResult>> {
    return this.writes.run<AgentResult>({
      call,
      action: 'rotateAgentToken',
      args: input,
      target: { type: 'Agent', id: input.id },
      run: async (tx) => {
        const agent = await find(tx);
        await this.credentials.voidTokens(tx, agent, new Date(this.clock.nowMs()));
        const secret = await this.#token(tx, agent);
        await this.#tell(tx, agent, call, 'token.rotated', {});
        return { result: { agent: agent.uuid }, secret };
      },
    });
  }

  async #decideVersion(tx: Transaction, call: Call, agent: Agent): Promise<void> {
    const reason = await this.targets.meet(tx, agent);
    if (reason) await this.#tell(tx, agent, call, 'version.kept', { version: agent.version, reason });
    if (agent.desiredVersion !== null) await this.agents.save(tx, agent);
  }

  async #newAgent(tx: Transaction, { principal }: Call, input: Registration): Promise<Agent> {
    const now = new Date(this.clock.nowMs());
    const config = await this.versions.complete(tx, input, (input.config ?? {}) as Record<string, unknown>);
    return Object.assign(new Agent(), {
      uuid: this.clock.uuid(),
      name: input.name,
      kind: input.kind,
      version: input.version,
      state: AgentState.REGISTERED,
      reportedState: AgentState.REGISTERED,
      saidState: AgentState.REGISTERED,
      saidSince: now,
      // It came to work.
      desiredState: AgentState.RUNNING,
      heldState: null,
      presence: AgentPresence.OFFLINE,
      healthScore: 100,
      healthGrade: HealthGrade.UNKNOWN,
      healthPenalties: [],
      healthAt: now,
      labels: input.labels ?? {},
      endpoints: [...(input.endpoints ?? [])],
      capabilities: [...(input.capabilities ?? [])],
      dependencies: [...(input.dependencies ?? [])],
      config,
      configVersion: 1,
      observedConfigVersion: null,
      registeredAt: now,
      lastSeenAt: null,
      leaseExpiresAt: null,
      restarts: 0,
      restartedAtMs: [],
      recoveries: [],
      ownerId: principal.id,
      incarnation: 1,
      beatSequence: -1,
      commandCount: 0,
      revision: 0,
      changedBy: null,
      movedBy: null,
      deregisteredAt: null,
      desiredVersion: null,
      nextConfig: null,
      driftingAt: null,
      driftToldAt: null,
    });
  }

  /** A new process of a known agent: it says anew what it is, and takes over what the old one left. */
  async #comeBack(tx: Transaction, agent: Agent, input: Registration): Promise<void> {
    const nowMs = this.clock.nowMs();
    // One that was asked for another version ended to come up with it.
    const isUpgraded = agent.nextConfig !== null && input.version === agent.desiredVersion;
    if (agent.lastSeenAt && wasAtWork(agent.reportedState) && !isUpgraded) countRestart(agent, nowMs);
    agent.incarnation += 1;
    agent.beatSequence = -1;
    agent.reportedState = AgentState.REGISTERED;
    agent.saidState = AgentState.REGISTERED;
    agent.saidSince = new Date(nowMs);
    agent.state = observedState(agent.desiredState, agent.reportedState);
    agent.kind = input.kind;
    agent.version = input.version;
    settled(agent);
    agent.observedConfigVersion = null;
    if (input.labels) agent.labels = input.labels;
    if (input.endpoints) agent.endpoints = [...input.endpoints];
    if (input.capabilities) agent.capabilities = [...input.capabilities];
    if (input.dependencies) agent.dependencies = [...input.dependencies];
    // It has just started: nobody need ask it to.
    await this.mail.void(tx, agent, new Date(nowMs), 'restart');
    await this.mail.fenceAnew(tx, agent);
  }

  async #token(tx: Transaction, agent: Agent): Promise<string> {
    const id = this.clock.uuid();
    const { secret, hash } = makeSecret('fa', id);
    const createdAt = new Date(this.clock.nowMs());
    await this.credentials.insertToken(tx, {
      id,
      agentUuid: agent.uuid,
      incarnation: agent.incarnation,
      hash,
      createdAt,
      lastUsedAt: null,
      revokedAt: null,
    });
    return secret;
  }

  #tell(tx: Transaction, agent: Agent, call: Call, name: string, detail: Record<string, unknown>): Promise<void> {
    const occurredAt = new Date(this.clock.nowMs());
    return this.story.add(tx, [
      { id: this.clock.uuid(), agentUuid: agent.uuid, occurredAt, name, detail, actor: actorOf(call.principal) },
    ]);
  }
}
