import { createHash } from 'node:crypto';

/** Text that looks random and is the same each time. */
function noise(seed: string, length: number): string {
  let text = '';
  for (let round = 0; text.length < length; round += 1) {
    text += createHash('sha256').update(`${seed} ${round}`).digest('base64url').replace(/[-_]/g, 'x');
  }
  return text.slice(0, length);
}

/** A payment card's number that passes Luhn's check. */
function card(seed: number): string {
  const body = `4${String(10 ** 14 + ((seed * 7_919 + 104_729) % 9 ** 14)).slice(1)}`;
  const sum = [...body].reverse().reduce((total, digit, at) => {
    const twice = at % 2 === 0 ? Number(digit) * 2 : Number(digit);
    return total + (twice > 9 ? twice - 9 : twice);
  }, 0);
  return `${body}${(10 - (sum % 10)) % 10}`;
}

const uuid = (seed: number) => `0197aaaa-0000-7000-8000-${String(seed).padStart(12, '0')}`;

/** Each kind: the secret itself, and a text that bears it. */
const KINDS: ((seed: number) => { rule: string; secret: string; text: string })[] = [
  (seed) => {
    const secret = `fk_${uuid(seed)}.${noise(`key${seed}`, 43)}`;
    return { rule: 'api-token', secret, text: `called with ${secret}, refused` };
  },
  (seed) => {
    const secret = `fa_${uuid(seed)}.${noise(`agent${seed}`, 43)}`;
    return { rule: 'api-token', secret, text: `sent as bearer ${secret}` };
  },
  (seed) => {
    const secret = noise(`bearer${seed}`, 40);
    return { rule: 'bearer', secret, text: `it said Bearer ${secret}` };
  },
  (seed) => {
    const secret = `eyJ${noise(`head${seed}`, 20)}.eyJ${noise(`claims${seed}`, 40)}.${noise(`proof${seed}`, 43)}`;
    return { rule: 'jwt', secret, text: `session ${secret} began` };
  },
  (seed) => {
    const secret = noise(`pem${seed}`, 64);
    const text = `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`;
    return { rule: 'private-key', secret, text };
  },
  (seed) => {
    const secret = card(seed);
    return { rule: 'payment-card', secret, text: `paid with ${secret} in 3 parts` };
  },
  (seed) => {
    const secret = `user.${noise(`mail${seed}`, 12)}@mail-${seed}.example.com`;
    return { rule: 'email', secret, text: `sent to <${secret}> at once` };
  },
  (seed) => {
    const secret = noise(`url${seed}`, 16);
    return { rule: 'url-password', secret, text: `connecting to postgres://app:${secret}@db.internal:5432/app` };
  },
  (seed) => {
    const secret = noise(`pair${seed}`, 16);
    return { rule: 'password', secret, text: `retrying db_password=${secret} attempt=${seed}` };
  },
  (seed) => {
    const secret = noise(`json${seed}`, 18);
    return { rule: 'password', secret, text: `{"user":"ann","client_secret": "${secret}","n":${seed}}` };
  },
  (seed) => {
    const secret = `ghp_${noise(`git${seed}`, 36)}`;
    return { rule: 'api-token', secret, text: `cloning with ${secret}` };
  },
];

/** The planted secret of this number, and a text that bears it. */
export function planted(seed: number): { rule: string; secret: string; text: string } {
  const kind = KINDS[seed % KINDS.length] as (typeof KINDS)[number];
  return kind(seed);
}
