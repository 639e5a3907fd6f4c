import type { FleetLink, UserError } from '../sdk/index.ts';
import { KINDS, roster } from './roster.ts';

const APPLY = `mutation ApplyDemoRule($input: AlertRuleInput!) { applyAlertRule(input: $input) { userErrors { code message field } } }`;
const ATTEMPTS = 20;

/** What is watched in the demo: the demo's agents alone, so that no one else's agent sets off its alerts. */
export function demoRules(): { name: string; [field: string]: unknown }[] {
  const services = roster().map(({ name }) => name);
  const every = 'PT2S';
  return [
    {
      name: 'demo-agent-offline',
      severity: 'CRITICAL',
      condition: { presence: { kinds: KINDS, presence: 'OFFLINE' } },
      every,
      annotations: { summary: 'An agent of the demo went silent; the platform restarts it by itself.' },
    },
    {
      name: 'demo-error-burst',
      severity: 'WARNING',
      condition: { logs: { filter: { minSeverity: 'ERROR', services }, window: 'PT30S', above: 8, groupBy: 'AGENT' } },
      keepFiringFor: 'PT10S',
      every,
      annotations: { summary: 'An agent of the demo logs many errors: its model provider refuses.' },
    },
    {
      name: 'demo-agent-unwell',
      severity: 'WARNING',
      condition: { health: { kinds: KINDS, below: 60 } },
      for: 'PT4S',
      keepFiringFor: 'PT10S',
      every,
      annotations: { summary: 'An agent of the demo is slow or fails at its tasks.' },
    },
  ];
}

/** Makes the demo's rules what they should be; an alerts house that is still starting is waited for. */
export async function applyRules(link: FleetLink, signal: AbortSignal): Promise<void> {
  for (const input of demoRules()) {
    for (let attempt = 1; !signal.aborted; attempt++) {
      try {
        const { applyAlertRule } = await link.client.query<{ applyAlertRule: { userErrors: UserError[] } }>(APPLY, {
          input,
        });
        const [refused] = applyAlertRule.userErrors;
        if (refused) throw new Error(`rule ${input.name} was refused: ${refused.message}`);
        break;
      } catch (error) {
        if (attempt === ATTEMPTS || !(error as { retryable?: boolean }).retryable) throw error;
        await link.surroundings.sleep(500, signal);
      }
    }
  }
}
