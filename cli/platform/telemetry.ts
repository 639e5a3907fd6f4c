import { readFile, statfs } from 'node:fs/promises';
import path from 'node:path';
import { Counter, Gauge, type Registry } from 'prom-client';
import { messageOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { Settings } from '../../lib/settings/index.ts';
import {
  type ColdDisk,
  type DiskSpace,
  DiskWatch,
  openTelemetryStore,
  type TelemetryStore,
} from '../../lib/telemetry-store/index.ts';

export interface OpenTelemetry {
  store: TelemetryStore;
  close(): Promise<void>;
}

/** Opens the store of logs, samples and spans, and watches its disk. */
export async function openTelemetry(options: {
  settings: Settings;
  log: Log;
  registry?: Registry;
}): Promise<OpenTelemetry> {
  const { settings, log, registry } = options;
  const { CLICKHOUSE_URL: url, FLEET_TELEMETRY_MIN_FREE_BYTES: minFreeBytes } = settings;
  const folder = path.resolve(settings.FLEET_DATA, 'clickhouse');
  const store = await openTelemetryStore(url ? { url } : { path: folder, cold: await coldDisk(settings) });
  const refusals =
    registry &&
    new Counter({
      name: 'fleet_telemetry_disk_refusals_total',
      help: 'Requests that were refused for want of room.',
      registers: [registry],
    });
  const watch = new DiskWatch({
    measure: url ? () => serverSpace(store) : () => folderSpace(folder),
    minFreeBytes,
    onChange: (isFull, space) =>
      isFull ? log.error('telemetry.disk.full', { ...space }) : log.info('telemetry.disk.has-room', { ...space }),
    onRefused: () => refusals?.inc(),
    onError: (error) => log.warn('telemetry.disk.unknown', { error: messageOf(error) }),
  });
  // Once before anything is taken; a disk that cannot be measured is none that is full.
  await watch.look().catch((error: unknown) => log.warn('telemetry.disk.unknown', { error: messageOf(error) }));
  store.watchedBy(watch);
  if (registry) measureDisk(registry, watch);
  watch.start();
  return {
    store,
    async close() {
      await watch.stop();
      await store.close();
    },
  };
}

/** The cold disk of the embedded engine, if the settings name one. */
async function coldDisk(settings: Settings): Promise<ColdDisk | undefined> {
  const { FLEET_COLD_URL: url, FLEET_COLD_REGION: region, FLEET_COLD_ACCESS_KEY_ID: id } = settings;
  const { FLEET_COLD_SECRET_FILE: file, FLEET_COLD_SECRET_ACCESS_KEY: given } = settings;
  if (!url) return undefined;
  const secret = file ? (await readFile(file, 'utf8')).trim() : given;
  return { url, region, ...(id && secret ? { key: { id, secret } } : {}) };
}

/** Room of the file system that a folder is on. */
export async function folderSpace(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** Room of the local disk of a ClickHouse server that has least. */
export async function serverSpace(store: TelemetryStore): Promise<DiskSpace> {
  const [row] = await store.query<{ free: string; total: string }>(
    `select toString(free_space) as free, toString(total_space) as total from system.disks
      where lower(type) = 'local' order by free_space limit 1`,
  );
  if (!row) throw new Error('the server tells of no local disk');
  return { freeBytes: Number(row.free), totalBytes: Number(row.total) };
}

function measureDisk(registry: Registry, watch: DiskWatch): void {
  const gauge = (name: string, help: string, read: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const value = read();
        if (value !== undefined) this.set(value);
      },
    });
  gauge('fleet_telemetry_disk_free_bytes', 'Room on the disk of the telemetry store.', () => watch.space?.freeBytes);
  gauge('fleet_telemetry_disk_size_bytes', 'Size of the disk of the telemetry store.', () => watch.space?.totalBytes);
  gauge('fleet_telemetry_disk_full', 'Whether telemetry is refused for want of room: 0 or 1.', () =>
    Number(watch.isFull),
  );
}
