#!/usr/bin/env node
// Runs a command under a Node that can read TypeScript, whatever Node the machine has:
//
//   node scripts/with-node.mjs vitest run
//
// A Node that is new enough is used as it is. Otherwise a pinned one is fetched from the npm
// registry, once, into .runtime/ of this project (scripts/node-runtime holds the lock with its
// integrity; no install script runs). This file is plain JavaScript that Node 18 understands.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const oldest = [22, 18];
const scripts = path.dirname(fileURLToPath(import.meta.url));
const project = path.dirname(scripts);
const recipe = path.join(scripts, 'node-runtime');
const { version: pinned } = JSON.parse(fs.readFileSync(path.join(recipe, 'package.json'), 'utf8'));

/** @param {string} version */
function isRecent(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/** @param {string} problem */
function cannotHelp(problem) {
  return new Error(
    `${problem}\nCanonry needs Node ${oldest.join('.')} or newer; this is ${process.version}. ` +
      'Install a newer Node (https://nodejs.org) and start again.',
  );
}

/** The folder of the pinned Node's executable; fetched when it is not there yet. */
function fetchedNode() {
  const name = `node-${process.platform}-${process.arch}`;
  const { optionalDependencies } = JSON.parse(
    fs.readFileSync(path.join(recipe, 'package.json'), 'utf8'),
  );
  if (!(name in optionalDependencies)) {
    throw cannotHelp(`There is no Node to fetch for ${process.platform} ${process.arch}.`);
  }
  const home = path.join(project, '.runtime', `node-${pinned}`);
  const bin = (/** @type {string} */ root) => path.join(root, 'node_modules', name, 'bin');
  if (fs.existsSync(path.join(bin(home), 'node'))) return bin(home);

  console.error(`Fetching Node ${pinned} into .runtime/ (once; this is ${process.version})`);
  const building = `${home}.tmp-${process.pid}`;
  fs.mkdirSync(building, { recursive: true });
  try {
    for (const file of ['package.json', 'package-lock.json']) {
      fs.copyFileSync(path.join(recipe, file), path.join(building, file));
    }
    const executable = path.join(bin(building), 'node');
    npmInstall(building, executable);
    const check = spawnSync(executable, ['--version'], { encoding: 'utf8' });
    if (check.stdout?.trim() !== `v${pinned}`) {
      throw cannotHelp(
        `The fetched Node ${pinned} does not run here: ${check.error ?? check.stderr}`,
      );
    }
    publish(building, home);
  } finally {
    fs.rmSync(building, { recursive: true, force: true });
  }
  return bin(home);
}

/**
 * @param {string} folder
 * @param {string} executable
 */
function npmInstall(folder, executable) {
  const npm = process.env.npm_execpath;
  const [command, ...first] = npm ? [process.execPath, npm] : ['npm'];
  const options = ['--ignore-scripts', '--include=optional', '--no-audit', '--no-fund'];
  const { status, error, stderr } = spawnSync(
    command,
    [...first, 'ci', '--prefix', folder, '--loglevel=error', ...options],
    { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
  );
  // npm forgives an optional package that it cannot fetch, so its exit code says too little.
  if (status !== 0 || !fs.existsSync(executable)) {
    const reason = error ?? (stderr.trim() || 'the package is missing');
    throw cannotHelp(`Could not fetch Node ${pinned} from the npm registry: ${reason}`);
  }
}

/**
 * Two starters may both have fetched: the first rename wins, the other finds it done.
 * @param {string} building
 * @param {string} home
 */
function publish(building, home) {
  try {
    fs.renameSync(building, home);
  } catch (error) {
    if (!fs.existsSync(path.join(home, 'node_modules'))) throw error;
  }
}

/** The folder of a Node that is new enough. */
function nodeFolder() {
  if (isRecent(process.versions.node)) return path.dirname(process.execPath);
  try {
    return fetchedNode();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

const [command, ...args] = process.argv.slice(2);
if (command === undefined) {
  console.error('Usage: node scripts/with-node.mjs <command> [argument...]');
  process.exit(2);
}
const search = [nodeFolder(), path.join(project, 'node_modules', '.bin'), process.env.PATH];
const child = spawn(command, args, {
  stdio: 'inherit',
  env: { ...process.env, PATH: search.join(path.delimiter) },
  shell: process.platform === 'win32',
});

// Ctrl-C in a terminal reaches the child as well; handing it on would be a second one, which
// servers take as "stop at once". Without a terminal somebody signalled this process alone.
const interactive = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !interactive) child.kill(signal);
  });
}
child.on('error', (error) => {
  console.error(`Cannot run ${command}: ${error.message}`);
  process.exit(127);
});
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + os.constants.signals[signal]);
});
