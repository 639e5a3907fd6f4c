import 'reflect-metadata';
import { type GraphQLSchema, graphql, subscribe as graphqlSubscribe, parse } from 'graphql';
import { Directive, Field, ID, InterfaceType, Mutation, ObjectType, Query, Resolver, Subscription } from 'type-graphql';
import type { Scope } from '../../lib/call/principal.ts';
import { buildSubgraph } from '../../lib/federation.ts';
import { callOf } from '../support/house.ts';

@InterfaceType({ resolveType: () => 'Paper' })
abstract class Kept {
  @Field(() => ID)
  id!: string;
  @Field(() => String)
  secret!: string;
}

@Directive('@key(fields: "id")')
@ObjectType({ implements: Kept })
class Paper extends Kept {
  @Field(() => String)
  title!: string;
  @Field(() => String)
  unruled!: string;
}

const PAPER = { id: '1', secret: 'secret', title: 'title', unruled: 'unruled' };

@Resolver()
class Papers {
  @Query(() => Paper)
  paper() {
    return PAPER;
  }
  @Query(() => [Kept])
  kept() {
    return [PAPER];
  }
  @Mutation(() => Paper)
  burn() {
    return PAPER;
  }
  @Subscription(() => Paper, {
    async *subscribe() {
      yield PAPER;
    },
    topics: undefined as never,
  })
  printed() {
    return PAPER;
  }
}

const access = {
  'Query.paper': ['viewer'],
  'Query.kept': ['viewer'],
  'Mutation.burn': ['admin'],
  'Subscription.printed': ['operator'],
  'Paper.id': ['viewer'],
  'Paper.title': ['viewer'],
  'Paper.secret': ['admin'],
};

let schema: GraphQLSchema;
beforeAll(async () => {
  schema = await buildSubgraph({
    resolvers: [Papers],
    orphanedTypes: [Paper],
    access,
    references: { Paper: () => PAPER },
  });
});

const contextOf = (...scopes: Scope[]) => ({
  call: callOf({ principal: { id: 'somebody', kind: 'PERSON', name: 'somebody', scopes } }),
});

async function refused(source: string, ...scopes: Scope[]) {
  const { errors = [] } = await graphql({ schema, source, contextValue: contextOf(...scopes) });
  return errors.map(({ message, path, extensions }) => [extensions['code'], path?.join('.'), message]);
}

const closed = (coordinate: string, path: string) => ['FORBIDDEN', path, `your scopes do not open ${coordinate}`];

test.each([
  ['under an alias', '{ paper { innocent: secret } }', 'paper.innocent'],
  ['in a fragment', '{ paper { ...F } } fragment F on Paper { secret }', 'paper.secret'],
  ['behind an interface', '{ kept { secret } }', 'kept.0.secret'],
  ['in a fragment on an interface', '{ kept { ... on Kept { a: secret } } }', 'kept.0.a'],
  [
    'of an entity that is asked for directly',
    '{ _entities(representations: [{__typename: "Paper", id: "1"}]) { ... on Paper { x: secret } } }',
    '_entities.0.x',
  ],
])('a house closes a field by itself %s', async (_, source, path) => {
  expect(await refused(source, 'viewer')).toEqual([closed('Paper.secret', path)]);
  expect(await refused(source, 'admin')).toEqual([]);
});

test('what no rule speaks of is nobody’s, however it is reached', async () => {
  for (const scope of ['viewer', 'admin'] as const) {
    expect(await refused('{ paper { unruled } }', scope)).toEqual([closed('Paper.unruled', 'paper.unruled')]);
    const entity = '{ _entities(representations: [{__typename: "Paper", id: "1"}]) { ... on Paper { unruled } } }';
    expect(await refused(entity, scope)).toEqual([closed('Paper.unruled', '_entities.0.unruled')]);
  }
});

test('mutations and streams are closed before they begin', async () => {
  expect(await refused('mutation { burn { id } }', 'viewer')).toEqual([closed('Mutation.burn', 'burn')]);
  expect(await refused('mutation { burn { id } }', 'admin')).toEqual([]);
  const document = parse('subscription { printed { id } }');
  const opened = await graphqlSubscribe({ schema, document, contextValue: contextOf('viewer') });
  expect(opened).toMatchObject({ errors: [{ path: ['printed'], extensions: { code: 'FORBIDDEN' } }] });
});
