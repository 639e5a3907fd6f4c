/** A kind of secret and how it is found. */
export interface RedactionRule {
  /** What its metric and its mark call it. */
  name: string;
  /**
   * Something short that every secret of this kind has, as the source of an expression without context: no anchors, no
   * boundaries, ASCII alone. It is looked for in raw bytes, so that what has none costs next to nothing.
   */
  hint: string;
  /** The secret. Global; its time is linear in the text whatever is in it. */
  pattern: RegExp;
  /** What stands for the secret: `mark`, and what is kept of the match around it. The match itself when it is none. */
  replace(mark: string, match: readonly string[]): string;
}

/** Names of what is a secret: `tokens` are counted, not kept. */
const NAMES =
  'pass(?:word|wd|phrase)|pwd|secret|token(?!s)|credential|(?:api|private|access|signing)[-_]?key|authorization|cookie';
/** A value that says there is none, or that was replaced already. */
const NO_SECRET = '(?!(?:true|false|null|none|nil|undefined)(?![\\w-])|\\[redacted)';
const VALUE = [
  String.raw`(\\")([^"\\]+)`,
  String.raw`(")((?:[^"\\]|\\.)+)`,
  String.raw`(')((?:[^'\\]|\\.)+)`,
  String.raw`()((?:(?:basic|bearer|digest|token|apikey)[ ]{1,3})?[^\s,;&"'<>\\)}]+)`,
].join('|');

const whole = (mark: string): string => mark;

/**
 * What is found without being told, in the order it is looked for: the plainest last, so that it does not take a part of
 * what another knows whole. Each pattern begins where a run of its characters begins, and runs do not overlap: so no text
 * makes it slow.
 */
export const RULES: readonly RedactionRule[] = [
  {
    name: 'private-key',
    hint: '-----BEGIN',
    pattern:
      /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z0-9 ]{0,20}-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z0-9 ]{0,20}-----|$)/g,
    replace: whole,
  },
  {
    name: 'jwt',
    hint: 'eyJ',
    pattern: /(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,3}/g,
    replace: whole,
  },
  {
    name: 'api-token',
    hint: 'f[ak]_|sk[-_]|[rp]k_|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|A(?:KI|SI)A|AIza|npm_|pypi-|hf_|SG\\.|ya29\\.',
    pattern:
      /(?<![A-Za-z0-9_-])(?:f[ak]_[0-9a-f-]{36}\.[A-Za-z0-9_-]{43,}|(?:sk-|[spr]k_(?:live|test)_|gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|npm_|pypi-|hf_)[A-Za-z0-9_-]{16,}|A(?:KI|SI)A[A-Z0-9]{16}|AIza[A-Za-z0-9_-]{35}|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,})/g,
    replace: whole,
  },
  {
    name: 'bearer',
    hint: 'bearer',
    // A word of prose has neither a digit nor twenty letters.
    pattern: /\b(bearer[ ]{1,3})(?=[A-Za-z._~+/=-]*\d|[A-Za-z._~+/=-]{20})[A-Za-z0-9._~+/=-]{8,}/gi,
    replace: (mark, [, kept = '']) => kept + mark,
  },
  {
    name: 'url-password',
    hint: '@',
    pattern: /(:\/\/[^\s/?#:@"']{0,256}:)[^\s/?#"']{1,1024}@/g,
    replace: (mark, [, kept = '']) => `${kept}${mark}@`,
  },
  {
    name: 'password',
    hint: NAMES,
    pattern: new RegExp(
      `((?:${NAMES})[\\w.-]{0,32}(?:\\\\"|["'\\]]){0,2}\\s{0,3}(?:[=:]|=>)\\s{0,3})${NO_SECRET}(?:${VALUE})`,
      'gi',
    ),
    replace: (mark, [match = '', kept = '', ...values]) => {
      const at = values.findIndex((value, index) => index % 2 === 1 && value !== undefined);
      return at < 0 || /^\[redacted/.test(values[at] as string) ? match : kept + (values[at - 1] ?? '') + mark;
    },
  },
  {
    name: 'payment-card',
    hint: '\\d(?:[ -]?\\d){12}',
    pattern: /(?<![\d.])\d(?:[ -]?\d){12,}/g,
    replace: (mark, [match = '']) => withoutCards(match, mark),
  },
  {
    name: 'email',
    hint: '@',
    pattern: /(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}/g,
    replace: whole,
  },
];

/** Whether a value of this name is a secret, whatever it looks like. */
export const SECRET_NAME = new RegExp(NAMES, 'i');

/** A run of digits in groups without those that are a card's number, whatever stands beside it. */
function withoutCards(run: string, mark: string): string {
  // Groups at even places, what parts them at odd ones.
  const groups = run.split(/([ -])/);
  let kept = '';
  for (let from = 0; from < groups.length; from += 1) {
    const length = from % 2 === 0 ? groupsOfCard(groups, from) : 0;
    kept += length ? mark : groups[from];
    if (length) from += length - 1;
  }
  return kept;
}

/** How many groups from here, with what parts them, are a card's number; 0 when none are. */
function groupsOfCard(groups: readonly string[], from: number): number {
  let digits = '';
  for (let to = from; to < groups.length && digits.length < 19; to += 2) {
    digits += groups[to];
    if (/^[2-6]\d{12,18}$/.test(digits) && isLuhn(digits)) return to - from + 1;
  }
  return 0;
}

/** Luhn's check (ISO/IEC 7812-1): a number mistyped, or made for something else, fails it nine times of ten. */
function isLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const twice = at % 2 === 1 ? digit * 2 : digit;
    sum += twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 === 0;
}
