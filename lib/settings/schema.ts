import { z } from 'zod';

const ms = (defaultMs: number, minMs = 1) => z.coerce.number().int().min(minMs).default(defaultMs);
const url = (example: string) => z.string().regex(/^https?:\/\//, `expected an address such as ${example}`);

/** Settings of where subgraphs are found, and of how a new schema comes into service. */
export const SCHEMA_SETTINGS = {
  FLEET_DISCOVERY: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((each) => each.trim() || []))
    .describe(
      'Where subgraphs and replicas are found, comma-separated: file:/path.json, etcd://host:2379/prefix/, reviews=dns+srv://name/graphql, reviews=dns://name:4001/graphql.',
    ),
  FLEET_OVERRIDE_LABELS: z
    .string()
    .default('')
    .transform((text) => text.split(',').flatMap((each) => each.trim() || []))
    .describe(
      'Labels of progressive overrides (@override(label:)) that are on, comma-separated; percent(n) is drawn for each operation.',
    ),
  FLEET_DISCOVERY_MS: ms(5_000, 100).describe('How often names are asked for by DNS, milliseconds.'),
  FLEET_ROUTER_URL: url('http://router:4000')
    .optional()
    .describe('Where a subgraph that runs alone registers itself, signed. Absent: the router is told its address.'),
  FLEET_ADVERTISED_URL: url('http://10.0.0.7:4101')
    .optional()
    .describe('Address under which a subgraph registers itself; the one of FLEET_HOUSES unless given.'),
  FLEET_CANARY_SHARE: z.coerce
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Share of requests a new schema is tried on before all get it, 0 to 1; 0: it is served to all at once.'),
  FLEET_CANARY_MS: ms(30_000).describe('How long a new schema is tried, milliseconds.'),
  FLEET_OPERATIONS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'File of the operations of the last 7 days, which a new schema must not break. Absent: operations.json in the data folder; a router alone keeps them in memory.',
    ),
};
