import type { Agent } from '../agent/agent.ts';
import type { Attributes } from '../telemetry/otlp.ts';
import type { Container } from './container.ts';
import type { Kind } from './kind.ts';
import { readConfig } from './schema.ts';

/** What a task came with. */
export interface WorkOptions {
  /** The trace that the task came with. */
  traceparent?: string | undefined;
  /** The span's name; `<kind> task` unless said. */
  name?: string;
  /** What its span says beside its name. */
  attributes?: Attributes;
}

/** An agent that the factory built. */
export class BuiltAgent<Task = never, Result = unknown, Config = unknown> {
  readonly #config: Record<string, unknown> = {};
  readonly #container: Container;

  /**
   * @internal
   * @param kind what it was built of
   * @param agent as its program sees it
   * @param around the scope that its own is opened in
   */
  constructor(
    readonly kind: Kind<Task, Result, Config>,
    readonly agent: Agent,
    around: Container,
  ) {
    this.#container = around.open('agent', { agent, config: this.#config }, kind.provide);
    this.#wire();
  }

  /** The agent’s name. */
  get name(): string {
    return this.agent.name;
  }

  /** The configuration it works by now; the same object all its life. */
  get config(): Readonly<Config> {
    return this.#config as Config;
  }

  /** One of its parts. @throws FactoryError for a cycle or something that is missing */
  part(name: string): unknown {
    return this.#container.resolve(name);
  }

  /** Does one task, in a scope of its own that ends with it. @throws what its work throws, TypeError when the kind has none */
  do(task: Task, { traceparent, name, attributes = {} }: WorkOptions = {}): Promise<Result> {
    const { work, kind, provide } = this.kind;
    if (!work) throw new TypeError(`agents of kind ${kind} take no tasks`);
    return this.agent.task(
      name ?? `${kind} task`,
      attributes,
      async (span) => {
        const scope = this.#container.open('task', { task, span }, provide);
        try {
          return await work(task, scope.cradle as never);
        } finally {
          await scope.dispose();
        }
      },
      { parent: traceparent },
    );
  }

  /** Ends its parts, the last made first. */
  dispose(): Promise<void> {
    return this.#container.dispose();
  }

  #wire(): void {
    const { kind, agent } = this;
    const deps = this.#container.cradle as never;
    // What the platform has for it may be older or newer than this code: it does not start on what it cannot read.
    agent.hook('beforeStart', () => this.#take(agent.config));
    agent.hook('beforeConfig', ({ config }) => void readConfig(kind.config, config));
    for (const { name, run, options } of kind.hooks) agent.hook(name, (context) => run(deps, context), options);
    agent.onConfig((config) => this.#take(config));
    for (const [name, command] of Object.entries(kind.commands))
      agent.onCommand(name, (args, asked) => command(args, deps, asked));
    for (const [name, check] of Object.entries(kind.checks)) agent.check(name, () => check(deps));
    const { upgrade } = kind;
    if (!upgrade) return;
    agent.onUpgrade(async (asked) => {
      const config = asked.config && readConfig(kind.config, asked.config);
      await upgrade(asked, deps);
      if (config) this.#take(config);
    });
  }

  #take(config: unknown): void {
    const read = readConfig(this.kind.config, config);
    for (const name of Object.keys(this.#config)) delete this.#config[name];
    Object.assign(this.#config, read);
  }
}
