/** Logins of least privilege on a test database: what `npm run migrate -- --roles` is for. */
import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { openDatabase } from '../../src/database/connect.ts';
import { separateRoles } from '../../src/database/migrate.ts';

export const roleNames = ['migrator', 'api', 'worker', 'operator', 'readonly'] as const;
export type RoleName = (typeof roleNames)[number];

export interface RoleLogins {
  /** URL of the same database for a login that is a member of this role and of nothing else. */
  url: Record<RoleName, string>;
  /** After the database was dropped: nothing depends on the logins any more. */
  drop(): Promise<void>;
}

/** Separates the roles of a database, as its administrator, and makes one login for each. */
export async function createLogins(adminUrl: string): Promise<RoleLogins> {
  const database = await openDatabase({ databaseUrl: adminUrl });
  await separateRoles(database);
  const suffix = randomBytes(6).toString('hex');
  const login = (role: RoleName) => `${role}_${suffix}`;
  for (const role of roleNames) {
    await database.sql.unsafe(`create role ${login(role)} login in role canonry_${role}`);
  }
  await database.close();
  const urlOf = (role: RoleName) => adminUrl.replace('//postgres@', `//${login(role)}@`);
  return {
    url: {
      migrator: urlOf('migrator'),
      api: urlOf('api'),
      worker: urlOf('worker'),
      operator: urlOf('operator'),
      readonly: urlOf('readonly'),
    },
    async drop() {
      const sql = postgres(new URL('/postgres', adminUrl).href, { max: 1 });
      for (const role of roleNames) await sql.unsafe(`drop role if exists ${login(role)}`);
      await sql.end();
    },
  };
}
