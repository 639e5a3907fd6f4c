import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { HOUSE_NAMES } from '../../cli/platform/processes.ts';
import { loadSettings } from '../../lib/settings/index.ts';

interface Service {
  image: string;
  command?: string;
  environment?: Record<string, string>;
  healthcheck?: { test: string[]; interval: string; retries: number };
  depends_on?: Record<string, { condition: string }>;
}

const file = parse(readFileSync(path.resolve(__dirname, '../../docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, Service>;
};
const { services } = file;

/** What compose puts in the place of `${NAME…}`. */
const filled = (text: string) => text.replace(/\$\{[^}]*\}/g, 'x'.repeat(40));

describe('docker-compose.yml', () => {
  test('has the three engines, the five subgraphs and the router', () => {
    expect(Object.keys(services).sort()).toEqual(
      ['install', 'postgres', 'clickhouse', 'redis', 'router', ...HOUSE_NAMES].sort(),
    );
  });

  test('every lasting service says when it is healthy, and is waited for until it is', () => {
    for (const [name, service] of Object.entries(services)) {
      if (name !== 'install')
        expect({ name, test: service.healthcheck?.test.length }).toMatchObject({ test: expect.any(Number) });
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        expect(services[needed]).toBeDefined();
        expect(condition).toBe(needed === 'install' ? 'service_completed_successfully' : 'service_healthy');
      }
    }
  });

  test('gives our services settings that they accept, and runs parts that exist', () => {
    for (const name of [...HOUSE_NAMES, 'router']) {
      const service = services[name] as Service;
      expect(service.command).toBe(`node dist/cli/start.js ${name === 'router' ? 'router' : `subgraph ${name}`}`);
      const env = Object.fromEntries(
        Object.entries(service.environment ?? {}).map(([key, value]) => [key, filled(value)]),
      );
      const settings = loadSettings(env);
      expect(Object.keys(settings.FLEET_HOUSES).sort()).toEqual([...HOUSE_NAMES].sort());
      for (const address of Object.values(settings.FLEET_HOUSES))
        expect(services).toHaveProperty(new URL(address).hostname);
    }
  });
});
