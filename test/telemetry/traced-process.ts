/** A process as ours are: tracing starts first, then GraphQL and pg load. Prints what would be sent, one body a line, in base64. */
import { startTracing, withTraceparent } from '../../lib/telemetry/index.ts';

const tracing = startTracing({
  service: 'traced',
  ratio: 0,
  endpoint: process.argv[3],
  send: async (body) => void process.stdout.write(`${Buffer.from(body).toString('base64')}\n`),
});

async function main(): Promise<void> {
  const { graphql, buildSchema } = require('graphql') as typeof import('graphql');
  const { Client } = require('pg') as typeof import('pg');
  const client = new Client({ connectionString: process.env['TEST_POSTGRES'] as string });
  await client.connect();
  await client.query('select 0 as untraced');
  const resolvers = { one: async () => (await client.query('select 1 as one')).rows[0].one };
  await withTraceparent(process.argv[2], 'POST /graphql', async () => {
    await graphql({
      schema: buildSchema('type Query { one: Int }'),
      source: 'query One { one }',
      rootValue: resolvers,
    });
  });
  await client.end();
  await tracing.stop();
}

void main();
