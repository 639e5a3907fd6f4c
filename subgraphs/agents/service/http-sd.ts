import type { FoundEndpoint } from './endpoint-query.ts';

/** A group of targets, as Prometheus takes them: https://prometheus.io/docs/prometheus/latest/http_sd/ */
export interface TargetGroup {
  targets: string[];
  labels: Record<string, string>;
}

const META = '__meta_fleet_';

/** Endpoints as targets; whatever is known of their agents is in labels, for relabelling. */
export function targetGroups(found: readonly FoundEndpoint[]): TargetGroup[] {
  return found.map((endpoint) => {
    const { protocol, host, port, pathname } = new URL(endpoint.url);
    const isWeb = protocol === 'http:' || protocol === 'https:';
    const standard = protocol === 'https:' ? '443' : '80';
    const labels = Object.entries(endpoint.labels).map(([name, value]) => [`${META}label_${plain(name)}`, value]);
    return {
      targets: [isWeb && !port ? `${host}:${standard}` : host],
      labels: {
        ...(isWeb ? { __scheme__: protocol.slice(0, -1) } : {}),
        ...(pathname === '/' || pathname === '' ? {} : { __metrics_path__: pathname }),
        [`${META}agent`]: endpoint.agent,
        [`${META}agent_id`]: endpoint.agentId,
        [`${META}kind`]: endpoint.kind,
        [`${META}version`]: endpoint.version,
        [`${META}endpoint`]: endpoint.endpoint,
        [`${META}state`]: endpoint.state,
        [`${META}presence`]: endpoint.presence,
        [`${META}health`]: String(endpoint.health),
        // With a comma at either end, so that one is matched by ",name,".
        [`${META}capabilities`]: `,${endpoint.capabilities.join(',')},`,
        ...Object.fromEntries(labels),
      },
    };
  });
}

/** A label’s name as Prometheus allows it. */
const plain = (name: string): string => name.replace(/[^a-zA-Z0-9_]/g, '_');
