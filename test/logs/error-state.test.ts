import 'reflect-metadata';
import fc from 'fast-check';
import { fingerprintOfUuid, uuidOfFingerprint } from '../../subgraphs/logs/service/error-id.ts';
import { isLaterVersion, stateOf } from '../../subgraphs/logs/service/error-state.ts';

describe('whether a version is later', () => {
  const RISING = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-beta',
    '1.0.0-rc.2',
    '1.0.0',
    'v1.0.1',
    '1.2',
    '1.10.0',
    '2026.11.30',
  ];
  const pairs = RISING.flatMap((older, at) => RISING.slice(at + 1).map((newer) => [older, newer] as const));

  test.each(pairs)('%s comes before %s', (older, newer) => {
    expect([isLaterVersion(newer, older), isLaterVersion(older, newer)]).toEqual([true, false]);
  });

  test.each([
    ['1.0', '1.0.0'],
    ['1.2.3+build.7', '1.2.3'],
    ['v2', '2'],
    ['', ''],
  ])('%s and %s are one', (one, other) => {
    expect([isLaterVersion(one, other), isLaterVersion(other, one)]).toEqual([false, false]);
  });

  test('no two versions are both later than the other', () => {
    fc.assert(fc.property(fc.string(), fc.string(), (a, b) => !(isLaterVersion(a, b) && isLaterVersion(b, a))));
  });
});

describe('the state of an error', () => {
  const resolvedAt = new Date('2026-01-01T00:00:00.500Z');
  const at = (nanos: number) => String(BigInt(resolvedAt.getTime()) * 1_000_000n + BigInt(nanos));

  test.each([
    ['nobody said anything', null, [{ version: '', lastTime: at(1e9) }], 'UNRESOLVED'],
    ['nothing came since', { resolvedAt, inVersion: null }, [], 'RESOLVED'],
    [
      'it came in the same millisecond',
      { resolvedAt, inVersion: null },
      [{ version: '', lastTime: at(999_999) }],
      'RESOLVED',
    ],
    [
      'it came a millisecond later',
      { resolvedAt, inVersion: null },
      [{ version: '', lastTime: at(1_000_000) }],
      'REGRESSED',
    ],
    ['the same version still fails', { resolvedAt, inVersion: '2' }, [{ version: '2', lastTime: at(1e9) }], 'RESOLVED'],
    ['a later version fails', { resolvedAt, inVersion: '2' }, [{ version: '2.1', lastTime: at(1e9) }], 'REGRESSED'],
    ['a later version failed before', { resolvedAt, inVersion: '2' }, [{ version: '3', lastTime: at(-1) }], 'RESOLVED'],
    [
      'a version that is not told fails',
      { resolvedAt, inVersion: '2' },
      [{ version: '', lastTime: at(1e9) }],
      'REGRESSED',
    ],
  ] as const)('%s', (_what, resolution, seen, state) => {
    expect(stateOf(resolution, seen)).toBe(state);
  });
});

test('every fingerprint is in its uuid, and no other uuid has one', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 64n - 1n), (bits) => {
      expect(fingerprintOfUuid(uuidOfFingerprint(String(bits)))).toBe(String(bits));
    }),
  );
  expect(fingerprintOfUuid('0197aaaa-0000-7000-8000-000000000001')).toBeUndefined();
});
