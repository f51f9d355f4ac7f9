/**
 * `npm run migrate`: brings the database to the state of migrations/ and says what it did.
 * `npm run migrate -- --roles`, by an administrator: also gives the database roles of least
 * privilege, which every later `npm run migrate` keeps up to date.
 * Exit code 0 when the database is up to date, 1 when it is not.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/load.ts';
import { migrate, separateRoles } from '../database/migrate.ts';
import { openConfiguredDatabase } from './database.ts';
import { exitWithMessage } from './shutdown.ts';

try {
  const { values } = parseArgs({ options: { roles: { type: 'boolean', default: false } } });
  const config = loadConfig(process.env);
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-migrate',
    direct: true,
  });
  try {
    const applied = await (values.roles ? separateRoles : migrate)(database);
    for (const name of applied) console.log(`applied ${name}`);
    console.log(`${database.description} is up to date (${applied.length} applied)`);
    if (values.roles)
      console.log('its roles are canonry_migrator, _api, _worker, _operator, _readonly');
  } finally {
    await database.close();
  }
} catch (error) {
  exitWithMessage(error);
}
