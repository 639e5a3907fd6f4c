import { type FleetClient, FleetFailure, type UserError } from '../../sdk/index.ts';
import { settled } from '../client.ts';

/** Made last: where it is, all the others are. */
const MARK = 'dev-failing';
const SERVICE = 'sample-checkout';
const MINUTE_MS = 60_000;

const SEARCHES = '{ savedLogSearches { name } }';
const INGEST =
  'mutation SeedLogs($input: IngestLogsInput!) { ingestLogs(input: $input) { userErrors { code message } } }';
const RULE =
  'mutation SeedRule($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { code message } } }';
const RAISE =
  'mutation SeedAlert($input: RaiseAlertInput!) { raiseAlert(input: $input) { alert { id } userErrors { code message } } }';
const ACKNOWLEDGE =
  'mutation SeedAcknowledgement($input: AlertActionInput!) { acknowledgeAlert(input: $input) { userErrors { code message } } }';
const RESOLVE =
  'mutation SeedResolution($input: AlertActionInput!) { resolveAlert(input: $input) { userErrors { code message } } }';
const SEARCH =
  'mutation SeedSearch($input: SavedLogSearchInput!) { applySavedLogSearch(input: $input) { userErrors { code message } } }';

/**
 * Things to look at beside the demo fleet: logs of the last hours, alerts in each state, a rule and a search with a past in the trail. Made once: the
 * last of them is the mark, and a repeat of a start that was killed half-way does each again by its key.
 * @returns what was made, or undefined when it was there
 */
export async function seed(client: FleetClient, nowMs: number): Promise<string | undefined> {
  const { savedLogSearches: searches } = await client.query<{ savedLogSearches: { name: string }[] | null }>(SEARCHES);
  if (!searches) throw new FleetFailure('UNAVAILABLE', 'the platform does not tell what is seeded');
  if (searches.some(({ name }) => name === MARK)) return undefined;
  const records = logLines(nowMs);
  await made(client, INGEST, { batchId: 'dev-seed', records });
  for (const [at, above] of [20, 10, 5].entries()) await made(client, RULE, ruleOf(above, at));
  const alerts = ['sample: a certificate expires', 'sample: a queue grows', 'sample: a disk was full'];
  const ids: string[] = [];
  for (const name of alerts) {
    const payload = await made(client, RAISE, { name, severity: 'INFO', dedupKey: name, labels: { seed: 'dev' } });
    ids.push((payload as { alert: { id: string } }).alert.id);
  }
  await made(client, ACKNOWLEDGE, { id: ids[1], note: 'looking into it', clientMutationId: 'dev-seed-acknowledge' });
  await made(client, RESOLVE, { id: ids[2], note: 'there is room again', clientMutationId: 'dev-seed-resolve' });
  for (const query of [`service:${SERVICE} severity:error`, `service:${SERVICE} severity>=error`])
    await made(client, SEARCH, { name: MARK, query, description: 'What fails in the samples of fleet dev' });
  return `${records.length} log lines of ${SERVICE}, ${alerts.length} alerts, the rule dev-errors, the search ${MARK}`;
}

async function made(client: FleetClient, mutation: string, input: object): Promise<object> {
  const [payload] = Object.values(
    await client.query<Record<string, { userErrors: UserError[] } | null>>(mutation, { input }),
  );
  return settled(payload);
}

/** A rule whose threshold was brought down step by step. Its window is short: samples of the past fire nothing. */
function ruleOf(above: number, at: number): object {
  return {
    name: 'dev-errors',
    severity: 'WARNING',
    condition: { logs: { filter: { minSeverity: 'ERROR', services: [SERVICE] }, window: 'PT1M', above } },
    annotations: { summary: `more than ${above} errors a minute` },
    clientMutationId: `dev-seed-rule-${at}`,
  };
}

const STEPS = ['cart priced', 'stock reserved', 'payment authorised', 'order placed'] as const;

/** Some hours of a shop: mostly well, slow now and then, and two errors that come again. */
function logLines(nowMs: number): object[] {
  return Array.from({ length: 360 }, (_, at) => {
    const time = new Date(nowMs - (360 - at) * MINUTE_MS).toISOString();
    const attributes = { 'order.id': 1_000 + Math.floor(at / STEPS.length), 'step.ms': 20 + ((at * 37) % 180) };
    const line = { time, service: SERVICE, attributes };
    if (at % 45 === 44) {
      const error = { 'error.code': 'CARD_DECLINED', 'exception.type': 'PaymentError' };
      return {
        ...line,
        severity: 'ERROR',
        body: 'payment was declined by the bank',
        attributes: { ...attributes, ...error },
      };
    }
    if (at % 90 === 60)
      return {
        ...line,
        severity: 'ERROR',
        body: 'no stock left',
        attributes: { ...attributes, 'error.code': 'OUT_OF_STOCK' },
      };
    if (at % 20 === 7) return { ...line, severity: 'WARN', body: 'the bank is slow' };
    return { ...line, severity: 'INFO', body: STEPS[at % STEPS.length] };
  });
}
