import { silentLog } from '../../../lib/log.ts';
import type { Findings } from '../../../router/discovery/discovery.ts';
import { EtcdDiscovery } from '../../../router/discovery/etcd-discovery.ts';
import { systemPause } from '../../../router/subscribe/pause.ts';
import { hasEtcd, startEtcd, type TestEtcd } from '../../support/etcd.ts';
import { until } from '../../support/until.ts';

const PREFIX = '/fleet/';
const replica = (port: number, sdl?: string) => JSON.stringify({ urls: [`http://a:${port}/graphql`], sdl });

/** `.ci/run` installs one, and sees that it is there. */
const suite = hasEtcd ? describe : describe.skip;

suite('a list of replicas in etcd', () => {
  let etcd: TestEtcd;
  let told: Findings[];
  let stop: () => void;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  afterAll(() => etcd.stop());
  beforeEach(() => {
    told = [];
    const pause = (_ms: number, signal: AbortSignal) => systemPause(50, signal);
    stop = new EtcdDiscovery({ url: etcd.url, prefix: PREFIX, pause, log: silentLog }).watch((found) =>
      told.push(found),
    );
  });
  afterEach(() => stop());

  const urls = (subgraph: string) => told.at(-1)?.[subgraph]?.urls.join();

  test('replicas come, change and go with their keys and leases; a bad value is no replica', async () => {
    await etcd.put(`${PREFIX}reviews/1`, replica(1, 'type Query { a: Int }'));
    await until(() => urls('reviews') === 'http://a:1/graphql');
    expect(told.at(-1)).toEqual({ reviews: { urls: ['http://a:1/graphql'], sdl: 'type Query { a: Int }' } });
    await etcd.put(`${PREFIX}reviews/bad`, 'no JSON');
    const { ID } = (await etcd.post('lease/grant', { TTL: '1' })) as { ID: string };
    await etcd.put(`${PREFIX}reviews/2`, replica(2), ID);
    await until(() => urls('reviews') === 'http://a:1/graphql,http://a:2/graphql');
    await until(() => urls('reviews') === 'http://a:1/graphql');
    await etcd.put('/other/reviews/3', replica(3));
    await etcd.put(`${PREFIX}ships/1`, replica(4));
    await until(() => urls('ships'));
    await etcd.remove(`${PREFIX}ships/1`);
    await until(() => !told.at(-1)?.['ships']);
    expect(urls('reviews')).toBe('http://a:1/graphql');
  });

  test('while etcd is away the last known holds; what changed meanwhile comes with it; one that lost its data changes nothing', async () => {
    await until(() => urls('reviews'));
    const before = told.length;
    await etcd.kill();
    await etcd.restart({ keepsData: true });
    await until(() => told.length > before);
    expect(urls('reviews')).toBe('http://a:1/graphql');
    await etcd.put(`${PREFIX}reviews/2`, replica(2));
    await until(() => urls('reviews') === 'http://a:1/graphql,http://a:2/graphql');
    await etcd.kill();
    await etcd.restart({ keepsData: false });
    // What comes next is told: so the empty store was read before, and nothing was told of it.
    const count = told.length;
    await until(async () => {
      await etcd.put(`${PREFIX}reviews/9`, replica(9));
      return told.length > count;
    });
    expect(told.every((found) => (found['reviews']?.urls.length ?? 0) > 0)).toBe(true);
    expect(urls('reviews')).toBe('http://a:9/graphql');
  });
});
