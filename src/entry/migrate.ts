/**
 * `npm run migrate`: brings the database to the state of migrations/ and says what it did.
 * Exit code 0 when the database is up to date, 1 when it is not.
 */
import process from 'node:process';
import { loadConfig } from '../config/load.ts';
import { migrate } from '../database/migrate.ts';
import { openConfiguredDatabase } from './database.ts';
import { exitWithMessage } from './shutdown.ts';

try {
  const config = loadConfig(process.env);
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-migrate',
    direct: true,
  });
  try {
    const applied = await migrate(database);
    for (const name of applied) console.log(`applied ${name}`);
    console.log(`${database.description} is up to date (${applied.length} applied)`);
  } finally {
    await database.close();
  }
} catch (error) {
  exitWithMessage(error);
}
