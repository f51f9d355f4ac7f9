/** Everything a database holds, as text. */
import type { Sql } from '../../../src/database/connect.ts';

/** Every row of every table but the migrations, `table: row`; bytes are hex. */
export async function everyRow(sql: Sql): Promise<string[]> {
  const tables = await sql<{ name: string }[]>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname in ('guardian', 'canonry', 'graphile_worker') and tablename <> 'migrations'`;
  const rows: string[] = [];
  for (const { name } of tables) {
    for (const { row } of await sql.unsafe<{ row: string }[]>(
      `select t::text as row from ${name} t`,
    )) {
      // a quote within a row is doubled
      rows.push(`${name}: ${row.replaceAll('""', '"')}`);
    }
  }
  return rows;
}
