/** What no tracked file may hold. Lengths of files and functions are rules of the linter. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from './modules.ts';

const binary = /\.(png|ico|wasm|woff2?)$/;

const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: project, encoding: 'utf8' })
  .split('\0')
  .filter((file) => file !== '' && !binary.test(file))
  .filter((file) => fs.existsSync(path.join(project, file)));

/** Lines that match, as `file:line`. */
function linesWith(pattern: RegExp, files: string[] = tracked): string[] {
  return files.flatMap((file) =>
    fs
      .readFileSync(path.join(project, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}`] : [])),
  );
}

describe('tracked files', () => {
  it('name no path of somebody’s machine', () => {
    expect(tracked.length).toBeGreaterThan(20);
    expect(linesWith(/(?<![\w.~*-])\/(?:work|root|home\/[a-z]\w*|Users\/\w+)\//)).toEqual([]);
  });

  it('name no package registry of somebody’s network', () => {
    const locks = tracked.filter((file) => file.endsWith('package-lock.json'));
    expect(locks).not.toEqual([]);
    expect(linesWith(/"resolved":/, locks)).toEqual([]);
    expect(linesWith(/^\s*(?:\S*:)?registry\s*=/)).toEqual([]);
  });

  it('hold no merge conflict', () => {
    expect(linesWith(/^(?:<{7}|>{7}) /)).toEqual([]);
  });
});
