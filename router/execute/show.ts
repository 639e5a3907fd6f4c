import { isInterfaceType } from 'graphql';
import type { Faults } from './faults.ts';
import { isJsonObject, joined } from './json.ts';
import type { Projection, Selection, Shape } from './projection.ts';

/** A null that takes its parent with it. */
const BUBBLE = Symbol('bubble');

export interface ShowOptions {
  projection: Projection;
  faults: Faults;
  /** Answers to `__schema` and `__type`, by response key. */
  introspected: Readonly<Record<string, unknown>> | undefined;
  /** `Type.field`s this caller may not see. */
  closed: ReadonlySet<string>;
}

/**
 * Shows the data as the client asked for it: its names, its order, nothing else; nulls go up to the next place that may
 * be null, each with an error.
 * @returns null when nothing may be shown
 */
export function show(data: unknown, options: ShowOptions): Record<string, unknown> | null {
  const shown = new Showing(options).object(options.projection.root, data, true);
  return shown === BUBBLE ? null : (shown as Record<string, unknown> | null);
}

class Showing {
  readonly #path: (string | number)[] = [];

  constructor(private readonly options: ShowOptions) {}

  object(selection: Selection, value: unknown, isRoot = false): unknown {
    if (!isJsonObject(value)) return null;
    const type = selection.typeFor(value['__typename']);
    if (!type) return null;
    const shown: Record<string, unknown> = {};
    for (const { key, otherKey, coordinate, shape, meta } of selection.fieldsFor(type)) {
      if (meta === 'typename') {
        shown[key] = isInterfaceType(type) ? (value['__typename'] ?? type.name) : type.name;
        continue;
      }
      if (meta === 'introspection') {
        shown[key] = isRoot ? this.options.introspected?.[key] : null;
        continue;
      }
      this.#path.push(key);
      const given = otherKey !== undefined && otherKey in value ? joined(value[key], value[otherKey]) : value[key];
      const part = this.#complete(shape, this.#readable(coordinate, given), coordinate);
      this.#path.pop();
      if (part === BUBBLE) return BUBBLE;
      shown[key] = part;
    }
    return shown;
  }

  #readable(coordinate: string, value: unknown): unknown {
    const { closed, faults } = this.options;
    if (closed.size === 0 || !closed.has(coordinate)) return value;
    faults.tell('FORBIDDEN', `your scopes do not open ${coordinate}`, this.#path.slice());
    return null;
  }

  #complete(shape: Shape, value: unknown, coordinate: string): unknown {
    const part = value === null || value === undefined ? null : this.#nullable(shape, value, coordinate);
    if (part === BUBBLE) return shape.isNonNull ? BUBBLE : null;
    if (part !== null || !shape.isNonNull) return part;
    const { faults } = this.options;
    if (!faults.explains(this.#path)) {
      faults.tell('INTERNAL', `${coordinate} is never null, and its subgraph gave nothing`, this.#path.slice());
    }
    return BUBBLE;
  }

  #nullable(shape: Shape, value: unknown, coordinate: string): unknown {
    switch (shape.kind) {
      case 'leaf':
        return value;
      case 'enum':
        return shape.values.has(value as string) ? value : null;
      case 'object':
        return this.object(shape.selection, value);
      case 'list':
        return Array.isArray(value) ? this.#list(shape.item, value, coordinate) : null;
    }
  }

  #list(item: Shape, values: readonly unknown[], coordinate: string): unknown {
    const shown: unknown[] = [];
    for (let index = 0; index < values.length; index++) {
      this.#path.push(index);
      const part = this.#complete(item, values[index], coordinate);
      this.#path.pop();
      if (part === BUBBLE) return BUBBLE;
      shown.push(part);
    }
    return shown;
  }
}
