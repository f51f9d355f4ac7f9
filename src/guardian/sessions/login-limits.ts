import { Budget } from '../../http/rate-limit/budget.ts';
import { tooMany } from '../../http/rate-limit/request-limit.ts';

/** Limits of the fleet for the logins of one principal, and how many replicas share them. */
export interface LoginRates {
  burstPerSecond: number;
  perMinute: number;
  replicas: number;
  /** Told of each refusal. */
  onRejected?: () => void;
}

export interface LoginLimits {
  /** @throws ServiceError `rate_limit_exceeded` */
  spend(endpoint: 'challenge' | 'verify', principal: string): void;
}

/**
 * Limits how often one operator's key or one wallet is tried, from wherever that comes (protocol
 * §1.8): challenges of one principal take turns in the database, each with its connection. Whether
 * the key is an operator's makes no difference. However many replicas there are, each of them serves
 * one try at a time: nobody is kept out for good.
 */
export function limitLogins({
  burstPerSecond,
  perMinute,
  replicas,
  onRejected,
}: LoginRates): LoginLimits {
  const burst = new Budget({ count: burstPerSecond, periodMs: 1_000 }, replicas);
  const sustained = new Budget({ count: perMinute, periodMs: 60_000 }, replicas);
  return {
    spend(endpoint, principal) {
      const key = `${endpoint} ${principal}`;
      const waitMs = burst.spend(key) || sustained.spend(key);
      if (waitMs === 0) return;
      onRejected?.();
      throw tooMany(waitMs);
    },
  };
}

/** For deployments that have switched rate limits off. */
export const unlimitedLogins: LoginLimits = { spend: () => {} };
