import { readFileSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../lib/errors.ts';
import { FleetClient, FleetFailure } from '../../sdk/index.ts';
import { type Check, error, type Finding, type Place, warning } from './check.ts';

const LIMIT_MS = 5_000;
/** Signed calls are refused beyond a minute; half of that is worth a word. */
const SKEW_MS = 30_000;

/** What is asked of a platform that runs. */
export const QUESTION = `query Doctor {
  router { version subgraphs { name breaker { state override reason } replicas { url healthy } } }
  fleet { total byPresence { presence count } byState { state count } }
  alertRules(first: 100) { nodes { name enabled health } }
  alerts(first: 50, filter: { states: [FIRING] }) { nodes { notifications { contactPoint state error } } }
  auditCheckpoint { createdAt }
}`;

interface Answer {
  router: {
    version: string;
    subgraphs: {
      name: string;
      breaker: { state: string; override: string; reason: string | null };
      replicas: { url: string; healthy: boolean }[];
    }[];
  } | null;
  fleet: { total: number; byPresence: Count<'presence'>; byState: Count<'state'> } | null;
  alertRules: { nodes: { name: string; enabled: boolean; health: string }[] } | null;
  alerts: { nodes: { notifications: { contactPoint: string; state: string; error: string | null }[] | null }[] } | null;
  auditCheckpoint: { createdAt: string } | null;
}
type Count<Name extends string> = ({ [name in Name]: string } & { count: number })[];

/** Whether the platform is there, takes us, and is well. */
export const checkPlatform: Check = async (place) => {
  const reached = await reach(place);
  if (reached.length && reached.some(({ severity }) => severity === 'error')) return reached;
  if (!place.token) {
    return [
      ...reached,
      error(
        'token-missing',
        'there is no token to ask the platform with',
        'set FLEET_TOKEN, or start the platform once, which writes the admin’s into the data folder',
      ),
    ];
  }
  try {
    const client = new FleetClient({ url: place.url, token: place.token, timeoutMs: LIMIT_MS });
    const { data, errors = [] } = await client.ask<Answer>(QUESTION);
    const denied = errors.filter(({ extensions }) => extensions?.code === 'FORBIDDEN');
    return [
      ...reached,
      ...(denied.length
        ? [
            warning(
              'token-narrow',
              `this token may not read ${denied.map(({ path: at }) => at?.join('.')).join(', ')}`,
              'use a token with the scope viewer: `fleet token create <name> --scopes viewer`',
            ),
          ]
        : []),
      ...(data ? wellness(data, place, new Set(errors.map(({ path: at }) => String(at?.[0])))) : []),
    ];
  } catch (cause) {
    if (cause instanceof FleetFailure && cause.code === 'UNAUTHENTICATED') {
      return [
        ...reached,
        error(
          'token-refused',
          'the platform does not know this token',
          'it was revoked, has expired, or is another platform’s: make one by `fleet token create` with one that is good',
        ),
      ];
    }
    return [
      ...reached,
      error(
        'platform-failed',
        `${place.url} does not answer a query: ${messageOf(cause)}`,
        'see `fleet logs` and the files in the data folder’s logs/',
      ),
    ];
  }
};

async function reach({ url, nowMs }: Place): Promise<Finding[]> {
  let answer: Response;
  const askedMs = nowMs();
  try {
    answer = await fetch(new URL('/health', url), { signal: AbortSignal.timeout(LIMIT_MS) });
  } catch (cause) {
    return [
      error(
        'platform-away',
        `no platform answers at ${url} (${messageOf((cause as Error).cause ?? cause)})`,
        '`npm start`, or name its address by --url or FLEET_URL',
      ),
    ];
  }
  const health = (await answer.json().catch(() => ({}))) as { status?: string };
  if (health.status === 'starting') {
    return [
      error(
        'platform-starting',
        `the platform at ${url} has not started yet: not all of its houses are ready`,
        'ask again in some seconds; if it stays so, see the files in the data folder’s logs/',
      ),
    ];
  }
  if (health.status !== 'ok') {
    return [
      error(
        'platform-other',
        `what answers at ${url} is no fleetgraph (status ${answer.status})`,
        'name the platform’s address by --url or FLEET_URL',
      ),
    ];
  }
  const told = Date.parse(answer.headers.get('date') ?? '');
  const skewMs = told - (askedMs + nowMs()) / 2;
  if (!(Math.abs(skewMs) > SKEW_MS)) return [];
  const what = `the platform’s clock is ${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} this machine’s: signed calls and leases go wrong`;
  return [error('clock-skew', what, 'let both keep time (`timedatectl set-ntp true`)')];
}

function wellness(
  { router, fleet, alertRules, alerts, auditCheckpoint }: Answer,
  { root }: Place,
  failed: ReadonlySet<string>,
): Finding[] {
  return [
    ...(router ? houses(router, root) : []),
    ...(fleet ? agents(fleet) : []),
    ...(alertRules?.nodes ?? [])
      .filter(({ enabled, health }) => enabled && health === 'ERROR')
      .map(({ name }) =>
        error(
          'rule-failing',
          `the alert rule ${name} cannot be evaluated: it will not fire`,
          'see the log of the alerts house for the reason, and apply the rule mended',
        ),
      ),
    ...[...contacts(alerts)].map(([name, why]) =>
      error(
        'contact-failing',
        `nobody is told by ${name}: ${why}`,
        'mend its address or its receiver; notifications are tried again by themselves',
      ),
    ),
    ...(auditCheckpoint || failed.has('auditCheckpoint')
      ? []
      : [
          warning(
            'audit-unsigned',
            'the audit log has no signed checkpoint',
            'see the audit house’s log: a database put back from a backup is not signed (docs/audit.md)',
          ),
        ]),
  ];
}

function houses({ version, subgraphs }: NonNullable<Answer['router']>, root: string): Finding[] {
  const own = (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version;
  return [
    ...(version === own
      ? []
      : [
          warning(
            'version-differs',
            `the platform is ${version}, this command ${own}`,
            `use the command of ${version}`,
          ),
        ]),
    ...subgraphs.flatMap(({ name, breaker, replicas }) => [
      ...(breaker.state === 'CLOSED'
        ? []
        : [
            error(
              'breaker-open',
              `the breaker of ${name} is ${breaker.state}${breaker.reason ? `: ${breaker.reason}` : ''}`,
              breaker.override === 'OPEN'
                ? 'it was forced: forceBreaker with AUTO lets it go'
                : `see the log of ${name}; it is tried again by itself`,
            ),
          ]),
      ...replicas
        .filter(({ healthy }) => !healthy)
        .map(({ url }) =>
          error(
            'replica-unhealthy',
            `the replica ${url} of ${name} fails`,
            'see its log; it is given calls again once it answers',
          ),
        ),
    ]),
  ];
}

function agents({ total, byPresence, byState }: NonNullable<Answer['fleet']>): Finding[] {
  if (!total)
    return [
      warning(
        'fleet-empty',
        'no agent is registered',
        'connect one by the SDK (README), or start with the demo fleet: `npm start`',
      ),
    ];
  const silent = byPresence.find(({ presence }) => presence === 'OFFLINE')?.count ?? 0;
  const held = byState.find(({ state }) => state === 'QUARANTINED')?.count ?? 0;
  return [
    ...(silent === total
      ? [
          error(
            'fleet-silent',
            `none of ${total} agents is heard`,
            'see whether they reach the public port: address, firewall, tokens',
          ),
        ]
      : []),
    ...(held
      ? [
          warning(
            'fleet-quarantined',
            `${held} agents are quarantined`,
            '`fleet agents --state QUARANTINED` names them; release each once it is mended',
          ),
        ]
      : []),
  ];
}

function contacts(alerts: Answer['alerts']): Map<string, string> {
  const notifications = alerts?.nodes.flatMap(({ notifications }) => notifications ?? []) ?? [];
  return new Map(
    notifications
      .filter(({ state }) => state === 'FAILED')
      .map(({ contactPoint, error: why }) => [contactPoint, why ?? 'it failed']),
  );
}
