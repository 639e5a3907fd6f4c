import { hasScope } from '../../lib/call/principal.ts';
import { CallVerifier, deriveKey, signCall } from '../../lib/call/signing.ts';
import { callOf } from '../support/house.ts';

const KEY = deriveKey('a secret of this test, long enough', 'call:logs');
const OTHER = deriveKey('another secret, long enough as well', 'call:logs');

describe('a signed call', () => {
  let nowMs = 1_000_000;
  const verifier = () => new CallVerifier([KEY], 'logs', () => nowMs);
  const signed = (to = 'logs', key = KEY) =>
    signCall(key, to, 'POST /graphql', '{"a":1}', callOf({ clientIp: '127.0.0.1' }), nowMs);

  test('is taken with what it carries', () => {
    expect(verifier().verify('POST /graphql', signed(), '{"a":1}')).toMatchObject({
      clientIp: '127.0.0.1',
      principal: { id: 'admin' },
    });
  });

  test('is taken once', () => {
    const [door, headers] = [verifier(), signed()];
    expect(door.verify('POST /graphql', headers, '{"a":1}')).toBeDefined();
    expect(door.verify('POST /graphql', headers, '{"a":1}')).toBeUndefined();
  });

  test('is refused unsigned, altered, misdirected, signed by another key, too old or too new', () => {
    const headers = signed();
    expect(verifier().verify('POST /graphql', {}, '{"a":1}')).toBeUndefined();
    expect(verifier().verify('POST /graphql', headers, '{"a":2}')).toBeUndefined();
    expect(verifier().verify('POST /v1/logs', headers, '{"a":1}')).toBeUndefined();
    expect(
      verifier().verify(
        'POST /graphql',
        { ...headers, 'x-fleet-call': signCall(KEY, 'x', 'y', '', callOf(), nowMs)['x-fleet-call'] },
        '{"a":1}',
      ),
    ).toBeUndefined();
    expect(verifier().verify('POST /graphql', signed('audit'), '{"a":1}')).toBeUndefined();
    expect(verifier().verify('POST /graphql', signed('logs', OTHER), '{"a":1}')).toBeUndefined();
    for (const shift of [31_000, -31_000]) {
      const old = signCall(KEY, 'logs', 'POST /graphql', '', callOf(), nowMs - shift);
      expect(verifier().verify('POST /graphql', old, '')).toBeUndefined();
    }
  });

  test('is taken by the older key while keys rotate', () => {
    const door = new CallVerifier([OTHER, KEY], 'logs', () => nowMs);
    expect(door.verify('POST /graphql', signed(), '{"a":1}')).toBeDefined();
  });

  test('dated ahead it is remembered as long as it could be replayed', () => {
    const door = verifier();
    const ahead = signCall(KEY, 'logs', 'POST /graphql', '', callOf(), nowMs + 29_000);
    expect(door.verify('POST /graphql', ahead, '')).toBeDefined();
    nowMs += 59_000;
    // Others come and go, and are forgotten.
    expect(door.verify('POST /graphql', signed(), '{"a":1}')).toBeDefined();
    expect(door.verify('POST /graphql', ahead, '')).toBeUndefined();
  });

  test('is forgotten once it is too old to be replayed', () => {
    const door = verifier();
    const headers = signed();
    door.verify('POST /graphql', headers, '{"a":1}');
    nowMs += 61_000;
    expect(door.verify('POST /graphql', signed(), '{"a":1}')).toBeDefined();
    expect(door.verify('POST /graphql', headers, '{"a":1}')).toBeUndefined();
  });
});

test('admin has every scope, operator reads, nobody else gets more than granted', () => {
  expect(hasScope({ scopes: ['admin'] }, 'schema:read')).toBe(true);
  expect(hasScope({ scopes: ['operator'] }, 'viewer')).toBe(true);
  expect(hasScope({ scopes: ['operator'] }, 'auditor')).toBe(false);
  expect(hasScope({ scopes: ['agent'] }, 'viewer')).toBe(false);
});
