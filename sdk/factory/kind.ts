import type { Agent } from '../agent/agent.ts';
import type { Upgrade } from '../agent/handlers.ts';
import type { HookContext, HookName, HookOptions } from '../agent/hooks.ts';
import type { Span } from '../telemetry/span.ts';
import type { AgentCommand } from '../wire/operations.ts';
import type { Surroundings } from '../wire/surroundings.ts';
import type { Made, Provider, Providers } from './provide.ts';
import type { Infer, ObjectSchema } from './schema.ts';

/** What an agent's own parts have at hand: the agent, its configuration as it is now, what its providers make. */
export type AgentDeps<Config, P, Shared> = Shared & {
  agent: Agent;
  config: Readonly<Config>;
  surroundings: Surroundings;
} & { [K in keyof P as P[K] extends Provider<unknown, 'task'> ? never : K]: Made<P[K]> };

/** The same while it does a task. */
export type TaskDeps<Config, P, Shared> = AgentDeps<Config, P, Shared> & { span: Span } & {
  [K in keyof P]: Made<P[K]>;
};

/** The code of a kind's hook, with what the agent's parts have at hand. */
export type HookOf<Deps> = (deps: Deps, context: HookContext) => Promise<void> | void;

/** What an agent kind is: written once, built as often as there are agents. */
export interface KindOptions<S extends ObjectSchema, P extends Providers, Shared, Task, Result> {
  /** Its name, as `Agent.kind` has it. */
  kind: string;
  /** The version of the program, as the agents tell it. */
  version: string;
  /** What its agents do, for people. */
  description?: string;
  /** What its configuration must be; a configuration that is not is refused, with the place. */
  config: S;
  /** What its agents can do, by which others find them. */
  capabilities?: readonly string[];
  /** Kinds that its agents give work to: all must be there, and none may depend on itself. */
  dependsOn?: readonly string[];
  /** What its parts need, by name. */
  provide?: P;
  /** Steps into an agent’s life, by the hook’s name, with the agent’s parts. */
  hooks?: Partial<
    Record<
      HookName,
      HookOf<AgentDeps<Infer<S>, P, Shared>> | ({ run: HookOf<AgentDeps<Infer<S>, P, Shared>> } & HookOptions)
    >
  >;
  /** What its agents do when asked, by the command’s name; what is given goes back with DONE. */
  commands?: Record<
    string,
    (args: Record<string, unknown>, deps: AgentDeps<Infer<S>, P, Shared>, command: AgentCommand) => unknown
  >;
  /** What goes with every beat, by name; must not wait. */
  checks?: Record<string, (deps: AgentDeps<Infer<S>, P, Shared>) => { ok: boolean; message?: string }>;
  /** Becomes another version in place; without it an upgrade is refused. */
  upgrade?: (upgrade: Upgrade, deps: AgentDeps<Infer<S>, P, Shared>) => Promise<void> | void;
  /** Does one task, in a scope and a span of its own. */
  work?: (task: Task, deps: TaskDeps<Infer<S>, P, Shared>) => Promise<Result>;
}

/** A kind as the factory builds it. */
export interface Kind<in Task = never, out Result = unknown, out Config = unknown> {
  /** Its name. */
  readonly kind: string;
  /** The version of the program. */
  readonly version: string;
  /** What its agents do, for people. */
  readonly description: string | undefined;
  /** What a configuration must be. */
  readonly config: ObjectSchema;
  /** What its agents can do. */
  readonly capabilities: readonly string[];
  /** Kinds that its agents give work to. */
  readonly dependsOn: readonly string[];
  /** What its parts are made by, by name. */
  readonly provide: Providers;
  /** Its hooks in their order. */
  readonly hooks: readonly { name: HookName; run: HookOf<never>; options: HookOptions }[];
  /** Its commands, by name. */
  readonly commands: Readonly<
    Record<string, (args: Record<string, unknown>, deps: never, command: AgentCommand) => unknown>
  >;
  /** Its checks, by name. */
  readonly checks: Readonly<Record<string, (deps: never) => { ok: boolean; message?: string }>>;
  /** Becomes another version in place; undefined refuses it. */
  readonly upgrade: ((upgrade: Upgrade, deps: never) => Promise<void> | void) | undefined;
  /** Does one task; undefined when it takes none. */
  readonly work: ((task: Task, deps: never) => Promise<Result>) | undefined;
  /** Never there: carries the configuration's type. */
  readonly typeOfConfig?: Config;
}

/** `defineKind` for kinds that also need what the factory provides to all, of this type. */
export function kindsWith<Shared extends object>() {
  return <const S extends ObjectSchema, P extends Providers = Record<never, never>, Task = never, Result = unknown>(
    options: KindOptions<S, P, Shared, Task, Result>,
  ): Kind<Task, Result, Infer<S>> => ({
    kind: options.kind,
    version: options.version,
    description: options.description,
    config: options.config,
    capabilities: options.capabilities ?? [],
    dependsOn: options.dependsOn ?? [],
    provide: options.provide ?? {},
    hooks: Object.entries(options.hooks ?? {}).map(([name, hook]) => {
      const { run, ...own } = typeof hook === 'function' ? { run: hook } : hook;
      return { name: name as HookName, run, options: own };
    }),
    commands: options.commands ?? {},
    checks: options.checks ?? {},
    upgrade: options.upgrade,
    work: options.work,
  });
}

/**
 * Defines an agent kind: its configuration's schema and type, what it can do and depends on, its parts and its behaviour.
 * Nothing runs before a factory builds an agent of it.
 */
export const defineKind = kindsWith<object>();
