/**
 * Writes docs/configuration.md and docs/errors.md from the tables in the code, and
 * docs/openapi.json from the schemas of the routes. With --check it writes nothing and fails when
 * a file differs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';
import { format, resolveConfig } from 'prettier';
import type { Setting } from '../src/config/setting.ts';
import { settings } from '../src/config/settings.ts';
import { apiDocument } from '../src/entry/api-document.ts';
import { errorTable } from '../src/errors.ts';

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
const row = (...cells: string[]) => `| ${cells.map(cell).join(' | ')} |`;

function configuration(): string {
  const rows = Object.entries<Setting<unknown>>(settings).map(([name, setting]) =>
    row(
      `\`${name}\``,
      setting.fallback === null ? 'unset' : `\`${setting.fallback}\``,
      setting.meaning + (setting.secret ? ' Secret.' : ''),
      setting.reason,
    ),
  );
  return [
    '# Configuration',
    'Generated from `src/config/settings.ts` by `npm run docs`. Blank counts as unset.',
    [
      '| variable | default | meaning | why this default |',
      '| --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
  ].join('\n\n');
}

function errors(): string {
  const rows = errorTable().map((error) =>
    row(
      `\`${error.code}\``,
      String(error.status),
      error.retryable ? 'yes' : 'no',
      error.message,
      error.operator,
    ),
  );
  return [
    '# Errors',
    'Generated from `src/errors/table.ts` by `npm run docs`. Every error body is `{ "code", "message", "meta": { "retryable", … } }`. Rejections of the framework (unknown route 404, wrong method 405, too large 413, wrong content type 415) carry the code `invalid_input` with their own status.',
    [
      '| code | status | retryable | message | for the operator |',
      '| --- | --- | --- | --- | --- |',
      ...rows,
    ].join('\n'),
  ].join('\n\n');
}

const check = process.argv.includes('--check');
for (const [name, content] of [
  ['configuration.md', configuration()],
  ['errors.md', errors()],
  ['openapi.json', JSON.stringify(apiDocument())],
] as const) {
  const file = new URL(`../docs/${name}`, import.meta.url);
  const parser = name.endsWith('.json') ? 'json' : 'markdown';
  const options = { ...(await resolveConfig(file)), parser };
  const wanted = await format(content, options);
  if (!check) {
    await writeFile(file, wanted);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== wanted) {
    console.error(`docs/${name} is out of date: run npm run docs`);
    process.exitCode = 1;
  }
}
