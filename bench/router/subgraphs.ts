import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { execute, type GraphQLSchema, parse } from 'graphql';

const LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])';
const filler = 'x'.repeat(180);

/** Three subgraphs: a list owned by the first, completed by the other two. */
export const SDL: Record<string, string> = {
  items: `${LINK} type Query { items(first: Int!): [Item!]! } type Item @key(fields: "id") { id: ID! name: String! owner: Owner! } type Owner @key(fields: "id") { id: ID! }`,
  owners: `${LINK} type Owner @key(fields: "id") { id: ID! name: String! bio: String! }`,
  notes: `${LINK} type Item @key(fields: "id") { id: ID! note: String! related: [Item!]! }`,
};

const RESOLVERS: Record<string, object> = {
  items: {
    Query: {
      items: (_: unknown, { first }: { first: number }) =>
        Array.from({ length: first }, (_, at) => ({ id: `i${at}`, name: `item ${at}`, owner: { id: `o${at % 20}` } })),
    },
    Item: {
      __resolveReference: ({ id }: { id: string }) => ({ id, name: `item ${id}`, owner: { id: `o${id.length}` } }),
    },
  },
  owners: { Owner: { __resolveReference: ({ id }: { id: string }) => ({ id, name: `owner ${id}`, bio: filler }) } },
  notes: {
    Item: {
      __resolveReference: ({ id }: { id: string }) => ({
        id,
        note: `${id} ${filler}`,
        related: [{ id: `${id}r`, note: `${id}r ${filler}`, related: [] }],
      }),
    },
  },
};

/** Serves them on free ports. @returns their addresses */
export async function serveSubgraphs(): Promise<Record<string, string>> {
  const addresses: Record<string, string> = {};
  for (const [name, sdl] of Object.entries(SDL)) {
    const schema = buildSubgraphSchema({ typeDefs: parse(sdl), resolvers: RESOLVERS[name] as never });
    addresses[name] = await serve(schema);
  }
  return addresses;
}

/** Documents are few: parsing them once keeps the subgraphs from being what is measured. */
function serve(schema: GraphQLSchema): Promise<string> {
  const parsed = new Map<string, ReturnType<typeof parse>>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const document = parsed.get(query) ?? parse(query);
    parsed.set(query, document);
    const answer = await execute({ schema, document, variableValues: variables });
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`));
  });
}

if (require.main === module) {
  void serveSubgraphs().then((addresses) => process.send?.(addresses));
}
