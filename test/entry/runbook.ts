/** The commands of docs/runbook.md, as they stand there. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { project } from '../tidy/modules.ts';

export const runbook = fs.readFileSync(path.join(project, 'docs/runbook.md'), 'utf8');

export interface Block {
  language: string;
  text: string;
}

/** The fenced blocks of a section with this heading, subsections included, in order. */
export function blocksOf(heading: string): Block[] {
  const [, section] = runbook.split(`\n## ${heading}\n`);
  if (section === undefined) throw new Error(`the runbook has no section "${heading}"`);
  const [text = ''] = section.split('\n## ');
  return [...text.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language = '', block = '']) => ({
    language,
    text: block.trim(),
  }));
}

export const headings = [...runbook.matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading);

/** Words of a shell line; quotes hold words together. */
export const words = (line: string) =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

/** `npm run NAME -- ARGS` as the file that package.json names for it, and its arguments. */
export function npmRun(line: string): { file: string; args: string[] } {
  const [npm, run, name = '', dashes, ...args] = words(line);
  const { scripts } = JSON.parse(fs.readFileSync(path.join(project, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const file = scripts[name]?.split(' ').at(-1);
  if (npm !== 'npm' || run !== 'run' || !file || ![undefined, '--'].includes(dashes)) {
    throw new Error(`not one of the project's commands: ${line}`);
  }
  return { file, args };
}

/** `export NAME=VALUE` with the value as a shell makes it, or null when the line is another one. */
export function exported(line: string): [name: string, value: string] | null {
  const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
  if (name === undefined || value === undefined) return null;
  return [name, execFileSync('bash', ['-c', `printf %s "${value}"`], { encoding: 'utf8' })];
}
