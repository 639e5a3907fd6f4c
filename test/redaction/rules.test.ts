import { ownRule, Redactor, RULES } from '../../lib/redaction/index.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { planted } from './secrets.ts';

const redactor = new Redactor();

describe('built-in rules', () => {
  test('ten thousand secrets of every kind: none is left, and each says of which kind it was', () => {
    for (let seed = 0; seed < 10_000; seed += 1) {
      const { rule, secret, text } = planted(seed);
      const redacted = redactor.text(text);
      if (redacted.includes(secret) || !redacted.includes(`[redacted:${rule}]`)) {
        expect({ rule, text, redacted }).toBe('without its secret');
      }
    }
  });

  test.each([
    ['authorization: Basic dXNlcjpwYXNzd29yZA==', 'authorization: [redacted:password]'],
    ['Authorization: Bearer abc', 'Authorization: [redacted:password]'],
    ['{\\"password\\":\\"hunter2\\",\\"a\\":1}', '{\\"password\\":\\"[redacted:password]\\",\\"a\\":1}'],
    ["{'api_key': 'with \\' a quote'}", "{'api_key': '[redacted:password]'}"],
    ['{"password":"a \\"quoted\\" one"}', '{"password":"[redacted:password]"}'],
    ['PASSWORD = hunter2; next', 'PASSWORD = [redacted:password]; next'],
    ['?access_token=abc&user=1', '?access_token=[redacted:password]&user=1'],
    ['https://u:p@ss@host/x', 'https://u:[redacted:url-password]@host/x'],
    ['key sk-proj-abcdefghijklmnopqrst used', 'key [redacted:api-token] used'],
    ['AKIAIOSFODNN7EXAMPLE', '[redacted:api-token]'],
    ['card 4111-1111-1111-1111.', 'card [redacted:payment-card].'],
    ['5 4111 1111 1111 1111 99', '5 [redacted:payment-card] 99'],
    ['-----BEGIN PRIVATE KEY-----\nMIIcut off', '[redacted:private-key]'],
  ])('%s', (text, redacted) => {
    expect(redactor.text(text)).toBe(redacted);
  });

  test.each([
    'used 4096 tokens, max_tokens=512, input_tokens: 7',
    'at 1700000000123 request 4111111111111112 came',
    'the bearer of bad news, and a basic configuration',
    'task-1234-of-disk-5678-done 12:30:45',
    'password: null, token=false, secret: [redacted]',
    'see https://example.com:8080/path?a=1 and user@host',
    'eyJust a word. And another.',
    '',
  ])('%s stays as it is', (text) => {
    expect(redactor.text(text)).toBe(text);
  });

  test('values are redacted however deep, and by the names they stand under', () => {
    const found: string[] = [];
    const counting = new Redactor(RULES, (rule) => found.push(rule));
    const value = JSON.parse(
      '{"user":{"password":"x","mails":["a@b.example",7,null]},"__proto__":{"token":{"inner":"y"}},"max_tokens":5,"ok":true}',
    );
    expect(JSON.stringify(counting.object(value))).toBe(
      '{"user":{"password":"[redacted:password]","mails":["[redacted:email]",7,null]},"__proto__":{"token":{"inner":"[redacted:password]"}},"max_tokens":5,"ok":true}',
    );
    expect(found).toEqual(['password', 'email', 'password']);
  });

  test('where nothing may be, nothing is looked at; a stretch that may bear a secret is known by its bytes', () => {
    const bytes = Buffer.from('a plain text | mail bob@example.com | more');
    const suspects = redactor.suspects(bytes);
    expect(suspects.touch(0, 14)).toBe(false);
    expect(suspects.touch(14, 36)).toBe(true);
    expect(suspects.touch(36, bytes.length)).toBe(false);
    expect(redactor.suspects(Buffer.from('@'.repeat(5_000))).touch(0, 1)).toBe(true);
    expect(new Redactor([]).suspects(bytes).touch(0, bytes.length)).toBe(false);
    expect(new Redactor([]).object({ password: 'x' })).toEqual({ password: 'x' });
  });

  test('texts made to be slow are read to their end', () => {
    const size = 1024 * 1024;
    for (const part of [
      'eyJ',
      'password',
      'password=',
      '@',
      'a@',
      'a.',
      '://',
      '://a:',
      '4',
      '-----BEGIN A PRIVATE KEY-----',
      'sk-',
      '"',
    ]) {
      const text = part.repeat(size / part.length);
      expect(typeof redactor.text(text)).toBe('string');
    }
    expect(redactor.text(`${'x'.repeat(size)}password=y`)).toMatch(/password=y$/);
  });
});

describe('own patterns', () => {
  test('are found beside the others', () => {
    const own = new Redactor([ownRule('employee', 'EMP\\d{6}|acme-[0-9a-f]{4}-\\w+'), ...RULES]);
    expect(own.text('EMP123456 and acme-00ff-all_of_it, a@b.example')).toBe(
      '[redacted:employee] and [redacted:employee], [redacted:email]',
    );
    const suspects = own.suspects(Buffer.from('of EMP123456'));
    expect([suspects.touch(0, 3), suspects.touch(3, 12)]).toEqual([false, true]);
  });

  test.each([
    ['(a+)+b', 'what begins at column 1'],
    ['a.*', 'what begins at column 2'],
    ['^a', 'what begins at column 1'],
    ['a[^b]', 'what begins at column 2'],
    ['\\1', 'what begins at column 1'],
    ['', 'begins with a character that must be there'],
    ['a|', 'begins with a character that must be there'],
    ['a*b', 'begins with a character that must be there'],
    ['x\\d+7', 'only the last part'],
    ['x\\d{1,65}', 'a count is at most 64'],
    ['x\\d{5,2}y', 'a count is at most 64'],
    ['x\\d{1,9}\\w', 'part 2 may end anywhere in part 3'],
    ['x\\d{1,9}a?5', 'part 2 may end anywhere in part 4'],
    ['[z-a]', 'is not a class of characters'],
    ['ü', 'a pattern is ASCII'],
    ['a'.repeat(257), 'at most 256'],
  ])('%s is refused', (pattern, reason) => {
    expect(() => ownRule('own', pattern)).toThrow(reason);
  });

  test('come from the settings, which refuse what cannot be used', () => {
    const settings = loadSettings({
      FLEET_LOG_REDACT: 'email,jwt',
      FLEET_LOG_REDACT_PATTERNS: '{"own":"EMP\\\\d{6}"}',
    });
    expect(settings.FLEET_LOG_REDACT).toEqual(['email', 'jwt']);
    expect(settings.FLEET_LOG_REDACT_PATTERNS.map(({ name }) => name)).toEqual(['own']);
    expect(loadSettings({ FLEET_LOG_REDACT: 'none' }).FLEET_LOG_REDACT).toEqual([]);
    expect(loadSettings({}).FLEET_LOG_REDACT).toEqual(RULES.map(({ name }) => name));
    expect(() => loadSettings({ FLEET_LOG_REDACT: 'mail' })).toThrow('mail is none of');
    expect(() => loadSettings({ FLEET_LOG_REDACT_PATTERNS: '{' })).toThrow('FLEET_LOG_REDACT_PATTERNS');
    expect(() => loadSettings({ FLEET_LOG_REDACT_PATTERNS: '{"Own":"a"}' })).toThrow('lower-case letters');
    expect(() => loadSettings({ FLEET_LOG_REDACT_PATTERNS: '{"own":1}' })).toThrow('expected JSON');
  });
});
