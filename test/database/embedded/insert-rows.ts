/** Inserts rows into an embedded database and prints each number once it is acknowledged. */
import process from 'node:process';
import { openDatabase } from '../../../src/database/connect.ts';

try {
  const { sql } = await openDatabase({ embeddedDirectory: process.argv[2] });
  await sql`create table if not exists kept (n int)`;
  for (let n = 1; ; n++) {
    await sql`insert into kept values (${n})`;
    process.stdout.write(`${n}\n`);
  }
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
