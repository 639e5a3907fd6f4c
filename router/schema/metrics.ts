import type { Registry } from 'prom-client';
import { counter, gauge, type Reading } from '../metrics/gauges.ts';
import type { LiveEngine } from './live-engine.ts';
import type { OperationBook } from './operation-book.ts';
import type { SchemaDesk } from './schema-desk.ts';

/** What is told of the schema. */
export interface SchemaMeasured {
  engine: LiveEngine;
  desk: SchemaDesk;
  book: OperationBook;
}

/** Tells which schema is served and what became of new ones; read at a scrape. */
export function registerSchemaMetrics(registry: Registry, { engine, desk, book }: SchemaMeasured): void {
  gauge(registry, {
    name: 'schema_generation',
    help: 'Number of the schema that is served; 1 is the one of the start.',
    read: () => [[{}, engine.current.number]],
  });
  gauge(registry, {
    name: 'schema_loaded_timestamp_seconds',
    help: 'When the schema that is served was loaded.',
    read: () => [[{}, engine.current.loadedAtMs / 1_000]],
  });
  counter(registry, {
    name: 'schema_moves_total',
    help: 'Moves of new schemas on their way into service.',
    labelNames: ['phase'],
    read: () => Object.entries(desk.moves).map(([phase, moves]): Reading => [{ phase }, moves]),
  });
  gauge(registry, {
    name: 'schema_canary_operations',
    help: 'Operations of the trial that is under way, by the schema that ran them.',
    labelNames: ['schema', 'outcome'],
    *read(): Iterable<Reading> {
      const { trial } = engine;
      if (!trial) return;
      for (const [schema, { ran, failed }] of Object.entries({ canary: trial.canary, current: trial.current })) {
        yield [{ schema, outcome: 'failed' }, failed];
        yield [{ schema, outcome: 'succeeded' }, ran - failed];
      }
    },
  });
  gauge(registry, {
    name: 'schema_recorded_operations',
    help: 'Operations of the last days that a new schema must not break.',
    read: () => [[{}, book.size.entries]],
  });
}
