import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Reply } from '../http/reply.ts';
import { send } from '../http/send.ts';
import { readExamples } from './examples.ts';
import { packageRoot } from './package-root.ts';

/** Everything comes from this server; GraphiQL styles elements in place. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Fleetgraph</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="explorer/graphiql.css">
    <link rel="stylesheet" href="explorer/explorer.css">
  </head>
  <body>
    <div id="explorer"></div>
    <script src="explorer/react.js"></script>
    <script src="explorer/react-dom.js"></script>
    <script src="explorer/graphiql.js"></script>
    <script src="explorer/explorer.js"></script>
  </body>
</html>
`;

const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/** Where the page and what belongs to it are. */
export const EXPLORER_PATHS = [
  '/',
  '/explorer/explorer.js',
  '/explorer/explorer.css',
  '/explorer/react.js',
  '/explorer/react-dom.js',
  '/explorer/graphiql.js',
  '/explorer/graphiql.css',
  '/explorer/examples.json',
] as const;

interface Asset {
  contentType: string;
  read(): Buffer;
}

interface Loaded {
  contentType: string;
  body: Buffer;
  etag: string;
}

/** The page at `/`: GraphiQL from this machine's own packages, open to everybody, for it holds nothing. */
export class Explorer {
  readonly #assets: ReadonlyMap<string, Asset>;
  readonly #loaded = new Map<string, Loaded>();

  /** @param examples folder of `.graphql` files that become tabs */
  constructor(examples: string | undefined) {
    const root = packageRoot();
    const require = createRequire(path.join(root, 'package.json'));
    const packaged = (file: string, contentType: string): Asset => ({
      contentType,
      read: () => readFileSync(fileOf(require, file)),
    });
    const own = (file: string, contentType: string): Asset => ({
      contentType,
      read: () => readFileSync(path.join(root, 'router', 'explorer', 'assets', file)),
    });
    const assets: Record<(typeof EXPLORER_PATHS)[number], Asset> = {
      '/': { contentType: 'text/html; charset=utf-8', read: () => Buffer.from(PAGE) },
      '/explorer/explorer.js': own('explorer.js', SCRIPT),
      '/explorer/explorer.css': own('explorer.css', STYLE),
      '/explorer/react.js': packaged('react/umd/react.production.min.js', SCRIPT),
      '/explorer/react-dom.js': packaged('react-dom/umd/react-dom.production.min.js', SCRIPT),
      '/explorer/graphiql.js': packaged('graphiql/graphiql.min.js', SCRIPT),
      '/explorer/graphiql.css': packaged('graphiql/graphiql.min.css', STYLE),
      '/explorer/examples.json': {
        contentType: 'application/json; charset=utf-8',
        read: () => Buffer.from(JSON.stringify(examples === undefined ? [] : readExamples(examples))),
      },
    };
    this.#assets = new Map(Object.entries(assets));
  }

  /** @returns whether this path is the explorer's, and answered */
  answer(pathname: string, request: IncomingMessage, response: Reply): boolean {
    const asset = this.#assets.get(pathname);
    if (!asset) return false;
    const { body, etag, contentType } = this.#load(pathname, asset);
    const headers = {
      'content-type': contentType,
      etag,
      // The browser keeps it and asks whether it is still the same.
      'cache-control': 'no-cache',
      'content-security-policy': CSP,
      'referrer-policy': 'no-referrer',
    };
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, headers);
      response.end();
    } else send(response, 200, body, headers);
    return true;
  }

  /** Read when first asked for: a router that nobody explores holds none of it. */
  #load(pathname: string, asset: Asset): Loaded {
    const known = this.#loaded.get(pathname);
    if (known) return known;
    const body = asset.read();
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    const loaded = { contentType: asset.contentType, body, etag };
    this.#loaded.set(pathname, loaded);
    return loaded;
  }
}

/** A file of a package, also of one whose `exports` do not name it. */
function fileOf(require: NodeJS.Require, file: string): string {
  const [name = '', ...rest] = file.split('/');
  return path.join(path.dirname(require.resolve(`${name}/package.json`)), ...rest);
}
