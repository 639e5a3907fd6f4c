import { FleetLink, type LinkOptions } from '../agent/link.ts';
import type { AgentDefinition } from '../agent/registration.ts';
import { BuiltAgent } from './built-agent.ts';
import { Container, FactoryError, inOrder } from './container.ts';
import type { Kind } from './kind.ts';
import type { Providers } from './provide.ts';
import { readConfig } from './schema.ts';

/** What a factory builds, and with what. */
export interface FactoryOptions {
  /** The kinds it builds; those they depend on must be among them. */
  kinds: readonly Kind[];
  /** A link of several agents, or where to open one. */
  link: FleetLink | Omit<LinkOptions, 'shared'>;
  /** What all kinds share; singletons. */
  provide?: Providers;
  /** What takes the place of providers, by name: for tests. */
  overrides?: Readonly<Record<string, unknown>>;
}

/** What an agent is beside its kind. */
export type About = Pick<AgentDefinition, 'endpoints' | 'labels'>;

/** Builds agents of defined kinds, each with its parts, over one link. */
export class AgentFactory {
  /** The link that its agents hang on. */
  readonly link: FleetLink;
  /** The kinds, each behind those it depends on. */
  readonly order: readonly string[];
  readonly #root: Container;
  readonly #kinds = new Map<Kind, Container>();
  readonly #built: BuiltAgent[] = [];

  /** @throws FactoryError for kinds that depend on each other or on one that is missing, and overrides of nothing */
  constructor({ kinds, link, provide = {}, overrides = {} }: FactoryOptions) {
    this.order = inOrder(Object.fromEntries(kinds.map(({ kind, dependsOn }) => [kind, dependsOn])));
    assertOverridesMatter(overrides, [provide, ...kinds.map((kind) => kind.provide)]);
    this.link = link instanceof FleetLink ? link : new FleetLink({ ...link, shared: true });
    this.#root = Container.root({ surroundings: this.link.surroundings }, provide, overrides);
    for (const kind of kinds) this.#kinds.set(kind, this.#root.open('singleton', {}, kind.provide));
  }

  /** The agents it has built, in their order. */
  get agents(): readonly BuiltAgent[] {
    return this.#built;
  }

  /**
   * Registers an agent and builds it; it starts when the platform says so.
   * @param config what it starts with where the platform has no other; defaults of its schema are filled in
   * @throws BadConfig, FactoryError, FleetFailure when the platform refuses it
   */
  async create<Task, Result, Config>(
    kind: Kind<Task, Result, Config>,
    name: string,
    config: object = {},
    about: About = {},
  ): Promise<BuiltAgent<Task, Result, Config>> {
    const around = this.#kinds.get(kind as Kind);
    if (!around) throw new FactoryError(`no kind ${kind.kind} is defined`, [name, kind.kind]);
    const agent = await this.link.connect({
      ...about,
      name,
      kind: kind.kind,
      version: kind.version,
      capabilities: [...kind.capabilities],
      config: readConfig(kind.config, config) as Record<string, unknown>,
    });
    const built = new BuiltAgent(kind, agent, around);
    this.#built.push(built as BuiltAgent);
    return built;
  }

  /** Stops all agents, tells the platform, sends what waits, and ends all parts, the last made first. @throws AggregateError */
  async close(limitMs?: number): Promise<void> {
    await this.link.close(limitMs);
    const failures: unknown[] = [];
    for (const each of [...[...this.#built].reverse(), ...[...this.#kinds.values()].reverse(), this.#root])
      await each.dispose().catch((error: unknown) => failures.push(error));
    if (failures.length) throw new AggregateError(failures, 'not everything could be disposed');
  }
}

/** Makes a factory of agents of these kinds, over one link. @throws FactoryError as the constructor of the class */
export function createFactory(options: FactoryOptions): AgentFactory {
  return new AgentFactory(options);
}

/** An override that replaces nothing is a mistake: the test would use what it means to avoid. */
export function assertOverridesMatter(overrides: object, provided: readonly Providers[]): void {
  for (const name of Object.keys(overrides)) {
    if (!provided.some((providers) => Object.hasOwn(providers, name)))
      throw new FactoryError(`nothing provides ${name}, so it cannot be overridden`, [name]);
  }
}
