// `npm ci` leaves a product behind that can be started: `node dist/router/main.js` needs no step of its own.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const { resolve } = createRequire(import.meta.url);
/** Left out by `--omit=optional` and `--omit=dev`: such an install runs what was compiled elsewhere. */
const NEEDED = [
  ['@types/node/package.json', '.'],
  [`@typescript/typescript-${process.platform}-${process.arch}/package.json`, 'typescript/package.json'],
];

function canCompile() {
  try {
    for (const [name, by] of NEEDED) resolve(name, { paths: [by === '.' ? process.cwd() : resolve(by)] });
    return true;
  } catch {
    return false;
  }
}

if (canCompile()) {
  // The product, then the types of what agents import.
  for (const config of ['tsconfig.product.json', 'tsconfig.sdk.json']) {
    const { status } = spawnSync('npx', ['--no-install', 'tsc', '-p', config], { stdio: 'inherit' });
    if (status !== 0) process.exit(status ?? 1);
  }
} else {
  console.log('prepare: packages that compile were left out: copy dist/ from where they are');
}
