import type { Guard } from '../../../router/guard/guard.ts';
import type { Generation } from '../../../router/schema/generation.ts';
import { Reach } from '../../../router/schema/reach.ts';

test('a new schema whose subgraphs are where they were leaves their replicas alone', () => {
  const set: (readonly string[])[] = [];
  const replicas = [{ address: 'http://a:1', url: 'http://a:1/graphql' }];
  const guard = {
    circuits: new Map([['ships', { replicas }]]),
    setReplicas: (_: string, urls: readonly string[]) => set.push(urls),
  } as unknown as Guard;
  const reach = new Reach({ guard, addressesOf: (_, given) => [given] });
  const generation = (url: string) => ({ engine: { subgraphs: new Map([['ships', url]]) } }) as unknown as Generation;
  reach.keep(generation('http://a:1'));
  expect(set).toEqual([]);
  reach.keep(generation('http://b:1'));
  expect(set).toEqual([['http://b:1']]);
});
