import { HouseClient } from '../../../lib/call/house-client.ts';
import { deriveKey } from '../../../lib/call/signing.ts';
import { systemClock } from '../../../lib/clock.ts';
import { ADMIN_TOKEN, bearer, openHarbour, SECRET } from '../edge/support.ts';

test('telemetry goes to a replica of its house as queries do, not to the address the house began with', async () => {
  const harbour = await openHarbour();
  const houseAt = (name: string, url: string) =>
    new HouseClient(name, url, deriveKey(SECRET, `call:${name}`), () => systemClock.nowMs());
  const ships = houseAt('ships', 'http://127.0.0.1:1');
  const crews = houseAt('crews', harbour.crews.url);
  const router = await harbour.another({
    houses: { ships, crews },
    replicas: { ships: [`${harbour.ships.url}/graphql`] },
  });
  const sent = await fetch(`${router.url}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...bearer(ADMIN_TOKEN) },
    body: '{}',
  });
  expect([sent.status, harbour.sea.ingested.length]).toEqual([200, 1]);
  for (const house of [ships, crews]) house.close();
  await harbour.stop();
});
