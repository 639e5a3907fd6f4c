import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GraphQLObjectType, GraphQLSchema, GraphQLString, parse } from 'graphql';
import { silentLog } from '../../../lib/log.ts';
import { streamSubscription } from '../../../lib/serve/sse.ts';
import { callOf } from '../../support/house.ts';
import { until } from '../../support/until.ts';

/** Three changes; the source’s bookmark is at one as soon as it gives it. `slow` is what the second one’s field waits for. */
function schemaOf(slow: () => Promise<unknown>): GraphQLSchema {
  const Change = new GraphQLObjectType({ name: 'Change', fields: { cursor: { type: GraphQLString } } });
  const changed = {
    type: Change,
    subscribe: () => {
      let at = 0;
      const changes = (async function* () {
        for (at = 1; at <= 3; at += 1) yield { cursor: `c${at}` };
        at = 3;
        await new Promise(() => {});
      })();
      return Object.assign(changes, { bookmark: () => `c${at}` });
    },
    resolve: async (change: { cursor: string }) => {
      if (change.cursor === 'c2') await slow();
      return change;
    },
  };
  return new GraphQLSchema({
    query: new GraphQLObjectType({ name: 'Query', fields: { one: { type: GraphQLString } } }),
    subscription: new GraphQLObjectType({ name: 'Subscription', fields: { changed } }),
  });
}

test('a heartbeat while a change is being written tells no place behind it: a stream lost there loses nothing', async () => {
  const beats = () => text.split('\n\n').filter((block) => block.endsWith(':')).length;
  let text = '';
  const slow = async () => {
    const before = beats();
    await until(() => beats() > before + 2);
  };
  const server = createServer((_, response) => {
    const subgraph = {
      name: 'lamps',
      schema: schemaOf(slow),
      context: (call: ReturnType<typeof callOf>) => ({ call }),
    };
    const request = { document: parse('subscription { changed { cursor } }') };
    void streamSubscription(subgraph, request, callOf(), response, silentLog, { heartbeatMs: 5 });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    signal: leaving.signal,
  });
  const reading = (async () => {
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += piece;
  })().catch(() => undefined);
  await until(() => text.includes('"c3"'));
  const places = text.split('\n\n').map((block) => ({
    id: /^id: (.*)$/m.exec(block)?.[1],
    told: /"cursor":"(c\d)"/.exec(block)?.[1],
  }));
  let last = 'c0';
  for (const { id, told } of places) {
    if (told) expect(id).toBe(told);
    if (told) last = told;
    else if (id) expect(id <= last).toBe(true);
  }
  expect(places.filter(({ told }) => told).map(({ told }) => told)).toEqual(['c1', 'c2', 'c3']);
  leaving.abort();
  await reading;
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
