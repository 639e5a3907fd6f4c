import { randomFrom } from './random-operation.ts';

/** An argument with its default, if it has one. */
export interface Argument {
  readonly name: string;
  readonly type: string;
  readonly byDefault?: unknown;
}

/** What a field asks of its entity's other fields. */
export interface Required {
  readonly subgraph: string;
  readonly field: Field;
  readonly args: Readonly<Record<string, unknown>>;
  /** Fields below it, where it is an object. */
  readonly picks: readonly string[];
}

/** One field of the whole graph. */
export interface Field {
  readonly owner: string;
  readonly name: string;
  readonly type: string;
  readonly args: readonly Argument[];
  /** Subgraphs that resolve it. */
  readonly places: Set<string>;
  /** Subgraphs that name it `@external`. */
  readonly externals: Set<string>;
  /** Where it says it is never null, while others do not. */
  readonly firmIn?: string | undefined;
  readonly requires?: Required;
  /** The subgraph it is moved from (`@override`), which still names it. */
  movedFrom?: string | undefined;
  /** Where it moves for a share of the operations: `percent(n)`. */
  moveLabel?: string | undefined;
  /** The subgraph that names it and must not be asked, when it moves. */
  closedIn?: string | undefined;
  /** Throws for some. */
  readonly isFaulty: boolean;
  /** Is null for some even where it may not be. */
  readonly isStrict: boolean;
  /** What it may return, where its type is abstract. */
  readonly members?: readonly string[];
  /** Whether another field brings it along, from a subgraph where it is `@external` otherwise. */
  isProvided?: boolean;
  /** What it brings along of what it returns. */
  provides?: string;
}

/** How an entity is known in one subgraph. */
export interface Presence {
  readonly keys: readonly string[];
  readonly isResolvable: boolean;
  readonly contracts: Set<string>;
}

export interface Entity {
  readonly name: string;
  readonly keys: readonly string[];
  readonly presences: Map<string, Presence>;
}

export const KEYS = ['id', 'sku', 'left right', 'place { zone number }'] as const;
export const KEY_FIELDS: Readonly<Record<string, string>> = {
  id: 'ID!',
  sku: 'String!',
  left: 'Int!',
  right: 'String!',
  place: 'Place!',
};
export const MOODS = ['CALM', 'TENSE', 'LOST'];
const LATER = 'percent(30)';
const MOVES = [LATER, 'percent(70)'];
const LEAVES = ['String', 'Int', 'Float', 'Boolean', 'ID', 'Mood'];
const WRAPS = ['_', '_', '_', '_!', '_!', '[_]', '[_!]', '[_!]!', '[_]!', '[[_]!]', '[[_!]]!', '[[[_]]]'];
const ARGUMENTS: readonly Argument[] = [
  { name: 'by', type: 'Int', byDefault: 2 },
  { name: 'at', type: 'Int' },
  { name: 'mood', type: 'Mood', byDefault: 'CALM' },
  { name: 'filter', type: 'Filter' },
  { name: 'tags', type: '[String!]' },
  { name: 'grid', type: '[[Int!]]' },
];

export const namedOf = (type: string) => type.replaceAll(/[[\]!]/g, '');

/** The keys' fields, without what is below them. */
export const keyFieldsOf = (key: string) =>
  key
    .replace(/\{.*\}/, '')
    .trim()
    .split(' ');

/** The types of a random graph, and which subgraph has which part of them. */
export class RandomShape {
  readonly subgraphs: readonly string[];
  readonly entities: readonly Entity[];
  readonly fields: Field[] = [];
  /** Objects without a key → where they are. */
  readonly values = new Map<string, Set<string>>();
  /** Contracts → objects that hold to them, anywhere. */
  readonly contracts = new Map<string, Set<string>>();
  /** Unions → by subgraph, their members there. */
  readonly unions = new Map<string, Map<string, readonly string[]>>();
  readonly #random: () => number;
  #next = 0;

  constructor(readonly seed: number) {
    this.#random = randomFrom(seed * 7_919 + 17);
    this.subgraphs = Array.from({ length: 2 + this.#below(3) }, (_, at) => `s${at}`);
    this.entities = Array.from({ length: 2 + this.#below(3) }, (_, at) => this.#entity(`E${at}`));
    this.#addContracts();
    this.#addValues();
    this.#addUnions();
    for (const entity of this.entities) this.#addFields(entity);
    for (const subgraph of this.subgraphs) this.#addRoots(subgraph);
    for (const field of this.fields) if (this.#chance(0.12)) this.#move(field);
    for (const entity of [...this.entities, ...this.entities]) if (this.#chance(0.7)) this.#addRequired(entity);
    for (const field of this.fields) if (this.#chance(0.25)) this.#provide(field);
  }

  field(owner: string, name: string): Field | undefined {
    return this.fields.find((each) => each.owner === owner && each.name === name);
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #some<T>(items: readonly T[], probability: number): T[] {
    const some = items.filter(() => this.#chance(probability));
    return some.length > 0 ? some : [this.#pick(items)];
  }

  #entity(name: string): Entity {
    const keys = this.#chance(0.7) ? ['id', ...KEYS.slice(1).filter(() => this.#chance(0.25))] : [this.#pick(KEYS)];
    const presences = new Map<string, Presence>();
    const owner = this.#pick(this.subgraphs);
    for (const subgraph of this.subgraphs) {
      if (subgraph !== owner && this.#chance(0.25)) continue;
      // Its owner knows every key, so there is a way between any two.
      const known = subgraph === owner ? keys : this.#some(keys, 0.5);
      presences.set(subgraph, { keys: known, isResolvable: true, contracts: new Set() });
    }
    return { name, keys, presences };
  }

  /** Makes a type known in a subgraph that mentions it. */
  #mention(type: string, subgraph: string): void {
    const entity = this.entities.find(({ name }) => name === type);
    if (entity && !entity.presences.has(subgraph)) {
      const isResolvable = this.#chance(0.5);
      entity.presences.set(subgraph, { keys: [this.#pick(entity.keys)], isResolvable, contracts: new Set() });
    }
    const places = this.values.get(type);
    if (!places || places.has(subgraph)) return;
    places.add(subgraph);
    for (const field of this.fields.filter(({ owner }) => owner === type)) {
      field.places.add(subgraph);
      this.#mention(namedOf(field.type), subgraph);
    }
  }

  #addContracts(): void {
    const able = this.entities.filter(({ keys }) => keys.includes('id'));
    for (let at = 0; at < 2 && able.length > 1; at++) {
      const name = `I${at}`;
      const objects = new Set<string>();
      for (const entity of this.#some(able, 0.7)) {
        for (const presence of entity.presences.values()) {
          if (!presence.keys.includes('id') || this.#chance(0.15)) continue;
          presence.contracts.add(name);
          objects.add(entity.name);
        }
      }
      if (objects.size > 0) this.contracts.set(name, objects);
    }
    for (const [name, objects] of this.contracts) {
      const type = this.#chance(0.6) ? this.#pick(LEAVES) : this.#pick(this.entities).name;
      const wrapped = this.#pick(WRAPS).replace('_', type);
      for (const entity of this.entities.filter((each) => objects.has(each.name))) {
        const own = !wrapped.endsWith('!') && this.#chance(0.3) ? `${wrapped}!` : wrapped;
        this.#add({ owner: entity.name, name: `of${name}`, type: own }, this.#holders(entity));
      }
      this.#add({ owner: name, name: `of${name}`, type: wrapped }, []);
    }
  }

  #addValues(): void {
    for (let at = 0; at < 1 + this.#below(2); at++) {
      const name = `V${at}`;
      this.values.set(name, new Set());
      const count = 2 + this.#below(2);
      for (let each = 0; each < count; each++) this.#add({ owner: name, type: this.#wrapped(LEAVES) }, []);
      if (this.#chance(0.5))
        this.#add({ owner: name, type: this.#wrapped(this.entities.map((each) => each.name)) }, []);
    }
  }

  #addUnions(): void {
    if (this.#chance(0.2)) return;
    const bySubgraph = new Map<string, readonly string[]>();
    for (const subgraph of this.subgraphs) {
      const here = this.entities.filter(({ presences }) => presences.has(subgraph)).map(({ name }) => name);
      if (here.length === 0) continue;
      const members = this.#some(here, 0.7);
      if (this.#chance(0.3)) members.push('V0');
      for (const member of members) this.#mention(member, subgraph);
      bySubgraph.set(subgraph, members);
    }
    this.unions.set('U0', bySubgraph);
  }

  #holders({ presences }: Entity): string[] {
    const resolvable = [...presences].filter(([, { isResolvable }]) => isResolvable).map(([name]) => name);
    return [...new Set([this.#pick(resolvable), ...(this.#chance(0.25) ? [this.#pick(resolvable)] : [])])];
  }

  #wrapped(names: readonly string[]): string {
    return this.#pick(WRAPS).replace('_', this.#pick(names));
  }

  #addFields(entity: Entity): void {
    const count = 3 + this.#below(5);
    for (let at = 0; at < count; at++) {
      const places = this.#holders(entity);
      this.#addOf(entity.name, places);
    }
  }

  /** A field of any type that these subgraphs can give. */
  #addOf(owner: string, places: readonly string[]): void {
    const kind = this.#random();
    const [place = ''] = places;
    const add = (names: readonly string[]) => this.#add({ owner, type: this.#wrapped(names) }, places);
    const abstract = this.#pick(['I0', 'I1', 'U0']);
    const members =
      this.unions.get(abstract)?.get(place) ??
      this.entities.filter(({ presences }) => presences.get(place)?.contracts.has(abstract)).map(({ name }) => name);
    if (kind < 0.4) add(LEAVES);
    else if (kind < 0.65) add(this.entities.map(({ name }) => name));
    else if (kind < 0.78 || members.length === 0) add([...this.values.keys()]);
    else this.#add({ owner, type: this.#wrapped([abstract]), members }, [place]);
  }

  #add(part: Pick<Field, 'owner' | 'type'> & Partial<Field>, places: readonly string[]): void {
    const isInner = part.owner.startsWith('V') || part.owner.startsWith('I');
    const isFirm = places.length > 1 && !part.type.endsWith('!') && this.#chance(0.3);
    const name = part.name ?? `f${this.#next++}`;
    const hasArguments = part.name === undefined && !part.owner.startsWith('V') && this.#chance(0.35);
    const field: Field = {
      ...part,
      name,
      args: hasArguments ? this.#some(ARGUMENTS, 0.3) : [],
      places: new Set(places),
      externals: new Set(),
      firmIn: isFirm ? this.#pick(places) : undefined,
      isFaulty: !isInner && !isFirm && this.#chance(0.12),
      isStrict: !isInner && !isFirm && this.#chance(0.12),
    };
    this.fields.push(field);
    for (const place of places) this.#mention(namedOf(part.type), place);
  }

  #addRoots(subgraph: string): void {
    const count = 2 + this.#below(3);
    for (let at = 0; at < count; at++) {
      const others = this.subgraphs.filter((each) => each !== subgraph);
      this.#addOf('Query', [subgraph, ...(this.#chance(0.1) ? [this.#pick(others)] : [])]);
    }
    if (this.#chance(0.6)) this.#addOf('Mutation', [subgraph]);
  }

  #move(field: Field): void {
    const entity = this.entities.find(({ name }) => name === field.owner);
    const others = this.subgraphs.filter(
      (each) => !field.places.has(each) && entity?.presences.get(each)?.isResolvable === true,
    );
    if (others.length === 0 || field.places.size > 1 || field.members || field.name.startsWith('of')) return;
    field.movedFrom = this.#pick(others);
    field.moveLabel = this.#chance(0.5) ? this.#pick(MOVES) : undefined;
    // Half of all is drawn here, always.
    field.closedIn = field.moveLabel === LATER ? [...field.places][0] : field.movedFrom;
    this.#mention(namedOf(field.type), field.movedFrom);
  }

  #addRequired(entity: Entity): void {
    const subgraph = this.#pick(this.#holders(entity));
    const able = this.fields.filter(
      ({ owner, type, places, movedFrom, moveLabel, isFaulty, isStrict, firmIn }) =>
        owner === entity.name &&
        !(places.has(subgraph) || movedFrom === subgraph) &&
        !(isFaulty || isStrict || firmIn || moveLabel) &&
        (LEAVES.includes(namedOf(type)) || this.values.has(namedOf(type))),
    );
    if (able.length === 0) return;
    const field = this.#pick(able);
    const args: Record<string, unknown> = {};
    for (const { name, type, byDefault } of field.args) {
      if (byDefault !== undefined) args[name] = byDefault;
      if (type === 'Int' && this.#chance(0.5)) args[name] = this.#below(4);
    }
    const below = this.fields.filter(
      ({ owner, type }) => owner === namedOf(field.type) && LEAVES.includes(namedOf(type)),
    );
    const picks = below.length > 0 ? this.#some(below, 0.6).map(({ name }) => name) : [];
    if (this.values.has(namedOf(field.type)) && picks.length === 0) return;
    field.externals.add(subgraph);
    this.#mention(namedOf(field.type), subgraph);
    const type = this.#pick(['String', 'String!']);
    const requires = { subgraph, field, args, picks };
    this.#add({ owner: entity.name, name: `r${this.#next++}`, type, requires }, [subgraph]);
  }

  #provide(field: Field): void {
    const [place, another] = field.places;
    if (place === undefined || another !== undefined || !/^(E|Query|Mutation)/.test(field.owner)) return;
    const able = this.fields.filter(
      ({ owner, type, places, movedFrom, args, requires, firmIn }) =>
        owner === namedOf(field.type) &&
        owner.startsWith('E') &&
        LEAVES.includes(namedOf(type)) &&
        !(places.has(place) || movedFrom === place || args.length > 0 || requires || firmIn),
    );
    if (able.length === 0) return;
    const provided = this.#pick(able);
    provided.externals.add(place);
    provided.isProvided = true;
    field.provides = provided.name;
  }
}
