import { isInterfaceType } from 'graphql';
import type { Faults } from './faults.ts';
import { isJsonObject, type JsonObject, joined } from './json.ts';
import type { Projection, Selection, Shape, ShownField } from './projection.ts';
import { jsonOf, quoted, Written } from './written.ts';

/** A null that takes its parent with it. */
const BUBBLE = Symbol('bubble');
type Text = string | typeof BUBBLE;

const NULL = 'null';

export interface WritingOptions {
  projection: Projection;
  faults: Faults;
  /** Answers to `__schema` and `__type` by response key, written out. */
  introspected: Readonly<Record<string, string>> | undefined;
  /** `Type.field`s this caller may not see. */
  closed: ReadonlySet<string>;
}

/**
 * Writes the data as the client asked for it: its names, its order, nothing else; nulls go up to the next place that may
 * be null, each with an error. The text is made in one walk, without the objects it says.
 * @returns null when nothing may be shown
 */
export function write(data: unknown, options: WritingOptions): Written | null {
  const text = new Writer(options).object(options.projection.root, data, true);
  return text === BUBBLE || text === NULL ? null : new Written(text);
}

/** Whether a null at or below one of these root keys takes all the data with it. */
export function isLost(data: JsonObject, keys: readonly string[], options: WritingOptions): boolean {
  const { root } = options.projection;
  const writer = new Writer(options);
  const type = root.typeFor(undefined);
  const fields = type ? root.fieldsFor(type) : [];
  return fields.some((field) => keys.includes(field.key) && writer.field(field, data) === BUBBLE);
}

class Writer {
  readonly #path: (string | number)[] = [];

  constructor(private readonly options: WritingOptions) {}

  object(selection: Selection, value: unknown, isRoot = false): Text {
    if (!isJsonObject(value)) return NULL;
    const type = selection.typeFor(value['__typename']);
    if (!type) return NULL;
    let text = '';
    for (const field of selection.fieldsFor(type)) {
      const { key, meta } = field;
      let part: Text;
      if (meta === undefined) {
        part = this.field(field, value);
        if (part === BUBBLE) return BUBBLE;
      } else if (meta === 'typename') {
        part = jsonOf(isInterfaceType(type) ? (value['__typename'] ?? type.name) : type.name);
      } else {
        part = isRoot ? (this.options.introspected?.[key] ?? NULL) : NULL;
      }
      text += text === '' ? field.opening : field.following;
      text += part;
    }
    return text === '' ? '{}' : `${text}}`;
  }

  field(field: ShownField, value: JsonObject): Text {
    const { key, from, otherKey, shape, coordinate } = field;
    this.#path.push(key);
    const given = otherKey !== undefined && otherKey in value ? joined(value[from], value[otherKey]) : value[from];
    const part = this.#complete(shape, this.#readable(field, given), coordinate);
    this.#path.pop();
    return part;
  }

  #readable({ coordinate, coordinates }: ShownField, value: unknown): unknown {
    const { closed, faults } = this.options;
    if (closed.size === 0) return value;
    // Of an object that does not say what it is, nothing is shown that may not be shown of any that it could be.
    if (!(coordinates ? coordinates.some((each) => closed.has(each)) : closed.has(coordinate))) return value;
    faults.tell('FORBIDDEN', `your scopes do not open ${coordinate}`, this.#path.slice());
    return null;
  }

  #complete(shape: Shape, value: unknown, coordinate: string): Text {
    const part = value === null || value === undefined ? NULL : this.#nullable(shape, value, coordinate);
    if (part === BUBBLE) return shape.isNonNull ? BUBBLE : NULL;
    if (part !== NULL || !shape.isNonNull) return part;
    const { faults } = this.options;
    if (!faults.explains(this.#path)) {
      faults.tell('INTERNAL', `${coordinate} is never null, and its subgraph gave nothing`, this.#path.slice());
    }
    return BUBBLE;
  }

  #nullable(shape: Shape, value: unknown, coordinate: string): Text {
    switch (shape.kind) {
      case 'String':
        return typeof value === 'string' ? quoted(value) : this.#misshapen(coordinate);
      case 'ID':
        return typeof value === 'string' || Number.isSafeInteger(value)
          ? quoted(String(value))
          : this.#misshapen(coordinate);
      case 'Int':
        return (value as number) === ((value as number) | 0) ? String(value) : this.#misshapen(coordinate);
      case 'Float':
        return Number.isFinite(value) ? String(value) : this.#misshapen(coordinate);
      case 'Boolean':
        return typeof value === 'boolean' ? String(value) : this.#misshapen(coordinate);
      case 'leaf':
        return this.#any(value, coordinate);
      case 'enum':
        return shape.values.has(value as string) ? jsonOf(value) : this.#misshapen(coordinate);
      case 'object': {
        const part = this.object(shape.selection, value);
        return part === NULL ? this.#misshapen(coordinate) : part;
      }
      case 'list':
        return Array.isArray(value) ? this.#list(shape.item, value, coordinate) : this.#misshapen(coordinate);
    }
  }

  /** A value of a scalar of anybody's: it may nest deeper than can be written. */
  #any(value: unknown, coordinate: string): Text {
    try {
      return jsonOf(value);
    } catch (error) {
      if (error instanceof RangeError) return this.#misshapen(coordinate);
      throw error;
    }
  }

  /** What is not of its type is null, and never without a word. */
  #misshapen(coordinate: string): Text {
    const { faults } = this.options;
    if (!faults.explains(this.#path)) {
      faults.tell('INTERNAL', `its subgraph gave ${coordinate} a value that is not of its type`, this.#path.slice());
    }
    return NULL;
  }

  #list(item: Shape, values: readonly unknown[], coordinate: string): Text {
    let text = '[';
    for (let index = 0; index < values.length; index++) {
      this.#path.push(index);
      const part = this.#complete(item, values[index], coordinate);
      this.#path.pop();
      if (part === BUBBLE) return BUBBLE;
      text += index === 0 ? part : `,${part}`;
    }
    return `${text}]`;
  }
}
