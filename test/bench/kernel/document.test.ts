import fs from 'node:fs';
import { expect, it } from 'vitest';
import { doctorLimits } from '../../../src/limits.ts';
import { crossingPoint, kernelSection, type Runs } from './document.ts';

/** Runs of every size: rates without queue names are 3 000, with them a share of it. */
function wideRuns(share: Record<number, number>, slow: Record<string, number> = {}): Runs {
  const runs: Runs = {};
  for (const [size, named] of Object.entries(share)) {
    for (const queue of ['account', 'none']) {
      const command = `wide --accounts ${size} --queue ${queue}`;
      const machine = slow[command] ?? 1;
      const ofFew = queue === 'account' ? 0.95 : 1;
      const rate = 3_000 * (queue === 'account' ? named : 1);
      runs[command] = {
        finalizations_per_s: rate * machine,
        with_1000_accounts_per_s: 3_000 * ofFew * machine,
        of_1000_accounts: rate / (3_000 * ofFew),
      };
    }
  }
  return runs;
}

const usual = { 1_000: 0.95, 10_000: 0.95, 20_000: 0.92, 50_000: 0.75, 100_000: 0.7 };

it('the crossing is where queue names begin to cost more than a tenth, and go on to', () => {
  expect(crossingPoint(wideRuns(usual))).toBe(50_000);
  expect(crossingPoint(wideRuns({ ...usual, 1_000: 0.8 }))).toBe(50_000);
  expect(crossingPoint(wideRuns({ ...usual, 20_000: 0.85 }))).toBe(20_000);
  expect(crossingPoint(wideRuns({ ...usual, 100_000: 0.95 }))).toBeUndefined();
});

it('a machine that was slow during one run does not move it', () => {
  const slow = { 'wide --accounts 20000 --queue account': 0.6 };
  expect(crossingPoint(wideRuns(usual, slow))).toBe(50_000);
});

it('doctor speaks up before the crossing that the page shows', () => {
  const file = new URL('../../../docs/performance-runs.json', import.meta.url);
  const recorded = crossingPoint(JSON.parse(fs.readFileSync(file, 'utf8')) as Runs);
  expect(doctorLimits.queueRows).toBeLessThan(recorded ?? Infinity);
});

it('says on which commit each run was made, where it is known', () => {
  const text = kernelSection({
    many: { scenario: 'many', finalizations_per_s: 3_000, commit: 'abc1234+' },
    'many --batch': { scenario: 'many', finalizations_per_s: 9_000 },
  });
  expect(text).toMatch(/^\| `many` \|.*\| abc1234\+ \|$/m);
  expect(text).toMatch(/^\| `many --batch` \|.*\| - \|$/m);
});

it('holds the longest latency around a planned stop against the aim', () => {
  const row = (ms: number) =>
    kernelSection({ stop: { scenario: 'stop', after_a_stop_max_ms: ms } })
      .split('\n')
      .find((line) => line.includes('around a stop |'));
  expect(row(31)).toContain('| met |');
  expect(row(250)).toContain('| **missed** |');
});
