import { flag, integer, type Setting } from './setting.ts';

/** What one client may ask for (protocol §1.8), and how many replicas share that. */
export const rateLimitSettings = {
  GUARDIAN_MAX_REPLICAS: {
    schema: integer(1, 10_000),
    fallback: '1',
    meaning: 'The most API processes that run at a time: each takes this part of every rate limit.',
    reason: 'Replicas share limits without asking each other; fewer than this are only stricter.',
  },
  GUARDIAN_RATE_LIMIT_ENABLED: {
    schema: flag,
    fallback: 'true',
    meaning: 'Whether requests are limited for each client address.',
    reason: 'A verification costs processor time that somebody else is waiting for.',
  },
  GUARDIAN_RATE_BURST_PER_SEC: {
    schema: integer(1, 1_000_000),
    fallback: '200',
    meaning: 'Requests a second of one client to one endpoint, over all replicas.',
    reason: "Upstream's production profile; its other default of 10 refuses an honest browser tab.",
  },
  GUARDIAN_RATE_PER_MIN: {
    schema: integer(1, 1_000_000),
    fallback: '5000',
    meaning: 'Requests a minute of one client, over all endpoints and replicas.',
    reason: "Upstream's production profile.",
  },
  GUARDIAN_DASHBOARD_COMMITMENT_RATE_BURST_PER_SEC: {
    schema: integer(1, 1_000_000),
    fallback: '6',
    meaning:
      'Login requests a second for one operator or EVM wallet, challenges and verifications each.',
    reason: 'Upstream default; a replica never has less than one.',
  },
  GUARDIAN_DASHBOARD_COMMITMENT_RATE_PER_MIN: {
    schema: integer(1, 1_000_000),
    fallback: '30',
    meaning: 'The same in a minute.',
    reason: 'Upstream default.',
  },
} as const satisfies Record<string, Setting<unknown>>;
