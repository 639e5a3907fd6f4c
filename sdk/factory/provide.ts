/** How long what a provider makes lives: with the factory, with one agent, with one task. */
export type Scope = 'singleton' | 'agent' | 'task';

/** How a dependency is made, once in its scope, when it is first needed. */
export interface Provider<Value = unknown, In extends Scope = Scope> {
  /** How long what it makes lives. */
  scope: In;
  /** Makes it from what it needs, which is given by name. */
  make: (needs: never) => Value;
  /** Ends it, the last made first. */
  dispose?(value: Value): Promise<void> | void;
}

/** What parts are made by, by their names. */
export type Providers = Readonly<Record<string, Provider<unknown>>>;

/** What a provider makes. */
export type Made<P> = P extends Provider<infer Value> ? Value : never;

/** Ends what a provider made. */
export type Dispose<Value> = (value: Value) => Promise<void> | void;

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
