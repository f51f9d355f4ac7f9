/**
 * `canonry`: what an operator asks and does.
 *
 * Exit codes: 0 done, or nothing wrong; 1 something is wrong, or the action was not possible;
 * 2 the command was not understood.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { loadConfig } from '../config/load.ts';
import { assertMigrated } from '../database/migrate.ts';
import { openKeystore } from '../guardian/acknowledgement/keystore.ts';
import { act } from './commands/act.ts';
import { misused, type Answer, type Command } from './commands/command.ts';
import { doctor } from './commands/doctor.ts';
import { explain, failed } from './commands/look.ts';
import { openConfiguredDatabase } from './database.ts';
import { exitWithMessage } from './shutdown.ts';

const usage = `canonry failed                                    candidates and jobs that wait for a person
canonry explain ACCOUNT                           where an account's line stands, and why
canonry retry|skip|discard ACCOUNT --reason TEXT  act on the head of the account's line; retry also
                                                  revives its failed and missing jobs; skip also
                                                  takes a parked candidate off the failed ones
canonry doctor                                    signs of trouble, each with its remedy
canonry keys FOLDER                               makes the keys of a deployment, where missing

  --task NAME     the line or the job, when the account has several
  --candidate ID  this candidate of the account instead of the head
  --json          one JSON object instead of text
`;

type Run = (command: Command) => Promise<Answer>;

/** Commands that look at the database, with the options they take besides --json. */
const commands: Record<string, { run: Run; options: string[] }> = {
  failed: { run: failed, options: [] },
  explain: { run: explain, options: ['task'] },
  retry: { run: (command) => act('retry', command), options: ['reason', 'task', 'candidate'] },
  skip: { run: (command) => act('skip', command), options: ['reason', 'task', 'candidate'] },
  discard: { run: (command) => act('discard', command), options: ['reason', 'task', 'candidate'] },
  doctor: { run: doctor, options: [] },
};

function readArguments() {
  return parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean' },
      reason: { type: 'string' },
      task: { type: 'string' },
      candidate: { type: 'string' },
    },
  });
}

async function answer(): Promise<Answer> {
  let parsed: ReturnType<typeof readArguments>;
  try {
    parsed = readArguments();
  } catch (error) {
    return notUnderstood(error instanceof Error ? error.message : String(error));
  }
  const { json: _json, ...options } = parsed.values;
  const [name = '', argument, ...more] = parsed.positionals;
  if (more.length > 0) return notUnderstood(`Too much: ${more.join(' ')}.`);
  if (name === 'keys' && argument) {
    // needs no database: there is none yet
    await openKeystore(argument);
    const text = `falcon.key and ecdsa.key are in ${argument}: the same for every replica`;
    return { data: { folder: argument }, text, exitCode: 0 };
  }
  if (name === 'keys') return notUnderstood('canonry keys needs a folder.');
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) return notUnderstood(name ? `There is no command ${name}.` : 'Which command?');
  const foreign = Object.keys(options).find((option) => !command.options.includes(option));
  if (foreign) return notUnderstood(`canonry ${name} takes no --${foreign}.`);
  const { reason, task, candidate } = options;
  const config = loadConfig(process.env);
  const database = await openConfiguredDatabase(config, {
    applicationName: 'canonry-cli',
    direct: true,
  });
  try {
    await assertMigrated(database.sql);
    return await command.run({ database, account: argument, task, reason, candidate });
  } finally {
    await database.close();
  }
}

function notUnderstood(text: string): Answer {
  return { ...misused(text), text: `${text}\n\n${usage}` };
}

/** Instants as ISO text, large integers as numbers: they are ids and counters. */
const toJson = (data: unknown): string =>
  JSON.stringify(data, (_key, value: unknown) =>
    typeof value === 'bigint' ? Number(value) : value,
  );

const json = process.argv.includes('--json');
try {
  const { data, text, exitCode } = await answer();
  if (json) console.log(toJson(data));
  else if (exitCode === 2) process.stderr.write(`${text.trimEnd()}\n`);
  else console.log(text);
  process.exitCode = exitCode;
} catch (error) {
  if (!json) exitWithMessage(error);
  console.log(toJson({ error: error instanceof Error ? error.message : String(error) }));
  process.exit(1);
}
