import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { findPlatform } from '../src/platform.js';

test('the platform is where the environment says, else on this machine', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'platform-'));
  writeFileSync(path.join(folder, 'admin-token'), 'kept\n');
  try {
    assert.deepEqual(findPlatform({ FLEET_URL: 'http://fleet:4000', FLEET_TOKEN: 'given', FLEET_DATA: folder }), {
      url: 'http://fleet:4000',
      token: 'given',
    });
    assert.deepEqual(findPlatform({ FLEET_DATA: folder }), { url: 'http://127.0.0.1:4000', token: 'kept' });
    assert.throws(() => findPlatform({ FLEET_DATA: path.join(folder, 'none') }), /no token/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
