/** A command line that would run nothing is refused: no runs are not a success. */
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCampaign } from './campaign.ts';
import { readCommandLine } from './command-line.ts';

const read = (...args: string[]) => readCommandLine(args).campaign;

describe('the command line of the lab', () => {
  it('names scenarios, seeds and queue modes', () => {
    const args = ['--scenario', 'zombie,pipelined', '--seeds', '3..5', '--queue', 'none'];
    expect(read(...args, '--parallel', '2')).toEqual({
      scenarios: ['zombie', 'pipelined'],
      seeds: [3, 4, 5],
      queues: ['none'],
      parallel: 2,
    });
    expect(read('--seeds', '7')?.seeds).toEqual([7]);
    expect(read('--mutations')).toBeNull();
  });

  it.each([
    ['--seeds', '9..1'],
    ['--seeds', '1..'],
    ['--seeds', 'x'],
    ['--seeds', '1.5'],
    ['--parallel', '0'],
    ['--parallel', 'x'],
    ['--parallel', '1.5'],
    ['--parallel=-1'],
    ['--queue', 'both,none'],
    ['--scenario', ''],
    ['--scenario', 'no-such'],
    ['--seed', '1'],
  ])('refuses %s', (...args: string[]) => {
    expect(() => read(...args)).toThrow();
  });

  it('ends with one line and code 2', () => {
    const file = fileURLToPath(new URL('./run.ts', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [file, '--seeds', '9..1'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, '--seeds is A or A..B, B not below A\n']);
  });
});

it.each([
  { seeds: [], parallel: 1 },
  { seeds: [1], parallel: 0 },
])('a campaign of no runs fails: %o', async (nothing) => {
  const campaign = { scenarios: ['zombie'], queues: ['account'] as const, ...nothing };
  await expect(runCampaign(campaign, () => {})).rejects.toThrow('no runs');
});
