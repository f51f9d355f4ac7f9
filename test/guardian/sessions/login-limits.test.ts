import { describe, expect, it } from 'vitest';
import { limitLogins } from '../../../src/guardian/sessions/login-limits.ts';

const refusals = (limits: ReturnType<typeof limitLogins>, times: number, key = 'operator') => {
  let refused = 0;
  for (let n = 0; n < times; n++) {
    try {
      limits.spend('verify', key);
    } catch (error) {
      expect(error).toMatchObject({ code: 'rate_limit_exceeded', status: 429 });
      refused += 1;
    }
  }
  return refused;
};

describe('logins of one principal', () => {
  it('are limited for each key and each step apart', () => {
    const limits = limitLogins({ burstPerSecond: 6, perMinute: 30, replicas: 1 });
    expect(refusals(limits, 10)).toBe(4);
    expect(refusals(limits, 6, 'another')).toBe(0);
    expect(() => limits.spend('challenge', 'operator')).not.toThrow();
  });

  it('are limited in a minute too', () => {
    const limits = limitLogins({ burstPerSecond: 100, perMinute: 5, replicas: 1 });
    expect(refusals(limits, 8)).toBe(3);
  });

  it.each([6, 30, 1_000])('are never denied for good: %i replicas serve one each', (replicas) => {
    const limits = limitLogins({ burstPerSecond: 6, perMinute: 30, replicas });
    expect(refusals(limits, 1)).toBe(0);
  });
});
