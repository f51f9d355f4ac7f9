import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../src/database/connect.ts';
import { lockDirectory } from '../../../src/database/embedded/directory-lock.ts';
import { runNode, type RunningProcess } from '../../support/process.ts';

let folder: string;
let directory: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-embedded-'));
  directory = path.join(folder, 'database');
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const insertRows = () => runNode('test/database/embedded/insert-rows.ts', { args: [directory] });

async function kill(process: RunningProcess): Promise<void> {
  process.child.kill('SIGKILL');
  await process.exit;
}

describe('the directory of an embedded database', () => {
  it('takes one process, loses no acknowledged row to SIGKILL, and is free after it', async () => {
    const first = insertRows();
    await first.says(/^200$/m);
    const second = insertRows();
    expect(await second.exit).toBe(1);
    expect(second.output()).toContain(`is in use by process ${first.pid}`);
    await kill(first);

    const acknowledged = Number(/(\d+)\n[^\n]*$/.exec(first.output())?.[1]);
    expect(acknowledged).toBeGreaterThanOrEqual(200);
    const database = await openDatabase({ embeddedDirectory: directory });
    const [kept] = await database.sql`select count(*)::int as n, max(n) as last from kept`;
    expect(kept?.n).toBeGreaterThanOrEqual(acknowledged);
    expect(kept?.n).toBe(kept?.last); // and no gap
    await database.close();
  });

  it('is refused twice in one process too, and free after release', async () => {
    const lock = await lockDirectory(directory);
    await expect(lockDirectory(directory)).rejects.toThrow(`is in use by process ${process.pid}`);
    await lock.release();
    await (await lockDirectory(directory)).release();
  });

  it('goes to one of several starters that find the lock of a dead process', async () => {
    const dead = insertRows();
    await dead.says(/^1$/m);
    await kill(dead);
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, () => lockDirectory(directory)),
    );
    const locks = results.filter((result) => result.status === 'fulfilled');
    expect(locks).toHaveLength(1);
    await locks[0]?.value.release();
  });

  it('may have a path longer than a socket name', async () => {
    const deep = path.join(directory, 'd'.repeat(120));
    const lock = await lockDirectory(deep);
    await expect(lockDirectory(deep)).rejects.toThrow('is in use');
    await lock.release();
  });
});
