import { MigrationError, type MigrationFile, type MigrationFiles } from './migration-files.ts';

/**
 * The schema revision that the installed graphile-worker brings; a test compares it with what
 * an installation leaves behind.
 */
const engineRevision = 20;

/** What canonry.migrations says: hash by name. */
export type AppliedMigrations = ReadonlyMap<string, string>;

/** What a database still needs. */
export interface MigrationPlan {
  engine: boolean;
  numbered: MigrationFile[];
  functions: MigrationFile[];
}

/** Under this name canonry.migrations records that the job engine's own schema is there. */
export function engineRecord(revision: number = engineRevision): string {
  return `graphile-worker ${String(revision).padStart(6, '0')}`;
}

/** Under this name canonry.migrations remembers that a function file with this text was applied once. */
export function supersededRecord(name: string, sha256: string): string {
  return `${name} ${sha256}`;
}

/**
 * What keeps a process from its work. A function file whose text was applied and has been replaced
 * since does not: a newer version of the code, which is on its way, has brought a newer text.
 */
export function planMissing(files: MigrationFiles, applied: AppliedMigrations): MigrationPlan {
  const plan = planMigrations(files, applied);
  const functions = plan.functions.filter(
    ({ name, sha256 }) => !applied.has(supersededRecord(name, sha256)),
  );
  return { ...plan, functions };
}

/**
 * Compares the files with what was applied. A database may be ahead of the files (a rolling
 * deploy brings the new schema before the last old machine is gone); it may not differ from
 * them. Throws MigrationError for an applied file that has changed or is gone, and for a new
 * file that sorts before an applied one.
 */
export function planMigrations(files: MigrationFiles, applied: AppliedMigrations): MigrationPlan {
  const known = new Set(files.numbered.map(({ name }) => name));
  const highest = files.numbered.at(-1)?.name ?? '';
  const isNumbered = (name: string) => /^\d{4}_/.test(name);
  for (const name of applied.keys()) {
    if (isNumbered(name) && !known.has(name) && name.slice(0, 4) <= highest.slice(0, 4)) {
      throw new MigrationError(
        `The database was given migrations/${name}, which this version of the code does not ` +
          'have: it belongs to another branch, or the file was renamed.',
      );
    }
  }
  let firstPending: string | undefined;
  for (const { name, sha256 } of files.numbered) {
    const hash = applied.get(name);
    if (hash === undefined) {
      firstPending ??= name;
    } else if (hash !== sha256) {
      throw new MigrationError(
        `migrations/${name} has changed since it was applied to this database. ` +
          'Restore the file and put the change into a new migration.',
      );
    } else if (firstPending !== undefined) {
      throw new MigrationError(
        `migrations/${firstPending} was never applied to this database, but the later ` +
          `migrations/${name} was.`,
      );
    }
  }
  return {
    engine: ![...applied.keys()].some(
      (name) => name.startsWith('graphile-worker ') && name >= engineRecord(),
    ),
    numbered: files.numbered.filter(({ name }) => !applied.has(name)),
    functions: files.functions.filter(({ name, sha256 }) => applied.get(name) !== sha256),
  };
}

/** Names of what the plan would apply, in order; empty when the database is up to date. */
export function describePlan(plan: MigrationPlan): string[] {
  const files = [...plan.numbered, ...plan.functions].map(({ name }) => name);
  return plan.engine ? [engineRecord(), ...files] : files;
}
