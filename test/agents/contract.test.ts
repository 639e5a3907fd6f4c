import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type GraphQLSchema, parse, validate } from 'graphql';
import { loadAccessTable } from '../../lib/access.ts';
import { systemClock } from '../../lib/clock.ts';
import { houseForSchema } from '../../lib/house.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { agentsSubgraph } from '../../subgraphs/agents/index.ts';

const root = path.resolve(__dirname, '../..');
const folder = path.join(root, 'schema/operations');

describe('the agents house without a database', () => {
  let schema: GraphQLSchema;
  beforeAll(async () => {
    const runtime = houseForSchema('agents', loadSettings({}), loadAccessTable(root), systemClock, silentLog);
    ({ schema } = await agentsSubgraph(runtime));
  });

  test.each(readdirSync(folder).filter((file) => file.startsWith('agents-')))('%s is a valid operation', (file) => {
    expect(validate(schema, parse(readFileSync(path.join(folder, file), 'utf8')))).toEqual([]);
  });
});
