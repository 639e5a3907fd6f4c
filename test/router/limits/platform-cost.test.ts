import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Kind, parse } from 'graphql';
import { operationCost } from '../../../router/limits/operation-cost.ts';
import { RATES } from '../../../router/limits/rates.ts';
import { fragmentsOf } from '../../../router/plan/operation.ts';
import { readSupergraph } from '../../../router/supergraph/supergraph.ts';

const SCHEMA = path.resolve(__dirname, '../../../schema');
const supergraph = readSupergraph(readFileSync(path.join(SCHEMA, 'supergraph.graphql'), 'utf8'));

function costsOf(text: string): number[] {
  const document = parse(text);
  const options = {
    schema: supergraph.schema,
    fragments: fragmentsOf(document),
    conditions: {},
    rules: supergraph.costs,
  };
  return document.definitions.flatMap((definition) =>
    definition.kind === Kind.OPERATION_DEFINITION ? [operationCost(definition, options)({})] : [],
  );
}

test('a page of the platform that does not say how long it is counts as fifty, by the schema’s own word', () => {
  expect(costsOf('{ agents { nodes { id } } }')).toEqual([51]);
  expect(costsOf('{ agents(first: 10) { nodes { id logs(first: 5) { nodes { id } } } } }')).toEqual([71]);
  expect(costsOf('{ agents { total } }')).toEqual([1]);
});

const operations = readdirSync(path.join(SCHEMA, 'operations')).filter((file) => file.endsWith('.graphql'));

test.each(operations)('%s may be asked every second by an ordinary client, and it feels no limit', (file) => {
  const perSecond = RATES.requestsPerSecond * RATES.costPerRequest;
  for (const cost of costsOf(readFileSync(path.join(SCHEMA, 'operations', file), 'utf8'))) {
    expect(cost).toBeLessThanOrEqual(perSecond / 2);
  }
});
