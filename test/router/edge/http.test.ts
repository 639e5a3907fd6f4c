import { type Harbour, openHarbour, SHIP } from './support.ts';

let harbour: Harbour;
beforeAll(async () => {
  harbour = await openHarbour();
});
afterAll(() => harbour.stop());

test('a query over two houses is answered whole', async () => {
  const answer = await harbour.ask('query Ship($id: ID!) { ship(id: $id) { name crew } crews }', { variables: { id: SHIP } });
  expect(answer).toMatchObject({ status: 200, data: { ship: { name: 'Argo', crew: 50 }, crews: 1 } });
  expect(answer.errors).toBeUndefined();
});
