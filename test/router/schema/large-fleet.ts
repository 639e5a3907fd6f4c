import { composeSupergraph, type SubgraphSource } from '../../../router/compose.ts';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';
const FIELDS = Array.from({ length: 10 }, (_, at) => `"What field ${at} tells, in some words." f${at}(a: Int): String`);

export interface FleetSize {
  subgraphs: number;
  /** Entities of each subgraph; the next subgraph adds to every second one. */
  types: number;
}

/** Many subgraphs that build on each other in a ring: `{ s0 { f0 next { f1 } by3 } }`. */
export function largeFleet({ subgraphs, types }: FleetSize, urlOf: (name: string) => string): SubgraphSource[] {
  return Array.from({ length: subgraphs }, (_, at) => {
    const before = (at + subgraphs - 1) % subgraphs;
    const own = Array.from(
      { length: types },
      (_, type) =>
        `type T${at}_${type} @key(fields: "id") { id: ID! next: T${at}_${(type + 1) % types} ${FIELDS.join('\n')} }`,
    );
    const added = Array.from({ length: types }, (_, type) => `T${before}_${type}`)
      .filter((_, type) => type % 2 === 0)
      .map((name) => `type ${name} @key(fields: "id") { id: ID! by${at}: String }`);
    const root = `type Query { s${at}: T${at}_0 all${at}(first: Int, filter: F${at}): [T${at}_0!] } input F${at} { a: Int }`;
    const name = `sub${at}`;
    return { name, url: urlOf(name), sdl: [LINK, root, ...own, ...added].join('\n') };
  });
}

/** Their supergraph, with streams of flashes, and a field `Query.version0` that another number can stand in for. */
export function largeSupergraph(size: FleetSize, urlOf: (name: string) => string): string {
  const [first, ...others] = largeFleet(size, urlOf) as [SubgraphSource, ...SubgraphSource[]];
  const root = `type Subscription { flashed(after: String): Flash } type Flash { cursor: String! number: Int! }
    type Query { version0: Int`;
  return composeSupergraph([{ ...first, sdl: first.sdl.replace('type Query {', root) }, ...others]);
}
