import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import * as v from 'valibot';
import type { ApiPart } from './openapi/operation.ts';
import type { Route } from './routes.ts';

const documentPath = '/api-docs/openapi.json';
const scriptPath = '/api-docs/explorer.js';

/** Nothing may come from anywhere else; the explorer styles its elements in place. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Canonry API</title>
<link rel="icon" href="data:,">
<script type="module" src="${scriptPath}"></script>
</head>
<body>
<openapi-explorer spec-url="${documentPath}" server-url="/" hide-server-selection="true"></openapi-explorer>
</body>
</html>
`;

/**
 * `GET /api-docs/openapi.json`: the contract of this version (protocol §1.1, C3).
 * `GET /api-docs`: the same to read and try in a browser, offline: the page and its one script come
 * from this process, and its policy forbids everything else.
 *
 * @param makeDocument called for the first request only; its text answers all later ones.
 */
export function documentRoutes(makeDocument: () => Promise<object>): Route[] {
  const document = once(async () => JSON.stringify(await makeDocument()));
  const script = once(readExplorer);
  return [
    {
      method: 'GET',
      path: documentPath,
      handle: async (c) => c.body(await document(), 200, { 'content-type': 'application/json' }),
    },
    {
      method: 'GET',
      path: '/api-docs',
      handle: (c) =>
        c.body(page, 200, {
          'content-type': 'text/html; charset=utf-8',
          'content-security-policy': contentSecurityPolicy,
          'referrer-policy': 'no-referrer',
        }),
    },
    {
      method: 'GET',
      path: scriptPath,
      handle: async (c) =>
        c.body(await script(), 200, {
          'content-type': 'text/javascript; charset=utf-8',
          'cache-control': 'public, max-age=86400',
        }),
    },
  ];
}

/** What was made stays; a failure does not. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** The bundle stands alone: none of the packages it was made from is loaded. */
async function readExplorer(): Promise<string> {
  const manifest = createRequire(import.meta.url).resolve('openapi-explorer/package.json');
  const bundle = path.join(path.dirname(manifest), 'dist/browser/openapi-explorer.min.js');
  return readFile(bundle, 'utf8');
}

/** The document as far as a client needs to know it. */
export const contractAnswer = v.looseObject({
  openapi: v.string(),
  info: v.looseObject({ title: v.string(), version: v.string() }),
  paths: v.record(v.string(), v.looseObject({})),
});

export const documentPart: ApiPart = {
  tag: 'Contract',
  description: 'This document, and the page to read it with.',
  operations: [
    {
      method: 'GET',
      path: documentPath,
      id: 'openapi',
      summary: 'The contract as OpenAPI 3.1.',
      answers: [{ status: 200, description: 'The document.', schema: contractAnswer }],
    },
    {
      method: 'GET',
      path: '/api-docs',
      id: 'reference',
      summary: 'The contract to read and try in a browser.',
      answers: [{ status: 200, description: 'The page.', type: 'text/html' }],
    },
    {
      method: 'GET',
      path: scriptPath,
      id: 'referenceScript',
      summary: 'The script of that page.',
      answers: [{ status: 200, description: 'The script.', type: 'text/javascript' }],
    },
  ],
};
