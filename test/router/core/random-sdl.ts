import { type Field, KEY_FIELDS, keyFieldsOf, MOODS, type RandomShape } from './random-shape.ts';

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@override"])`;
const COMMON = `enum Mood { ${MOODS.join(' ')} }
input Filter { by: Int = 1 moods: [Mood!] tag: String = "t" near: Near }
input Near { zone: Int = 3 names: [[String]] }`;

/** A shape's subgraphs as each of them writes itself. */
export function subgraphSdl(shape: RandomShape, subgraph: string): string {
  const objects = shape.entities.flatMap(({ name, presences }) => {
    const presence = presences.get(subgraph);
    if (!presence) return [];
    const known = new Set(presence.keys.flatMap(keyFieldsOf));
    const contracts = presence.contracts.size > 0 ? ` implements ${[...presence.contracts].join(' & ')}` : '';
    const resolvable = presence.isResolvable ? '' : ', resolvable: false';
    const keys = presence.keys.map((key) => `@key(fields: "${key}"${resolvable})`).join(' ');
    const own = [...known].map((field) => `${field}: ${KEY_FIELDS[field]}`);
    return [`type ${name}${contracts} ${keys} { ${[...own, ...fieldsIn(shape, name, subgraph)].join(' ')} }`];
  });
  const values = [...shape.values].flatMap(([name, places]) =>
    places.has(subgraph) ? [`type ${name} @shareable { ${fieldsIn(shape, name, subgraph, false).join(' ')} }`] : [],
  );
  const unions = [...shape.unions].flatMap(([name, bySubgraph]) => {
    const members = bySubgraph.get(subgraph);
    return members ? [`union ${name} = ${members.join(' | ')}`] : [];
  });
  const roots = ['Query', 'Mutation'].flatMap((root) => {
    const fields = fieldsIn(shape, root, subgraph);
    return fields.length > 0 ? [`type ${root} { ${fields.join(' ')} }`] : [];
  });
  const place = 'type Place @shareable { zone: Int! number: Int! }';
  return [LINK, COMMON, place, ...contractsIn(shape, subgraph), ...objects, ...values, ...unions, ...roots].join('\n');
}

/** The same graph as one schema. */
export function monolithSdl(shape: RandomShape): string {
  const all = (owner: string) => shape.fields.filter((field) => field.owner === owner).map(written);
  const contracts = [...shape.contracts.keys()].map((name) => {
    const fields = new Set(shape.subgraphs.flatMap((subgraph) => contractFieldsIn(shape, name, subgraph)));
    return `interface ${name} { ${['id: ID!', ...[...fields].map(written)].join(' ')} }`;
  });
  const objects = shape.entities.map(({ name, keys }) => {
    const held = [...shape.contracts].flatMap(([contract, objects]) => (objects.has(name) ? [contract] : []));
    const own = [...new Set(keys.flatMap(keyFieldsOf))].map((field) => `${field}: ${KEY_FIELDS[field]}`);
    return `type ${name}${held.length > 0 ? ` implements ${held.join(' & ')}` : ''} { ${[...own, ...all(name)].join(' ')} }`;
  });
  const values = [...shape.values.keys()].map((name) => `type ${name} { ${all(name).join(' ')} }`);
  const unions = [...shape.unions].map(
    ([name, bySubgraph]) => `union ${name} = ${[...new Set([...bySubgraph.values()].flat())].join(' | ')}`,
  );
  const roots = ['Query', 'Mutation'].flatMap((root) =>
    all(root).length > 0 ? [`type ${root} { ${all(root).join(' ')} }`] : [],
  );
  const place = 'type Place { zone: Int! number: Int! }';
  return [COMMON, place, ...contracts, ...objects, ...values, ...unions, ...roots].join('\n');
}

function contractsIn(shape: RandomShape, subgraph: string): string[] {
  return [...shape.contracts.keys()].flatMap((name) => {
    const objects = objectsOf(shape, name, subgraph);
    if (objects.length === 0) return [];
    return [`interface ${name} { ${['id: ID!', ...contractFieldsIn(shape, name, subgraph).map(written)].join(' ')} }`];
  });
}

/** What some object leaves to another subgraph, its contract leaves too. */
function contractFieldsIn(shape: RandomShape, contract: string, subgraph: string): Field[] {
  const objects = objectsOf(shape, contract, subgraph);
  return shape.fields.filter(
    ({ owner, name }) =>
      owner === contract &&
      objects.length > 0 &&
      objects.every((object) => shape.field(object.name, name)?.places.has(subgraph)),
  );
}

const objectsOf = ({ entities }: RandomShape, contract: string, subgraph: string) =>
  entities.filter(({ presences }) => presences.get(subgraph)?.contracts.has(contract));

function fieldsIn(shape: RandomShape, owner: string, subgraph: string, isMarked = true): string[] {
  return shape.fields
    .filter((field) => field.owner === owner && isNamedIn(field, subgraph))
    .map((field) => {
      if (field.movedFrom === subgraph) return written(field);
      if (!field.places.has(subgraph)) return `${written(field)} @external`;
      const shared = isMarked && (field.places.size > 1 || field.isProvided) ? ' @shareable' : '';
      const firm = field.firmIn === subgraph ? '!' : '';
      const provides = field.provides ? ` @provides(fields: "${field.provides}")` : '';
      const label = field.moveLabel === undefined ? '' : `, label: "${field.moveLabel}"`;
      const moved = field.movedFrom === undefined ? '' : ` @override(from: "${field.movedFrom}"${label})`;
      return `${written(field)}${firm}${moved}${shared}${requiresOf(field)}${provides}`;
    });
}

const isNamedIn = ({ places, externals, movedFrom }: Field, subgraph: string) =>
  places.has(subgraph) || externals.has(subgraph) || movedFrom === subgraph;

function requiresOf({ requires }: Field): string {
  if (!requires) return '';
  const given = Object.entries(requires.args).map(([name, value]) => `${name}: ${value}`);
  const args = given.length > 0 ? `(${given.join(', ')})` : '';
  const below = requires.picks.length > 0 ? ` { ${requires.picks.join(' ')} }` : '';
  return ` @requires(fields: "${requires.field.name}${args}${below}")`;
}

function written({ name, type, args }: Field): string {
  const each = args.map(
    ({ name, type, byDefault }) => `${name}: ${type}${byDefault === undefined ? '' : ` = ${byDefault}`}`,
  );
  return `${name}${each.length > 0 ? `(${each.join(', ')})` : ''}: ${type}`;
}
