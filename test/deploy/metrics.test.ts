import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ADMIN_TOKEN, bearer, type Harbour, openHarbour } from '../router/edge/support.ts';

const root = path.resolve(__dirname, '../..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
let harbour: Harbour;
let types: Map<string, string>;
let text: string;
beforeAll(async () => {
  harbour = await openHarbour({ metrics: async () => '' });
  text = await (await fetch(`${harbour.url}/metrics`, { headers: bearer(ADMIN_TOKEN) })).text();
  types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name as string, type as string]),
  );
});
afterAll(() => harbour.stop());

test('every panel of the dashboard asks for metrics that the router tells', () => {
  const { panels } = JSON.parse(read('deploy/grafana/router.json')) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  expect(panels.length).toBeGreaterThan(10);
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const names = [...expr.matchAll(/fleet_router_\w+/g)].map(([name]) => name);
      expect({ title, asks: names.length > 0 }).toEqual({ title, asks: true });
      for (const name of names) {
        const family = types.has(name) ? name : name.replace(/_bucket$/, '');
        expect([title, name, types.has(family)]).toEqual([title, name, true]);
        if (name !== family) expect(types.get(family)).toBe('histogram');
        if (/rate\(/.test(expr) && name === family && types.get(family) === 'gauge')
          expect(expr).not.toContain(`rate(${name}`);
      }
    }
  }
});

test('the labels it groups by are those that docs/operating.md lists, which are those that the router tells', () => {
  const rows = [...read('docs/operating.md').matchAll(/^\| `(fleet_router_\w+)` \| \w+ \| ([^|]*) \|/gm)];
  const listed = new Map(
    rows.map(([, name, labels]) => [name as string, [...(labels ?? '').matchAll(/\w+/g)].map(([label]) => label)]),
  );
  const series = text.matchAll(/^(fleet_router_\w+?)(?:_bucket|_sum|_count)?\{(.*)\} \S+$/gm);
  for (const [, name = '', pairs = ''] of series) {
    const family = listed.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');
    const labels = [...pairs.matchAll(/(\w+)="/g)].flatMap(([, label]) => (label === 'le' ? [] : [label]));
    expect([family, labels]).toEqual([family, listed.get(family)]);
  }
  for (const [, grouped = ''] of read('deploy/grafana/router.json').matchAll(/ by \(([^)]*)\)/g)) {
    for (const label of grouped.split(/, ?/)) {
      // What is of a histogram, and what Prometheus itself writes.
      const labels = [['le', 'instance', 'job'], ...listed.values()].flat();
      expect(labels).toContain(label);
    }
  }
});

test('docs/operating.md lists the router’s metrics, all of them and no other', () => {
  const rows = [...read('docs/operating.md').matchAll(/^\| `(fleet_router_\w+)` \| (\w+) \|/gm)];
  const listed = rows.map(([, name, type]) => [name, type]);
  expect(listed.sort()).toEqual([...types].sort());
});
