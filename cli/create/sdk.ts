import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { FleetFailure } from '../../sdk/index.ts';
import { SDK } from '../../sdk/wire/version.ts';
import { packageRoot } from '../package-root.ts';
import type { Files } from './merge/merge-files.ts';
import { tar } from './tar.ts';
import { filesIn } from './template.ts';

export const SDK_VERSION = SDK.split('/')[1] as string;

interface OwnPackage {
  engines: object;
  license: string;
  exports: Record<string, unknown>;
  dependencies: Record<string, string>;
}

/** The TypeScript SDK as npm installs it from a file. */
export interface Archive {
  path: string;
  bytes: Buffer;
  /** What a lock says of it: SHA-512. */
  integrity: string;
}

/** Packs the SDK as it was built. @throws UNAVAILABLE when it was not */
export function typescriptSdk(): Archive {
  const root = packageRoot();
  const built = path.join(root, 'dist/sdk');
  if (!existsSync(path.join(built, 'factory/index.d.ts')))
    throw new FleetFailure('UNAVAILABLE', 'the SDK is not built yet: npm run prepare');
  const files = new Map<string, Buffer>();
  files.set('package/package.json', Buffer.from(`${JSON.stringify(manifest(root), null, 2)}\n`));
  files.set('package/LICENSE', readFileSync(path.join(root, 'LICENSE')));
  for (const file of filesIn(built).filter((each) => /\.(js|d\.ts)$/.test(each)))
    files.set(`package/dist/sdk/${file}`, Buffer.from(unmapped(readFileSync(path.join(built, file), 'utf8'))));
  const bytes = gzipSync(tar(files), { level: 9 });
  const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  return { path: `vendor/fleetgraph-sdk-${SDK_VERSION}.tgz`, bytes, integrity };
}

/** The Python SDK: the package and the module beside it. */
export function pythonSdk(): Files {
  const root = path.join(packageRoot(), 'sdk/python');
  const files = filesIn(root).filter((file) => /^(fleetgraph\/[^/]+|fleetgraph_logging\.py)$/.test(file));
  return new Map(files.map((file) => [file, readFileSync(path.join(root, file))]));
}

/** The package’s own manifest, with what of it is the SDK. */
function manifest(root: string): object {
  const own = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as OwnPackage;
  const { awilix } = own.dependencies;
  return {
    name: 'fleetgraph',
    version: SDK_VERSION,
    description: 'Makes a program an agent of a Fleetgraph fleet.',
    license: own.license,
    engines: own.engines,
    exports: own.exports,
    dependencies: { awilix },
  };
}

/** The maps stay behind, so nothing may point to them. */
const unmapped = (text: string) => text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
