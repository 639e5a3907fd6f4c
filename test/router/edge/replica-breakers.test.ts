import { until } from '../../support/until.ts';
import { openReady } from './stream-clients.ts';
import { type Harbour, openHarbour } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

/** An address where nobody listens. */
const NOBODY = 'http://127.0.0.1:1/graphql';
const BREAKERS = `{ router { subgraphs { name breaker { state history { to } }
  replicas { number url healthy breaker { state override reason failureRatio history { from to reason forced } } } } } }`;
const CHANGES = `subscription { breakerChanged { previous
  subgraph { name breaker { state } } replica { number healthy breaker { state reason } } } }`;

test('a replica that breaks is told with its reason and its history, live and in the audit trail, while its subgraph is well', async () => {
  const router = await harbour.another({ replicas: { crews: [NOBODY, `${harbour.crews.url}/graphql`] } });
  const { socket, messages } = await openReady(router);
  socket.send(JSON.stringify({ id: 'one', type: 'subscribe', payload: { query: CHANGES } }));
  await until(
    async () =>
      (await harbour.ask('{ router { subscriptions } }', { url: router.url })).data.router.subscriptions === 1,
  );
  const crews = async () => {
    // Many at once, and no two alike: one after the other they would go where it is quicker.
    const some = Array.from({ length: 30 }, (_, at) => harbour.ask(`{ a${at}: crews }`, { url: router.url }));
    await Promise.all(some);
    const { data } = await harbour.ask(BREAKERS, { url: router.url });
    return data.router.subgraphs.find(({ name }: { name: string }) => name === 'crews');
  };
  const broken = await until(async () => {
    const { replicas, ...subgraph } = await crews();
    return replicas[0].breaker.state === 'OPEN' ? { replicas, ...subgraph } : undefined;
  });
  expect(broken).toMatchObject({
    breaker: { state: 'CLOSED', history: [] },
    replicas: [
      { number: 0, url: NOBODY, healthy: false, breaker: { override: 'AUTO', reason: 'it cannot be reached' } },
      { number: 1, healthy: true, breaker: { state: 'CLOSED', reason: null, failureRatio: 0, history: [] } },
    ],
  });
  expect(broken.replicas[0].breaker.history.at(-1)).toEqual({
    from: 'CLOSED',
    to: 'OPEN',
    reason: 'it cannot be reached',
    forced: false,
  });
  const told = await until(() => messages.find(({ payload }) => payload?.data?.breakerChanged.previous === 'CLOSED'));
  expect(told.payload.data.breakerChanged).toMatchObject({
    subgraph: { name: 'crews', breaker: { state: 'CLOSED' } },
    replica: { number: 0, healthy: false },
  });
  await until(() => harbour.sea.entries.find(({ action }) => action === 'router.breaker.opened'));
  expect(harbour.sea.entries.find(({ action }) => action === 'router.breaker.opened')).toMatchObject({
    targetType: 'Subgraph',
    targetId: 'crews',
    reason: 'it cannot be reached',
    after: { state: 'OPEN', replica: 0 },
  });
  socket.close();
  await router.stop();
});
