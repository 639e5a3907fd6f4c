import { readFileSync } from 'node:fs';
import { ApolloGateway } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';

/** The rival: the stock gateway under Apollo Server, as its documentation starts it. */
async function main(): Promise<void> {
  const supergraphSdl = readFileSync(process.env['SUPERGRAPH_PATH'] as string, 'utf8');
  const server = new ApolloServer({ gateway: new ApolloGateway({ supergraphSdl }) });
  await startStandaloneServer(server, { listen: { host: '127.0.0.1', port: Number(process.env['PORT']) } });
}

void main();
