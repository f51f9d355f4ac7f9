import { describe, expect, it } from 'vitest';
import { Budget } from '../../../src/http/rate-limit/budget.ts';
import { rateLimits } from '../../../src/limits.ts';

/** A clock that a test moves. */
function clock() {
  let now = 0;
  return { now: () => now, pass: (ms: number) => void (now += ms) };
}

/** What a fleet accepts of a client that asks three times too often, in turn of each replica. */
function accepted(count: number, periodMs: number, replicas: number, periods: number): number {
  const { now, pass } = clock();
  const fleet = Array.from(
    { length: replicas },
    () => new Budget({ count, periodMs }, replicas, now),
  );
  const requests = count * 3 * periods;
  let taken = 0;
  for (let n = 0; n < requests; n++) {
    if (fleet[n % replicas]!.spend('client') === 0) taken += 1;
    pass((periodMs * periods) / requests);
  }
  return taken;
}

describe('SC-005: the fleet accepts its limit, however it divides', () => {
  for (const replicas of [1, 2, 3, 6]) {
    for (const [count, periodMs] of [
      [10, 1_000],
      [60, 60_000],
      [200, 1_000],
    ] as const) {
      it(`${count} in ${periodMs} ms over ${replicas} replicas`, () => {
        const periods = 20;
        const taken = accepted(count, periodMs, replicas, periods);
        // the first period finds every budget full: one limit more, once
        expect(taken).toBeLessThanOrEqual(count * (periods + 1));
        expect(taken).toBeGreaterThan(count * periods * 0.97);
      });
    }
  }
});

describe('a budget', () => {
  it('says when there is something to spend again', () => {
    const { now, pass } = clock();
    const budget = new Budget({ count: 2, periodMs: 1_000 }, 1, now);
    expect([budget.spend('a'), budget.spend('a')]).toEqual([0, 0]);
    const wait = budget.spend('a');
    expect(wait).toBe(500);
    pass(wait - 1);
    expect(budget.spend('a')).toBeGreaterThan(0);
    pass(1);
    expect(budget.spend('a')).toBe(0);
  });

  it('is never less than one request, and then rarer', () => {
    const { now, pass } = clock();
    const budget = new Budget({ count: 6, periodMs: 1_000 }, 12, now);
    expect(budget.spend('a')).toBe(0);
    expect(budget.spend('a')).toBe(2_000);
    pass(2_000);
    expect(budget.spend('a')).toBe(0);
  });

  it('is kept for each key', () => {
    const budget = new Budget({ count: 1, periodMs: 1_000 }, 1, () => 0);
    expect([budget.spend('a'), budget.spend('b')]).toEqual([0, 0]);
    expect(budget.spend('a')).toBeGreaterThan(0);
  });

  it('forgets keys that are at rest', () => {
    const { now, pass } = clock();
    const budget = new Budget({ count: 1, periodMs: 1_000 }, 1, now);
    for (let n = 0; n < 100; n++) budget.spend(`early ${n}`);
    pass(1_001);
    for (let n = 0; n < 100; n++) budget.spend(`late ${n}`);
    expect(budget.size).toBeLessThanOrEqual(101);
  });

  it('remembers a bounded number of keys, whatever addresses an attacker has', () => {
    const budget = new Budget({ count: 1, periodMs: 60_000 }, 1, () => 0);
    for (let n = 0; n < rateLimits.keys + 500; n++) budget.spend(String(n));
    expect(budget.size).toBeLessThanOrEqual(rateLimits.keys);
  });
});
