import { redact } from '../../lib/write/redaction.ts';

const KEY = Buffer.alloc(32, 7);
const shown = (text: string) => redact({ bridges: text }, KEY) as { bridges: string };

test.each([
  ['nats://fleet:pw-one@host:4222', 'pw-one'],
  ['redis://host:6379,nats://fleet:pw-two@host', 'pw-two'],
  ['redis://:pw-one@a, rediss://u:pw-two@b', 'pw-one'],
  ['nats://a-token-alone@host', 'a-token-alone'],
  ['see postgres://fleet:pw-one@db/fleet', 'pw-one'],
])('credentials in an address are marks, wherever it stands, and stay so: %s', (text, secret) => {
  const once = shown(text).bridges;
  expect(once).not.toContain(secret);
  expect(once).toContain('redacted:hmac-sha256:');
  expect(once).not.toContain('pw-two');
  expect(shown(once).bridges).toBe(once);
});

test('an address without any is as it was, and a long text is read in one pass', () => {
  for (const text of ['https://host/a@b', 'redis://host:6379?stream=a', 'a:b@c', `${'a'.repeat(1_000_000)}://`]) {
    expect(shown(text).bridges).toBe(text);
  }
});
