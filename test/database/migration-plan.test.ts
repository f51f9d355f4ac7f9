import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readMigrationFiles } from '../../src/database/migration-files.ts';
import { describePlan, engineRecord, planMigrations } from '../../src/database/migration-plan.ts';

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-migrations-'));
  fs.mkdirSync(path.join(directory, 'functions'));
});
afterEach(() => fs.rmSync(directory, { recursive: true }));

function write(...names: string[]): void {
  for (const name of names) fs.writeFileSync(path.join(directory, name), `select '${name}';\n`);
}

/** What a database that was given everything up to now would have recorded. */
function everything(): Map<string, string> {
  const { numbered, functions } = readMigrationFiles(directory);
  const files = [...numbered, ...functions].map(({ name, sha256 }) => [name, sha256] as const);
  return new Map([[engineRecord(), ''], ...files]);
}

const pending = (applied: Map<string, string>) =>
  describePlan(planMigrations(readMigrationFiles(directory), applied));

describe('the files', () => {
  it('come in order: numbered first, then functions', () => {
    write('0002_b.sql', '0001_a.sql', 'functions/z.sql', 'functions/a.sql', 'README.md');
    expect(pending(new Map())).toEqual([
      engineRecord(),
      '0001_a.sql',
      '0002_b.sql',
      'functions/a.sql',
      'functions/z.sql',
    ]);
  });

  it.each([
    [['0001_a.sql', '0003_c.sql'], 'expected number 0002'],
    [['0001_a.sql', '0001_b.sql'], 'expected number 0002'],
    [['0002_a.sql'], 'expected number 0001'],
    [['1_a.sql'], 'must have the form'],
  ])('%j is refused', (names, message) => {
    write(...names);
    expect(() => readMigrationFiles(directory)).toThrow(message);
  });

  it('have the same hash with the line ends of Windows', () => {
    write('0001_a.sql');
    const [unix] = readMigrationFiles(directory).numbered;
    fs.writeFileSync(path.join(directory, '0001_a.sql'), `select '0001_a.sql';\r\n`);
    expect(readMigrationFiles(directory).numbered[0]?.sha256).toBe(unix?.sha256);
  });
});

describe('the plan', () => {
  it('is empty when everything was applied', () => {
    write('0001_a.sql', 'functions/f.sql');
    expect(pending(everything())).toEqual([]);
  });

  it('applies a changed function again, but never a changed migration', () => {
    write('0001_a.sql', 'functions/f.sql');
    const applied = everything();
    applied.set('functions/f.sql', 'older');
    expect(pending(applied)).toEqual(['functions/f.sql']);
    applied.set('0001_a.sql', 'older');
    expect(() => pending(applied)).toThrow('0001_a.sql has changed since it was applied');
  });

  it('accepts a database that is ahead, and refuses one that differs', () => {
    write('0001_a.sql', '0002_b.sql');
    const applied = everything();
    applied.set('0003_of_the_next_release.sql', 'x');
    applied.set(engineRecord(999), '');
    expect(pending(applied)).toEqual([]);
    applied.set('0002_of_another_branch.sql', 'x');
    expect(() => pending(applied)).toThrow('another branch');
  });

  it('refuses a migration that slipped in before an applied one', () => {
    write('0001_a.sql', '0002_b.sql');
    const applied = everything();
    applied.delete('0001_a.sql');
    expect(() => pending(applied)).toThrow('0001_a.sql was never applied');
  });

  it('wants the engine when the recorded revision is older', () => {
    const applied = everything();
    applied.delete(engineRecord());
    applied.set(engineRecord(1), '');
    expect(pending(applied)).toEqual([engineRecord()]);
  });
});
