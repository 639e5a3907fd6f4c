import { COMPOSITION_LIMITS, Composition } from '../../../router/schema/composition.ts';
import { lightSdl } from './support.ts';

const LIGHT = { name: 'light', url: 'http://127.0.0.1:1/graphql', sdl: lightSdl() };

test('a composition that takes too long is ended, and says so', async () => {
  const composition = new Composition({ ...COMPOSITION_LIMITS, timeoutMs: 1 });
  await expect(composition.compose([LIGHT])).rejects.toThrow('it took over 1 ms');
});

test('a composition that takes too much memory ends alone', async () => {
  const composition = new Composition({ ...COMPOSITION_LIMITS, timeoutMs: 60_000, memoryMb: 24 });
  const types = Array.from({ length: 5_000 }, (_, at) => `type T${at} @key(fields: "id") { id: ID! next: T${at} }`);
  await expect(composition.compose([{ ...LIGHT, sdl: `${lightSdl()}\n${types.join('\n')}` }])).rejects.toThrow(
    /memory limit/,
  );
});

test('what is under way ends when it is closed', async () => {
  const composition = new Composition();
  const composing = composition.compose([LIGHT]);
  const failing = expect(composing).rejects.toThrow('said nothing');
  await new Promise((resolve) => setImmediate(resolve));
  await composition.close();
  await failing;
  await expect(composition.compose([LIGHT])).rejects.toThrow('going down');
});
