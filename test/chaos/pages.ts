import type { SpawnedPlatform } from '../support/spawned-platform.ts';

const FILTERS: Readonly<Record<string, string>> = {
  auditEntries: 'AuditFilter',
  alerts: 'AlertFilter',
  logs: 'LogFilter',
};

/** Every node of a list that matches, page by page. */
export async function readAll(
  platform: SpawnedPlatform,
  list: string,
  fields: string,
  filter: object,
): Promise<Record<string, ReturnType<typeof JSON.parse>>[]> {
  const query = `query ($filter: ${FILTERS[list]}, $after: String) {
    ${list}(first: 100, after: $after, filter: $filter) { nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`;
  const found: Record<string, ReturnType<typeof JSON.parse>>[] = [];
  for (let after: string | null = null; ; ) {
    const { data, errors } = await platform.ask(query, { after, filter });
    if (!data?.[list]) throw new Error(`${list}: ${JSON.stringify(errors)}`);
    found.push(...data[list].nodes);
    if (!data[list].pageInfo.hasNextPage) return found;
    after = data[list].pageInfo.endCursor;
  }
}
