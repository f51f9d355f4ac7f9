/** docs/compatibility.md names the tests that back it; they have to be there. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { project } from './modules.ts';

const read = (file: string) => fs.readFileSync(path.join(project, file), 'utf8');
const page = read('docs/compatibility.md');
const files = fs
  .readdirSync(path.join(project, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll(path.sep, '/'))
  .filter((file) => file.endsWith('.ts'));

describe('docs/compatibility.md', () => {
  it('names test files that exist', () => {
    const named = [...page.matchAll(/`((?:test\/)?[\w./*-]+\.ts)`/g)].map(([, name = '']) =>
      name.replace(/^test\//, ''),
    );
    expect(named.length).toBeGreaterThan(40);
    const missing = named.filter((name) => {
      const pattern = new RegExp(`(^|/)${name.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
      return !files.some((file) => pattern.test(file));
    });
    expect(missing).toEqual([]);
  });

  it('quotes titles of tests that exist', () => {
    const [, section = ''] = page.split('## Across replicas');
    const titles = [...section.split('\n## ')[0]!.matchAll(/"([^"\n]+)"/g)].map(
      ([, name]) => name!,
    );
    expect(titles.length).toBeGreaterThan(15);
    const tests = files
      .filter((file) => file.endsWith('.test.ts') && !file.startsWith('tidy/'))
      .map((file) => read(`test/${file}`))
      .join('\n');
    expect(titles.filter((title) => !tests.includes(`'${title}'`))).toEqual([]);
  });
});
