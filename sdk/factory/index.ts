export { BuiltAgent, type WorkOptions } from './built-agent.ts';
export { FactoryError } from './container.ts';
export { type About, AgentFactory, createFactory, type FactoryOptions } from './factory.ts';
export {
  type AgentDeps,
  defineKind,
  type HookOf,
  type Kind,
  type KindOptions,
  kindsWith,
  type TaskDeps,
} from './kind.ts';
export {
  type Dispose,
  type Made,
  type Provider,
  type Providers,
  perAgent,
  perTask,
  type Scope,
  singleton,
} from './provide.ts';
export { BadConfig, type Infer, type ObjectSchema, type Present, readConfig, type Schema } from './schema.ts';
export { type Ended, TestAgent, type TestAgentOptions, testAgent } from './test-agent.ts';
