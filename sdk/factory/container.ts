import { type AwilixContainer, AwilixResolutionError, asValue, createContainer, InjectionMode } from 'awilix';
import type { Provider, Providers, Scope } from './provide.ts';

/** What the factory cannot build: a cycle, something that is missing, each with the path that leads there. */
export class FactoryError extends Error {
  /** @param path the names that lead to what cannot be built */
  constructor(
    message: string,
    readonly path: readonly string[],
  ) {
    super(`${message}: ${path.join(' → ')}`);
    this.name = 'FactoryError';
  }
}

interface Disposal {
  name: string;
  end: () => Promise<void> | void;
}

/**
 * What lives in one scope, and by its parents in those around it. Each thing is made when it is first needed; `dispose` ends what
 * was made, the last one first.
 */
export class Container {
  readonly #made: Disposal[] = [];
  #ended: Promise<void> | undefined;

  private constructor(
    private readonly registry: AwilixContainer,
    private readonly overrides: Readonly<Record<string, unknown>>,
  ) {}

  /** @param overrides take the place of providers of their names, in every scope */
  static root(values: object, providers: Providers, overrides: Readonly<Record<string, unknown>> = {}): Container {
    const registry = createContainer({ injectionMode: InjectionMode.PROXY, strict: true });
    return new Container(registry, overrides).#furnish('singleton', values, providers);
  }

  /** A scope inside this one: what the providers of that scope make, and these values. */
  open(scope: Scope, values: object, providers: Providers): Container {
    return new Container(this.registry.createScope(), this.overrides).#furnish(scope, values, providers);
  }

  /** Everything by its name, made when it is read. */
  get cradle(): object {
    return new Proxy({}, { get: (_, name) => (typeof name === 'string' ? this.resolve(name) : undefined) });
  }

  /** @throws FactoryError for a cycle or something that is missing */
  resolve(name: string): unknown {
    try {
      return this.registry.resolve(name);
    } catch (error) {
      throw named(error);
    }
  }

  /**
   * Ends what was made here, in the reverse order, one after the other.
   * @throws AggregateError of all that failed, after all were tried
   */
  dispose(): Promise<void> {
    this.#ended ??= this.#dispose();
    return this.#ended;
  }

  async #dispose(): Promise<void> {
    const failures: unknown[] = [];
    for (const { name, end } of this.#made.reverse()) {
      try {
        await end();
      } catch (cause) {
        failures.push(new Error(`${name} could not be disposed`, { cause }));
      }
    }
    if (failures.length) throw new AggregateError(failures, 'not everything could be disposed');
  }

  #furnish(scope: Scope, values: object, providers: Providers): this {
    for (const [name, value] of Object.entries(values)) this.registry.register(name, asValue(value));
    for (const [name, provider] of Object.entries(providers)) {
      if (provider.scope !== scope) continue;
      if (Object.hasOwn(this.overrides, name)) this.registry.register(name, asValue(this.overrides[name]));
      else this.registry.register(name, { lifetime: 'SCOPED', resolve: this.#once(name, provider) });
    }
    return this;
  }

  /** What is made here stays here, whichever scope inside asks for it first: it can need nothing shorter-lived. */
  #once(name: string, { make, dispose }: Provider): () => unknown {
    let made: { value: unknown } | undefined;
    return () => {
      if (made) return made.value;
      const value = make(this.registry.cradle as never);
      made = { value };
      if (dispose) this.#made.push({ name, end: () => dispose(value) });
      return value;
    };
  }
}

function named(error: unknown): unknown {
  if (!(error instanceof AwilixResolutionError)) return error;
  const path = /Resolution path: (.*)$/.exec(error.message)?.[1]?.split(' -> ') ?? [];
  const isCycle = path.indexOf(path.at(-1) as string) < path.length - 1;
  return new FactoryError(isCycle ? 'these need each other' : `nothing provides ${path.at(-1)}`, path);
}

/**
 * The kinds in an order in which each comes behind those it depends on.
 * @throws FactoryError for a cycle or a kind that is missing
 */
export function inOrder(dependsOn: Readonly<Record<string, readonly string[]>>): string[] {
  const order: string[] = [];
  const visit = (kind: string, path: readonly string[]) => {
    if (order.includes(kind)) return;
    const way = [...path, kind];
    if (path.includes(kind)) throw new FactoryError('these kinds depend on each other', way.slice(way.indexOf(kind)));
    if (!Object.hasOwn(dependsOn, kind)) throw new FactoryError(`no kind ${kind} is defined`, way);
    for (const needed of dependsOn[kind] as readonly string[]) visit(needed, way);
    order.push(kind);
  };
  for (const kind of Object.keys(dependsOn)) visit(kind, []);
  return order;
}
