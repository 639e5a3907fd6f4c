import type { LineSink } from '../telemetry/line-sink.ts';
import type { Attributes, Signal } from '../telemetry/otlp.ts';
import { OUTBOX_LIMITS, Outbox, type OutboxCounts, type OutboxLimits } from '../telemetry/outbox.ts';
import { Reporter } from '../telemetry/reporter.ts';
import { traceDigits } from '../telemetry/traceparent.ts';
import { type ClientOptions, FleetClient } from '../wire/client.ts';
import { FleetFailure } from '../wire/failure.ts';
import {
  type AgentBeat,
  type AgentCommand,
  BEAT_MANY,
  BEAT_ONE,
  type BeatAnswer,
  COMMANDS,
  COMPLETE,
  CONFIG,
  type CommandOutcome,
  SEND,
  type UserError,
} from '../wire/operations.ts';
import type { Surroundings } from '../wire/surroundings.ts';
import { Agent, type AgentLink } from './agent.ts';
import { Heart } from './heart.ts';
import { type AgentDefinition, patiently, register } from './registration.ts';

/** Where the platform is, and how several agents speak to it. */
export interface LinkOptions extends ClientOptions {
  /** Many agents in this process: one request for all their beats, one body for all their telemetry, sent with the link's own token. */
  shared?: boolean;
  /** How often metrics are sent, milliseconds; 10 s unless said. */
  metricsEveryMs?: number;
  /** Whether the process's own figures (event loop, collector, memory) are sent; unless several agents share it or it is a simulation. */
  runtimeMetrics?: boolean;
  /** Share of the traces begun here that is recorded, 0 to 1; all unless said. What fails, and what models spend, is told of all. */
  traceRatio?: number;
  /** Bounds of the telemetry that waits; 20,000 records, 8 MiB unless said. */
  outbox?: Partial<OutboxLimits>;
  /** Where each log line of the agents goes too, as JSON of docs/log-line.schema.json. */
  lines?: LineSink;
}

interface Member {
  agent: Agent;
  reporter: Reporter;
  gone: AbortController;
  renewing?: Promise<void>;
}

type Config = { config: Record<string, unknown>; configVersion: number };

const BEATS_A_REQUEST = 200;
const FAREWELL_BEATS = 10;

/** What the agents of one process share: the connection, the beat, the outbox. */
export class FleetLink implements AgentLink {
  /** Speaks to the platform with the link’s own token. */
  readonly client: FleetClient;
  /** Clock, chance, timers and network of all its agents. */
  readonly surroundings: Surroundings;
  readonly #outbox: Outbox;
  readonly #heart: Heart;
  readonly #members = new Map<Agent, Member>();
  readonly #closed = new AbortController();
  readonly #shared: boolean;
  readonly #lines: LineSink | undefined;
  readonly #traceRatio: number | undefined;
  #beatEveryMs = 1_000;
  /** Until a beat with events is refused for them: the platform is older than they are. */
  #takesEvents = true;

  constructor(options: LinkOptions) {
    this.client = new FleetClient(options);
    this.surroundings = this.client.surroundings;
    this.#shared = options.shared ?? false;
    this.#lines = options.lines;
    this.#traceRatio = options.traceRatio;
    this.#outbox = new Outbox((signal, body) => this.#export(signal, body), this.surroundings, {
      ...OUTBOX_LIMITS,
      ...options.outbox,
    });
    this.#heart = new Heart(this.surroundings, () => this.#beat(this.agents.filter((agent) => !agent.silent)));
    const { runtimeMetrics = !this.#shared && !options.surroundings } = options;
    void this.#reportMetrics(options.metricsEveryMs ?? 10_000, runtimeMetrics);
  }

  /** What became of the telemetry so far. */
  get counts(): OutboxCounts {
    return this.#outbox.counts;
  }

  /** The agents on it, in the order they came. */
  get agents(): Agent[] {
    return [...this.#members.keys()];
  }

  /** Registers an agent, waiting for the platform if need be; handlers set right after the await miss nothing. */
  async connect(definition: AgentDefinition): Promise<Agent> {
    if (!this.#shared && this.#members.size)
      throw new TypeError('a link of several agents is opened with shared: true');
    const identity = await register(this.client, definition, this.#closed.signal);
    const resource = resourceOf(definition, identity.id);
    const reporter = new Reporter(this.#outbox, this.surroundings, resource, this.#lines, this.#traceRatio);
    const agent = new Agent(definition, identity, reporter, this);
    const member: Member = { agent, reporter, gone: new AbortController() };
    this.#members.set(agent, member);
    if (!this.#shared) void this.#listen(member);
    this.beatSoon();
    return agent;
  }

  /** Sends a beat for all rather soon than at the next tick; several calls are one beat. @internal */
  beatSoon(): void {
    this.#heart.soon();
  }

  /** Sends a beat of one agent now; resolves when it was taken or cannot be. @internal */
  async beatNow(agent: Agent): Promise<void> {
    await this.#beat([agent]).catch(() => undefined);
  }

  /** Tells how a command ended, as often as it takes; a refusal is logged, for nobody waits for it here. @internal */
  async complete(agent: Agent, command: AgentCommand, outcome: CommandOutcome, result: unknown): Promise<void> {
    // With the fence in the key: what is told under another fence is no repeat of what was refused.
    const clientMutationId = `complete-${command.id}-${command.fence}`;
    const input = { id: command.id, fence: command.fence, outcome, result, clientMutationId };
    const attempt = () =>
      this.client.query<{ completeCommand: { userErrors: UserError[] } }>(COMPLETE, { input }, agent.identity.token);
    try {
      const { completeCommand } = await patiently(this.client, this.#closed.signal, attempt);
      const refused = completeCommand.userErrors[0];
      if (refused) throw new FleetFailure(refused.code, refused.message);
    } catch (error) {
      const reason = (error as FleetFailure).message;
      agent.tell('warn', 'the end of a command was not taken', {
        'fleet.command.id': command.id,
        'fleet.command.name': command.name,
        reason,
      });
    }
  }

  /** Brings a profile of an agent to the platform, patiently. @internal @param body gzip */
  async bring(agent: Agent, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const packed = { 'content-encoding': 'gzip' };
    await patiently(this.client, this.#closed.signal, () =>
      this.client.post('/v1/profiles', body, agent.identity.token, packed),
    );
  }

  /** An agent’s configuration as the platform has it; undefined when it no longer knows the agent. @internal @throws FleetFailure */
  async fetchConfig(agent: Agent): Promise<Config | undefined> {
    const { agent: found } = await this.client.query<{ agent: Config | null }>(
      CONFIG,
      { id: agent.id },
      agent.identity.token,
    );
    return found ? { config: found.config, configVersion: found.configVersion } : undefined;
  }

  /** The platform's commands to one agent as they come; ends with the signal. */
  async *commands(agent: Agent, signal: AbortSignal, after?: string): AsyncGenerator<AgentCommand> {
    const options = { token: agent.identity.token, signal, ...(after ? { after } : {}) };
    for await (const { data } of this.client.subscribe<{ agentCommands: AgentCommand | null }>(
      COMMANDS,
      { agentId: agent.id },
      options,
    )) {
      if (data?.agentCommands) yield data.agentCommands;
    }
  }

  /** Sends an agent a command. @returns the command's id */
  async send(agentId: string, name: string, args: Record<string, unknown>): Promise<string> {
    const input = { agentId, name, arguments: args, clientMutationId: traceDigits(32, this.surroundings.random) };
    const { sendAgentCommand } = await patiently(this.client, this.#closed.signal, () =>
      this.client.query<{ sendAgentCommand: { command: { id: string } | null; userErrors: UserError[] } }>(SEND, {
        input,
      }),
    );
    const [refused] = sendAgentCommand.userErrors;
    if (refused) throw new FleetFailure(refused.code, refused.message);
    return sendAgentCommand.command?.id ?? '';
  }

  /** Takes an agent off the link after its last beat; the only one of a link of its own closes it. @internal */
  async leave(agent: Agent): Promise<void> {
    if (!this.#shared) return this.close();
    const member = this.#members.get(agent);
    member?.reporter.reportMetrics();
    if (member && !agent.silent) await this.#farewell([agent]);
    this.#forget(agent);
  }

  /** Sends all telemetry that waits, the metrics' present values among it. @returns whether it was all answered within the limit, milliseconds */
  flush(limitMs = 5_000): Promise<boolean> {
    for (const { reporter } of this.#members.values()) reporter.reportMetrics();
    return this.#outbox.flush(limitMs);
  }

  /** Stops all agents, tells the platform, sends what waits, and ends; takes no longer than about `limitMs` milliseconds. */
  async close(limitMs = 5_000): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const { agents } = this;
    const farewell = async () => {
      await Promise.all(agents.map((agent) => agent.stop()));
      await this.#farewell(agents.filter((agent) => !agent.silent));
    };
    this.#heart.stop();
    await Promise.race([farewell(), this.surroundings.sleep(limitMs / 2, this.#closed.signal)]);
    await this.flush(limitMs / 2);
    for (const agent of agents) this.#forget(agent);
    this.#closed.abort();
    this.#outbox.stop();
  }

  /** The last beat, and as many more as what is left to tell needs. */
  async #farewell(agents: Agent[]): Promise<void> {
    let speaking = agents;
    for (let beats = 0; speaking.length && beats < FAREWELL_BEATS; beats++) {
      if (!(await this.#beat(speaking).catch(() => undefined))) return;
      speaking = speaking.filter((agent) => agent.hasMoreToTell);
    }
  }

  #forget(agent: Agent): void {
    this.#members.get(agent)?.gone.abort();
    this.#members.delete(agent);
  }

  async #beat(agents: Agent[]): Promise<number> {
    for (let at = 0; at < agents.length; at += BEATS_A_REQUEST) {
      const some = agents.slice(at, at + BEATS_A_REQUEST);
      const beats = some.map((agent) => this.#beatOf(agent));
      for (const answer of await this.#tell(some, beats)) this.#heard(answer, beats);
    }
    return this.#beatEveryMs;
  }

  #beatOf(agent: Agent): AgentBeat {
    if (!this.#takesEvents) agent.forgetStory();
    return agent.beat();
  }

  /** Sends beats; once more without events when the platform does not know them. */
  async #tell(agents: Agent[], beats: AgentBeat[]): Promise<BeatAnswer[]> {
    const send = () =>
      this.#shared ? this.#beatMany(beats) : this.#beatOne(agents[0] as Agent, beats[0] as AgentBeat);
    try {
      return await send();
    } catch (error) {
      if (!this.#takesEvents || !isAboutEvents(error as FleetFailure)) throw error;
      this.#takesEvents = false;
      for (const beat of beats) delete beat.events;
      return send();
    }
  }

  async #beatMany(beats: AgentBeat[]): Promise<BeatAnswer[]> {
    const variables = { input: { beats } };
    const { agentBeats } = await this.client.query<{ agentBeats: { beats: BeatAnswer[] } }>(BEAT_MANY, variables);
    return agentBeats.beats;
  }

  async #beatOne(agent: Agent, beat: AgentBeat): Promise<BeatAnswer[]> {
    try {
      const variables = { input: beat };
      const { agentBeat } = await this.client.query<{ agentBeat: BeatAnswer }>(
        BEAT_ONE,
        variables,
        agent.identity.token,
      );
      return [agentBeat];
    } catch (error) {
      await this.#renewIfUnknown(agent, error as FleetFailure);
      throw error;
    }
  }

  #heard(answer: BeatAnswer, beats: AgentBeat[]): void {
    const beat = beats.find(({ agentId }) => agentId === answer.agentId);
    const agent = this.agents.find(({ id }) => id === answer.agentId);
    const refused = answer.userErrors[0];
    if (!agent) return;
    if (refused?.code === 'NOT_FOUND') {
      this.#forget(agent);
      void agent.retire();
    } else if (refused) {
      agent.tell('warn', 'a beat was refused', { reason: refused.message });
    } else {
      this.#beatEveryMs = answer.beatEveryMs;
      if (beat) agent.told(beat);
      agent.heard(answer);
    }
  }

  /** A platform that no longer knows the token (a new data folder, a revoked token) is registered at anew. */
  async #renewIfUnknown(agent: Agent, failure: FleetFailure): Promise<void> {
    const member = this.#members.get(agent);
    if (failure.code !== 'UNAUTHENTICATED' || !member) return;
    member.renewing ??= register(this.client, agent.definition, this.#closed.signal)
      .then((identity) => {
        agent.identity = identity;
        this.#takesEvents = true;
      })
      .finally(() => delete member.renewing);
    await member.renewing;
  }

  async #listen({ agent, gone }: Member): Promise<void> {
    while (!gone.signal.aborted) {
      try {
        for await (const command of this.commands(agent, gone.signal)) agent.deliver(command);
      } catch (error) {
        // What a stream that ended for good did not bring comes with the answers to beats.
        agent.tell('warn', 'the stream of commands ended', { reason: (error as FleetFailure).message });
        await this.surroundings.sleep(10_000, gone.signal);
      }
    }
  }

  async #export(signal: Signal, body: string): Promise<{ rejected: number }> {
    const [first] = this.agents;
    try {
      const text = await this.client.post(`/v1/${signal}`, body, this.#shared ? undefined : first?.identity.token);
      return { rejected: rejectedIn(text) };
    } catch (error) {
      const failure = error as FleetFailure;
      if (failure.code !== 'UNAUTHENTICATED' || this.#shared || !first) throw failure;
      await this.#renewIfUnknown(first, failure);
      throw new FleetFailure(failure.code, failure.message, { retryable: true });
    }
  }

  async #reportMetrics(everyMs: number, ofRuntime: boolean): Promise<void> {
    const figures = ofRuntime ? new (await import('./runtime.ts')).RuntimeFigures() : undefined;
    while (!this.#closed.signal.aborted) {
      await this.surroundings.sleep(everyMs, this.#closed.signal);
      for (const { reporter, agent } of this.#members.values()) {
        if (agent.silent) continue;
        figures?.tell(reporter.instruments);
        reporter.reportMetrics();
      }
    }
    figures?.stop();
  }
}

/** Whether a platform that is older than events refuses a beat for them. */
function isAboutEvents({ retryable, faults }: FleetFailure): boolean {
  return !retryable && faults.some(({ message }) => /["']events["'].*(not defined|AgentBeatInput)/.test(message));
}

function resourceOf({ name, kind, version, labels = {} }: AgentDefinition, id: string): Attributes {
  const resource: Record<string, string> = {
    'service.name': name,
    'service.version': version,
    'service.instance.id': id,
  };
  for (const [label, value] of Object.entries(labels)) resource[`fleet.label.${label}`] = value;
  return { ...resource, 'fleet.agent.id': id, 'fleet.agent.kind': kind };
}

/** OTLP's partial success: how many records the platform will never take. */
function rejectedIn(text: string): number {
  if (!text) return 0;
  const { partialSuccess: part } = JSON.parse(text) as { partialSuccess?: Record<string, unknown> };
  return Number(part?.['rejectedLogRecords'] ?? part?.['rejectedSpans'] ?? part?.['rejectedDataPoints'] ?? 0);
}
