import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exitCodeOf } from '../../cli/output/exit-code.ts';
import { ERROR_CODES } from '../../lib/errors.ts';
import { bytesOf, SIGNER, sampleEntries, sampleExport } from '../audit/sample-export.ts';
import { examplesFor, linesOf, wordsOf } from '../examples/blocks.ts';
import { ContractServer } from '../sdk/contract-server.ts';
import { until } from '../support/until.ts';
import { Terminal } from './terminal.ts';

const root = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, 'docs', file), 'utf8');

const commands = [
  ...new Set(examplesFor('command line').flatMap(([, { text, notRun }]) => (notRun ? [] : linesOf(text)))),
].filter((line) => !line.endsWith('schema'));

const AFTER = { config: { maxTokens: 4_096 } };
const ENTRY = {
  id: 'entry-1',
  occurredAt: '2026-01-01T00:00:00.000Z',
  actor: { id: 'admin', name: 'admin' },
  action: 'registerAgent',
  reason: null,
  before: null,
  after: AFTER,
  changes: [{ op: 'add', path: '', value: AFTER }],
};

const MATCH = { services: null, maxSeverity: 'DEBUG', agentIds: null, attributes: null, resource: null, query: null };
const POLICY = { name: 'chatter', version: 1, match: MATCH, keepFor: 'P1D', maxBytes: null, hold: false };

const SINK = { name: 'collector', version: 1, target: 'https://example.org/audit', format: 'NDJSON', taken: 3 };
const METRIC = {
  ...{ name: 'checkout_failures_total', version: 1, kind: 'COUNTER', value: null, by: ['service'] },
  filter: { minSeverity: 'ERROR' },
  progress: { countedUntil: '2026-01-01T00:00:00.000Z', series: 3, isOverflowing: false },
};

const ROLLOUT = {
  ...{ id: 'r', kind: 'coder', version: '4.0.0', state: 'SUCCEEDED', stage: 0, reason: 'all have it', looks: 3 },
  stages: [{ name: 'canary', agents: 2, waiting: 0, changing: 0, ready: 2, lost: 0, back: 0, gone: 0 }],
  findings: [{ metric: 'errors', outcome: 'PASS', probability: 0.4, sentence: 'errors: 1 % against 1 %' }],
};

const PROFILE = {
  nodes: [
    { id: 1, callFrame: { functionName: '(root)' }, children: [2] },
    { id: 2, callFrame: { functionName: 'work', url: 'file:///app/work.js', lineNumber: 3 } },
  ],
  ...{ startTime: 0, endTime: 2_000, samples: [2, 2], timeDeltas: [0, 1_000] },
};

const PATIENT = {
  ...{ id: 'a', name: 'coder-01', profiles: [{ id: 'p', kind: 'CPU', state: 'DONE' }] },
  bottleneck: { kind: null, confidence: 0, reason: 'nothing stands out', tasks: 20, evidence: [] },
  health: { score: 100, grade: 'HEALTHY', penalties: [] },
  rootCause: null,
  events: { pageInfo: { hasNextPage: false, endCursor: null }, nodes: [] },
};

const TRACE = {
  ...{ traceId: 'b'.repeat(32), startedAt: '2026-01-01T00:00:00.000Z', durationMs: 1, errors: 0, logs: null },
  spans: [
    {
      spanId: 's',
      parentSpanId: null,
      name: 'query Fleet',
      service: 'router',
      startedAt: '2026-01-01T00:00:00.000Z',
      durationMs: 1,
    },
  ],
};

describe('the documents', () => {
  const server = new ContractServer();
  const terminal = new Terminal();
  const before = { ...process.env };
  /** Where the commands that write files are run. */
  const folder = mkdtempSync(path.join(tmpdir(), 'fleetgraph-docs-'));
  const home = process.cwd();

  beforeAll(async () => {
    await server.start();
    Object.assign(process.env, { FLEET_URL: server.url, FLEET_TOKEN: 'token' });
    delete process.env['FLEET_DATA'];
    const page = { totalCount: 0, changeCursor: 'c', pageInfo: { hasNextPage: false }, nodes: [] };
    const key = { id: 'k', name: 'ci', scopes: ['viewer'], expiresAt: null, lastUsedAt: null, revokedAt: null };
    Object.assign(server.fields, {
      router: () => null,
      fleet: () => ({ total: 74, health: 99 }),
      agents: () => page,
      actOnAgents: () => ({ job: null, affected: 0, agents: [], refusals: [], userErrors: [] }),
      cancelJob: () => ({ job: null, userErrors: [] }),
      logs: () => page,
      savedLogSearches: () => [],
      applySavedLogSearch: () => ({ savedSearch: { version: 1, query: 'severity>=error' }, userErrors: [] }),
      deleteSavedLogSearch: () => ({ name: 'failing', userErrors: [] }),
      agentVersions: () => [],
      publishAgentVersion: () => ({ agentVersion: { kind: 'coder', version: '4.0.0' }, changes: [], userErrors: [] }),
      rollouts: () => ({ nodes: [ROLLOUT] }),
      rollout: () => ROLLOUT,
      startRollout: () => ({ rollout: ROLLOUT, userErrors: [] }),
      pauseRollout: () => ({ rollout: ROLLOUT, userErrors: [] }),
      resumeRollout: () => ({ rollout: ROLLOUT, userErrors: [] }),
      abortRollout: () => ({ rollout: ROLLOUT, userErrors: [] }),
      alerts: () => page,
      applyAlertRule: () => ({ rule: { name: 'unwell', version: 1 }, changes: [], userErrors: [] }),
      acknowledgeAlert: () => ({ alert: { name: 'a', state: 'FIRING', acknowledgement: null }, userErrors: [] }),
      createApiKey: () => ({ secret: 's', apiKey: key, userErrors: [] }),
      revokeApiKey: () => ({ apiKey: key, userErrors: [] }),
      apiKeys: () => [key],
      featureFlags: () => [],
      queryPlan: () => ({ rootFields: ['agents'], cost: 1, tookMs: 3, nodes: [] }),
      agent: () => PATIENT,
      errorGroups: () => ({ nodes: [] }),
      traces: () => ({ nodes: [TRACE] }),
      trace: () => TRACE,
      profileAgent: () => ({ profile: { id: 'p' }, userErrors: [] }),
      agentProfile: () => ({ id: 'p', kind: 'CPU', state: 'DONE', samples: 2 }),
      recoveryPolicies: () => [],
      applyRecoveryPolicy: () => ({ policy: { version: 1 }, changes: [], userErrors: [] }),
      retentionPolicies: () => [],
      retentionPreview: () => [],
      applyRetentionPolicy: () => ({ policy: POLICY, changes: [], nextSweep: [], userErrors: [] }),
      auditSinks: () => [SINK],
      applyAuditSink: () => ({ sink: SINK, changes: [], userErrors: [] }),
      deleteAuditSink: () => ({ name: 'collector', userErrors: [] }),
      auditRetention: () => ({ version: 0, keepFor: null }),
      applyAuditRetention: () => ({ retention: { version: 1, keepFor: 'P730D' }, changes: [], userErrors: [] }),
      logMetrics: () => [METRIC],
      applyLogMetric: () => ({ metric: METRIC, changes: [], userErrors: [] }),
      deleteLogMetric: () => ({ name: METRIC.name, userErrors: [] }),
      applyFeatureFlag: () => ({ flag: null, userErrors: [] }),
      auditCheckpoint: () => ({ origin: SIGNER.name, size: '3', signedNote: 'note' }),
      auditEntries: () => ({ pageInfo: { hasPreviousPage: false }, nodes: [ENTRY] }),
    });
    const log = sampleExport(sampleEntries(3));
    server.gate = (place) => {
      if (place.startsWith('/v1/profiles')) return { body: PROFILE };
      return place.startsWith('/v1/audit/') ? { body: log.checkpoint.toString() } : undefined;
    };
    process.chdir(folder);
    writeFileSync('audit.ndjson', bytesOf(log));
    writeFileSync('older.note', log.note);
    writeFileSync('coder-4.json', JSON.stringify({ kind: 'coder', version: '4.0.0', configSchema: {} }));
  });
  afterAll(async () => {
    process.env = before;
    process.chdir(home);
    rmSync(folder, { recursive: true });
    terminal.close();
    await server.stop();
  });

  test.each(commands)('%s', async (line) => {
    const running = terminal.run(...wordsOf(line).slice(2));
    if (/--follow|--watch/.test(line)) {
      await until(() => server.streams.size > 0);
      server.push('event: complete\n\n');
      server.streams.clear();
    }
    expect(await running).toMatchObject({ code: 0 });
  });

  test('the table of exit codes has every error code, as the command line knows it', () => {
    const rows = [...read('cli.md').matchAll(/^\| (\d) \| [^|]+\| ([A-Z_ ]+) \|$/gm)];
    const told = new Map(
      rows.flatMap(([, code, names]) => (names as string).split(' ').map((name) => [name, Number(code)] as const)),
    );
    for (const [name, code] of told) expect([name, exitCodeOf(name)]).toEqual([name, code]);
    for (const name of Object.keys(ERROR_CODES)) expect([name, exitCodeOf(name)]).toEqual([name, told.get(name) ?? 1]);
  });
});
