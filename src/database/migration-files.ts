import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** One file of SQL that a database must have been given. */
export interface MigrationFile {
  /** `0001_name.sql`, or `functions/name.sql`. */
  name: string;
  sql: string;
  /** SHA-256 of the text, hexadecimal; line ends count as \n on every platform. */
  sha256: string;
}

/** The files of a migrations directory, in the order in which they are applied. */
export interface MigrationFiles {
  /** Forward only: once applied, a file never changes. */
  numbered: MigrationFile[];
  /** Functions and views: applied again whenever their text changes. */
  functions: MigrationFile[];
  /** What `roles/` says; none in a directory without it. */
  roles: RoleFiles | undefined;
}

/** SQL of the roles; neither is recorded as applied. */
export interface RoleFiles {
  /** Creates the roles and gives everything to the migrator. For an administrator. */
  create: string;
  /** Who may do what. For the migrator. */
  grants: string;
}

/** Migrations are missing, changed or cannot be applied. The message names the remedy. */
export class MigrationError extends Error {
  override name = 'MigrationError';
}

const projectMigrations = fileURLToPath(new URL('../../migrations/', import.meta.url));

/**
 * Reads `NNNN_name.sql` and `functions/*.sql`. Throws MigrationError for a number that is
 * missing or taken twice, and for a name of another form.
 */
export function readMigrationFiles(directory: string = projectMigrations): MigrationFiles {
  const numbered = sqlFiles(directory).map((name) => readFile(directory, name));
  for (const [index, { name }] of numbered.entries()) {
    const number = /^(\d{4})_[a-z0-9_-]+\.sql$/.exec(name)?.[1];
    if (number === undefined) {
      throw new MigrationError(`migrations/${name}: the name must have the form 0001_what.sql`);
    }
    if (Number(number) !== index + 1) {
      throw new MigrationError(
        `migrations/${name}: expected number ${String(index + 1).padStart(4, '0')}; ` +
          'numbers begin with 0001 and have neither gaps nor duplicates',
      );
    }
  }
  const functions = sqlFiles(path.join(directory, 'functions')).map((name) =>
    readFile(directory, `functions/${name}`),
  );
  const roles = fs.existsSync(path.join(directory, 'roles'))
    ? {
        create: readFile(directory, 'roles/create.sql').sql,
        grants: readFile(directory, 'roles/grants.sql').sql,
      }
    : undefined;
  return { numbered, functions, roles };
}

function sqlFiles(directory: string): string[] {
  if (!fs.existsSync(directory)) return [];
  return fs
    .readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
}

function readFile(directory: string, name: string): MigrationFile {
  const sql = fs.readFileSync(path.join(directory, name), 'utf8').replaceAll('\r\n', '\n');
  return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
}
