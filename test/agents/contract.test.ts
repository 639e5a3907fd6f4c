import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type GraphQLSchema, parse, validate } from 'graphql';
import { loadAccessTable } from '../../lib/access.ts';
import { systemClock } from '../../lib/clock.ts';
import { houseForSchema } from '../../lib/house.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { AgentState } from '../../subgraphs/agents/entity/enums.ts';
import { agentsSubgraph } from '../../subgraphs/agents/index.ts';
import { MOVES } from '../../subgraphs/agents/service/lifecycle.ts';

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

test('docs/lifecycle.md has the table of moves that the code has', () => {
  const states = Object.values(AgentState);
  const said = (from: readonly AgentState[]) => {
    if (from.length === states.length) return 'anything';
    const missing = states.filter((state) => !from.includes(state));
    return missing.length === 1 ? `anything but ${missing[0]}` : from.join(', ');
  };
  const rows = Object.entries(MOVES).flatMap(([action, { from, to }]) =>
    Object.entries(from).map(
      ([desired, reported]) =>
        `| ${action} | ${desired}, and ${said(reported)} | ${to ?? 'what it was asked before'} |`,
    ),
  );
  const text = readFileSync(path.join(root, 'docs/lifecycle.md'), 'utf8');
  const table = text
    .split('\n')
    .filter((line) => /^\| (start|pause|resume|restart|stop|quarantine|release|retire) /.test(line));
  expect(table).toEqual(rows);
});
