import type { MigrationInterface } from 'typeorm';

type Migration = abstract new (...args: never[]) => MigrationInterface;

/** The migrations of each house, in the order they run. Never edit one that has shipped: add another. */
export const migrations: Record<string, Migration[]> = {
  agents: [],
  logs: [],
  audit: [],
  alerts: [],
  metrics: [],
};
