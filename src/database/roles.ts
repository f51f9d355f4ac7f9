/**
 * Roles of least privilege (migrations/roles/): one owns, the others may do what their process does.
 * A database uses them once its schemas belong to the migrator; on any other nothing changes.
 */
import type pg from 'pg';
import { MigrationError, type RoleFiles } from './migration-files.ts';

/** Owns the schemas and everything in them. Nobody logs in as it. */
export const migratorRole = 'canonry_migrator';

/** @throws MigrationError when it does and the user of the connection does not belong to the owner. */
export async function usesRoles(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ user: string; member: boolean }>(
    `select current_user as user, pg_has_role(current_user, nspowner, 'member') as member
     from pg_namespace where nspname = 'canonry' and pg_get_userbyid(nspowner) = $1`,
    [migratorRole],
  );
  const [owned] = rows;
  if (owned?.member === false) {
    throw new MigrationError(
      `This database belongs to ${migratorRole}, and ${owned.user} does not: migrate as a login ` +
        `that does (grant ${migratorRole} to …).`,
    );
  }
  return owned !== undefined;
}

/** Inside the caller's transaction, on a connection of an administrator. */
export async function createRoles(client: pg.PoolClient, files: RoleFiles): Promise<void> {
  await client.query(files.create);
  await client.query(`set local role ${migratorRole}`);
  await client.query(files.grants);
}

/** Inside the caller's transaction, as the migrator. */
export async function applyGrants(client: pg.PoolClient, files: RoleFiles): Promise<void> {
  await client.query(files.grants);
}
