/** How long what a provider makes lives: with the factory, with one agent, with one task. */
export type Scope = 'singleton' | 'agent' | 'task';

/** How a dependency is made, once in its scope, when it is first needed. */
export interface Provider<Value = unknown, In extends Scope = Scope> {
  scope: In;
  make: (needs: never) => Value;
  dispose?(value: Value): Promise<void> | void;
}

export type Providers = Readonly<Record<string, Provider<unknown>>>;

/** What a provider makes. */
export type Made<P> = P extends Provider<infer Value> ? Value : never;

type Dispose<Value> = (value: Value) => Promise<void> | void;

/** One for all agents of the kind (or, given to the factory, for all of them). @param dispose ends it, last made first */
export function singleton<Value, Needs = object>(
  make: (needs: Needs) => Value,
  dispose?: Dispose<Value>,
): Provider<Value, 'singleton'> {
  return { scope: 'singleton', make, ...(dispose && { dispose }) };
}

/** One for each agent; it may need `agent`, `config`, and what is shared. */
export function perAgent<Value, Needs = object>(
  make: (needs: Needs) => Value,
  dispose?: Dispose<Value>,
): Provider<Value, 'agent'> {
  return { scope: 'agent', make, ...(dispose && { dispose }) };
}

/** One for each task; it may need `task` and `span` too. */
export function perTask<Value, Needs = object>(
  make: (needs: Needs) => Value,
  dispose?: Dispose<Value>,
): Provider<Value, 'task'> {
  return { scope: 'task', make, ...(dispose && { dispose }) };
}
