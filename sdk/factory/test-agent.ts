import { Agent, type AgentLink } from '../agent/agent.ts';
import { Outbox } from '../telemetry/outbox.ts';
import { Reporter } from '../telemetry/reporter.ts';
import type { AgentState } from '../wire/lifecycle.ts';
import type { AgentCommand, AgentEventReport, CommandOutcome } from '../wire/operations.ts';
import { machine, type Surroundings } from '../wire/surroundings.ts';
import { BuiltAgent } from './built-agent.ts';
import { Container } from './container.ts';
import { assertOverridesMatter } from './factory.ts';
import type { Kind } from './kind.ts';
import type { Providers } from './provide.ts';
import { readConfig } from './schema.ts';

/** What a kind is tried with. */
export interface TestAgentOptions {
  /** Its configuration; defaults of its schema are filled in. */
  config?: object;
  /** What takes the place of the kind's providers, by name. */
  overrides?: Readonly<Record<string, unknown>>;
  /** What a factory would share. */
  provide?: Providers;
  /** Clock, chance, timers and network; the machine’s unless said. */
  surroundings?: Surroundings;
}

/** How a command ended. */
export interface Ended {
  /** DONE, FAILED, REFUSED or EXPIRED. */
  outcome: CommandOutcome;
  /** What the handler gave, or what is told of its error. */
  result: unknown;
}

/** An agent of a kind with nobody at the other end: what it says is kept, what it is asked comes from the test. */
export class TestAgent<Task, Result, Config> {
  /** The agent with its parts. */
  readonly built: BuiltAgent<Task, Result, Config>;
  /** Its log lines, as JSON of docs/log-line.schema.json. */
  readonly lines: Record<string, unknown>[] = [];
  /** Commands that it sent to others. */
  readonly sent: { agentId: string; name: string; args: object }[] = [];
  readonly #ended = new Map<string, (ended: Ended) => void>();
  readonly #outbox: Outbox;
  readonly #scopes: readonly Container[];
  readonly #events: AgentEventReport[] = [];
  #commands = 0;
  #fresh: { config: Record<string, unknown>; configVersion: number };

  /** @internal */
  constructor(kind: Kind<Task, Result, Config>, options: TestAgentOptions) {
    const { overrides = {}, provide = {}, surroundings = machine() } = options;
    assertOverridesMatter(overrides, [provide, kind.provide]);
    const config = readConfig(kind.config, options.config ?? {}) as Record<string, unknown>;
    this.#fresh = { config, configVersion: 1 };
    this.#outbox = new Outbox(async () => ({ rejected: 0 }), surroundings);
    const name = `test-${kind.kind}`;
    const resource = { 'service.name': name, 'fleet.agent.id': name };
    const lines = { write: (line: string) => void this.lines.push(JSON.parse(line)) };
    const reporter = new Reporter(this.#outbox, surroundings, resource, lines);
    const definition = { name, kind: kind.kind, version: kind.version };
    const identity = { id: name, token: '', desiredState: 'REGISTERED' as const, ...this.#fresh };
    const agent = new Agent(definition, identity, reporter, this.#link(surroundings));
    const shared = Container.root({ surroundings }, provide, overrides);
    const own = shared.open('singleton', {}, kind.provide);
    this.#scopes = [own, shared];
    this.built = new BuiltAgent(kind, agent, own);
  }

  /** The agent as its program sees it. */
  get agent(): Agent {
    return this.built.agent;
  }

  /** What its timeline would have. */
  get events(): readonly AgentEventReport[] {
    this.#hear();
    return this.#events;
  }

  /** Has it do what a command asks: `start`, `pause`, `resume`, `stop`, `restart`, or one of its own. */
  command(name: string, args: Record<string, unknown> = {}): Promise<Ended> {
    const id = `${++this.#commands}`;
    const issuedAt = new Date(0).toISOString();
    const command: AgentCommand = {
      id,
      cursor: id,
      agentId: this.agent.id,
      name,
      arguments: args,
      fence: '',
      issuedAt,
    };
    return new Promise((resolve) => {
      this.#ended.set(id, resolve);
      this.agent.deliver(command);
    });
  }

  /** @returns the state it came to */
  async start(): Promise<AgentState> {
    await this.command('start');
    return this.agent.state;
  }

  /** Sets another configuration, as the platform would. */
  configure(config: Record<string, unknown>): Promise<Ended> {
    this.#fresh = { config, configVersion: this.#fresh.configVersion + 1 };
    return this.command('config');
  }

  /** Does one task. @throws what its work throws */
  do(task: Task): Promise<Result> {
    return this.built.do(task);
  }

  /** Stops it and ends its parts. */
  async close(): Promise<void> {
    await this.agent.stop();
    this.#hear();
    this.#outbox.stop();
    await this.built.dispose();
    for (const scope of this.#scopes) await scope.dispose();
  }

  #hear(): void {
    for (let { events } = this.agent.beat(); events; { events } = this.agent.beat()) {
      this.#events.push(...events);
      this.agent.told({ events });
    }
  }

  #link(surroundings: Surroundings): AgentLink {
    return {
      surroundings,
      beatSoon: () => {},
      beatNow: async () => {},
      complete: async (_, { id }, outcome, result) => this.#ended.get(id)?.({ outcome, result }),
      fetchConfig: async () => this.#fresh,
      send: async (agentId, name, args) => `${this.sent.push({ agentId, name, args })}`,
      leave: async () => {},
      bring: async () => {},
      flush: async () => true,
    };
  }
}

/** Runs a kind without a platform. @throws BadConfig, FactoryError */
export function testAgent<Task, Result, Config>(
  kind: Kind<Task, Result, Config>,
  options: TestAgentOptions = {},
): TestAgent<Task, Result, Config> {
  return new TestAgent(kind, options);
}
