import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Registry } from 'prom-client';
import { folderSpace, openTelemetry, serverSpace } from '../../cli/platform/telemetry.ts';
import { silentLog } from '../../lib/log.ts';
import { loadSettings } from '../../lib/settings/index.ts';
import { DiskWatch, openTelemetryStore } from '../../lib/telemetry-store/index.ts';
import { until } from '../support/until.ts';

const GIB = 1024 ** 3;

/** A watch of a disk whose room is what is set here. */
function watched(totalBytes: number, minFreeBytes?: number) {
  const disk = { freeBytes: totalBytes, totalBytes };
  const changes: boolean[] = [];
  const watch = new DiskWatch({
    measure: () => Promise.resolve(disk),
    minFreeBytes,
    onChange: (isFull) => void changes.push(isFull),
  });
  const at = async (freeBytes: number) => {
    disk.freeBytes = freeBytes;
    await watch.look();
    return watch.isFull;
  };
  return { watch, changes, at };
}

test('a disk is full below a twentieth of it, at most 1 GiB, and has room again at a quarter more', async () => {
  const large = watched(1_000 * GIB);
  expect(await large.at(GIB)).toBe(false);
  expect(() => large.watch.check()).not.toThrow();
  expect(await large.at(GIB - 1)).toBe(true);
  expect(() => large.watch.check()).toThrow(
    expect.objectContaining({
      message: 'the disk of the telemetry store is nearly full: send it again later',
      extensions: { code: 'OVERLOADED', retryable: true, retryAfterMs: 5_000, status: 503 },
    }),
  );
  expect(await large.at(1.25 * GIB - 1)).toBe(true);
  expect(await large.at(1.25 * GIB)).toBe(false);
  expect(await large.at(1.1 * GIB)).toBe(false);
  expect(large.changes).toEqual([true, false]);

  const small = watched(10 * GIB);
  expect([await small.at(0.5 * GIB), await small.at(0.49 * GIB)]).toEqual([false, true]);
});

test('a setting says otherwise; 0 takes whatever there is room for', async () => {
  const own = watched(10 * GIB, 5 * GIB);
  expect([await own.at(5 * GIB), await own.at(5 * GIB - 1)]).toEqual([false, true]);
  expect(await watched(10 * GIB, 0).at(0)).toBe(false);
});

test('what cannot be measured stays as it was, and is told', async () => {
  let isBroken = false;
  const errors: unknown[] = [];
  const watch = new DiskWatch({
    measure: () => (isBroken ? Promise.reject(new Error('gone')) : Promise.resolve({ freeBytes: 1, totalBytes: 100 })),
    pollMs: 10,
    onError: (error) => errors.push(error),
  });
  watch.start();
  await until(() => watch.isFull);
  isBroken = true;
  await until(() => errors.length > 0);
  await watch.stop();
  expect(watch.isFull).toBe(true);
});

test('the room of a folder is its file system’s, of a server that of its disk', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'disk-'));
  const store = await openTelemetryStore({ path: path.join(folder, 'store') });
  const own = await folderSpace(folder);
  expect(own.totalBytes).toBeGreaterThan(own.freeBytes);
  expect((await serverSpace(store)).totalBytes).toBe(own.totalBytes);
  await store.close();
  rmSync(folder, { recursive: true });
});

test('the platform’s store watches its disk and counts it', async () => {
  const registry = new Registry();
  const FLEET_DATA = mkdtempSync(path.join(tmpdir(), 'watched-'));
  const settings = loadSettings({ FLEET_DATA, FLEET_TELEMETRY_MIN_FREE_BYTES: String(2 ** 52) });
  const { store, close } = await openTelemetry({ settings, log: silentLog, registry });
  expect(() => store.checkRoom()).toThrow('nearly full');
  const text = await registry.metrics();
  expect(text).toMatch(/fleet_telemetry_disk_full 1\n/);
  expect(text).toMatch(/fleet_telemetry_disk_refusals_total 1\n/);
  expect(text).toMatch(/fleet_telemetry_disk_free_bytes \d+\n/);
  await close();
  rmSync(FLEET_DATA, { recursive: true });
});

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
// To mount one takes root.
const onSmallDisk: (name: string, run: () => Promise<void>) => void = isRoot ? test : () => undefined;
onSmallDisk('a small file system that fills up is told before it is full, and again once it is emptied', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'small-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder]);
  const watch = new DiskWatch({ measure: () => folderSpace(folder), pollMs: 10 });
  try {
    watch.start();
    await until(() => watch.space);
    for (let piece = 0; !watch.isFull; piece += 1) {
      // Each megabyte would fail for want of room, were nobody to say so before.
      writeFileSync(path.join(folder, `${piece}.bin`), Buffer.alloc(256 * 1024));
      const size = watch.space;
      await until(() => watch.isFull || watch.space !== size);
    }
    expect(watch.space?.freeBytes).toBeGreaterThan(0);
    for (let piece = 0; piece < 8; piece += 1) rmSync(path.join(folder, `${piece}.bin`));
    await until(() => !watch.isFull);
  } finally {
    await watch.stop();
    execFileSync('umount', [folder]);
  }
});
