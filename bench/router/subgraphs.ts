import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, type GraphQLSchema, parse } from 'graphql';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';
const filler = 'x'.repeat(120);

/** Six subgraphs: a list owned by the first, completed by the others. */
export const SDL: Record<string, string> = {
  items: `${LINK} type Query { items(first: Int!, tag: String!): [Item!]! } type Item @key(fields: "id") { id: ID! name: String! owner: Owner! } type Owner @key(fields: "id") { id: ID! }`,
  owners: `${LINK} type Owner @key(fields: "id") { id: ID! name: String! bio: String! }`,
  notes: `${LINK} type Item @key(fields: "id") { id: ID! note: String! related: [Item!]! }`,
  prices: `${LINK} type Item @key(fields: "id") { id: ID! price: Float! currency: String! }`,
  stock: `${LINK} type Item @key(fields: "id") { id: ID! inStock: Int! place: Place! } type Place @key(fields: "id") { id: ID! }`,
  places: `${LINK} type Place @key(fields: "id") { id: ID! city: String! keeper: Owner! } type Owner @key(fields: "id") { id: ID! }`,
};

/** Three sizes: one fetch, five, and sixteen with 80 kB and more. */
export const QUERIES: Record<string, { query: string; rows: number; fetches: number }> = {
  small: { query: 'query ($n: Int!, $tag: String!) { items(first: $n, tag: $tag) { id name } }', rows: 5, fetches: 1 },
  mid: {
    query:
      'query ($n: Int!, $tag: String!) { items(first: $n, tag: $tag) { id name note price owner { name } related { name } } }',
    rows: 10,
    fetches: 5,
  },
  big: {
    query: `query ($n: Int!, $tag: String!) { items(first: $n, tag: $tag) {
      id name note price currency inStock owner { name bio } place { city keeper { name bio } }
      related { id name note price currency inStock owner { name bio } place { city keeper { name bio } }
        related { name price inStock owner { name } note } } } }`,
    rows: 60,
    fetches: 16,
  },
};

const item = (id: string) => ({ id, name: `item ${id}`, owner: { id: `o${id}` } });
const RESOLVERS: Record<string, object> = {
  items: {
    Query: {
      items: (_: unknown, { first, tag }: { first: number; tag: string }) =>
        Array.from({ length: first }, (_, at) => item(`${tag}-${at}`)),
    },
    Item: { __resolveReference: ({ id }: { id: string }) => item(id) },
  },
  owners: { Owner: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `owner ${id}`, bio: filler }) } },
  notes: {
    Item: {
      __resolveReference: ({ id }: { id: string }) => ({
        id,
        note: `${id} ${filler}`,
        related: [{ id: `${id}r`, note: `${id}r ${filler}`, related: [{ id: `${id}rr`, note: '', related: [] }] }],
      }),
    },
  },
  prices: { Item: { __resolveReference: ({ id }: { id: string }) => ({ id, price: 12.5, currency: 'EUR' }) } },
  stock: {
    Item: { __resolveReference: ({ id }: { id: string }) => ({ id, inStock: 7, place: { id: `p${id}` } }) },
  },
  places: {
    Place: {
      __resolveReference: ({ id }: { id: string }) => ({ id, city: `city ${id}`, keeper: { id: `k${id}` } }),
    },
  },
};

/** Every request has a tag of its own in all its ids, so that no two are alike anywhere. */
const TAG = /t\d{10}/;
const PLACE = '@@@@@@@@@@@';

/** Serves them on free ports. @returns their addresses */
export async function serveSubgraphs(): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  for (const [name, sdl] of Object.entries(SDL)) {
    const schema = buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: RESOLVERS[name] as never });
    addresses[name] = await serve(schema);
  }
  return addresses;
}

/**
 * Subgraphs that cost next to nothing, or they would be what is measured: each answer is worked out once and then only
 * given the request's own tag.
 */
class Templates {
  readonly #known = new Map<string, string>();

  constructor(private readonly schema: GraphQLSchema) {}

  async answer(body: string): Promise<string> {
    const tag = TAG.exec(body)?.[0];
    const asked = tag === undefined ? body : body.replaceAll(tag, PLACE);
    let template = this.#known.get(asked);
    if (template === undefined) {
      const { query, variables } = JSON.parse(body);
      const answer = await execute({ schema: this.schema, document: parse(query), variableValues: variables });
      template = JSON.stringify(answer);
      if (tag !== undefined) template = template.replaceAll(tag, PLACE);
      this.#known.set(asked, template);
    }
    return tag === undefined ? template : template.replaceAll(PLACE, tag);
  }
}

function serve(schema: GraphQLSchema): Promise<string> {
  const templates = new Templates(schema);
  const server = createServer((socket) => void new Connection(socket, templates));
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`));
  });
}

/** HTTP/1.1 as far as these clients speak it: one request after the other, each with its length. */
class Connection {
  #waiting: Buffer = Buffer.alloc(0);
  #turn = Promise.resolve();

  constructor(socket: Socket, templates: Templates) {
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      this.#waiting = this.#waiting.length === 0 ? (chunk as Buffer) : Buffer.concat([this.#waiting, chunk as Buffer]);
      for (let body = this.#next(); body !== undefined; body = this.#next()) {
        const asked = body;
        this.#turn = this.#turn.then(async () => {
          const text = await templates.answer(asked);
          const length = Buffer.byteLength(text);
          socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${text}`);
        });
      }
    });
  }

  #next(): string | undefined {
    const end = this.#waiting.indexOf('\r\n\r\n');
    if (end < 0) return undefined;
    const length = /content-length: *(\d+)/i.exec(this.#waiting.toString('latin1', 0, end))?.[1];
    if (length === undefined) throw new Error('a request without its length');
    const from = end + 4;
    const to = from + Number(length);
    if (this.#waiting.length < to) return undefined;
    const body = this.#waiting.toString('utf8', from, to);
    this.#waiting = this.#waiting.subarray(to);
    return body;
  }
}

if (require.main === module) {
  void serveSubgraphs().then((addresses) => process.send?.(addresses));
}
