import * as v from 'valibot';
import { flag, integer, optionalText, text, type Setting } from './setting.ts';

const address = v.pipe(
  text,
  v.regex(/^(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}$/, 'must be HOST:PORT'),
  v.transform((given) => {
    const colon = given.lastIndexOf(':');
    const host = given.slice(0, colon).replace(/^\[|\]$/g, '');
    return { host, port: Number(given.slice(colon + 1)) };
  }),
  v.check(({ port }) => port <= 65_535, 'must have a port of at most 65535'),
);

/** Metrics for Prometheus, on a listener of their own (protocol dossier §7, §8). */
export const metricsSettings = {
  GUARDIAN_METRICS_ENABLED: {
    schema: flag,
    fallback: 'false',
    meaning: 'Whether API and worker processes serve metrics for Prometheus.',
    reason: 'A listener more is a decision; nothing is counted while it is off.',
  },
  GUARDIAN_METRICS_ADDR: {
    schema: address,
    fallback: '127.0.0.1:9464',
    meaning:
      'Address of the metrics listener, `HOST:PORT`; port 0 lets the system choose. Processes that share a machine need one each.',
    reason: 'Upstream default: metrics must not be reachable from outside by accident.',
  },
  GUARDIAN_METRICS_PATH: {
    schema: v.pipe(text, v.regex(/^\/[A-Za-z0-9/_.-]*$/, 'must be a path such as /metrics')),
    fallback: '/metrics',
    meaning: 'Path of the metrics; every other path of the listener is 404.',
    reason: 'Upstream default, and what scrapers ask for.',
  },
  GUARDIAN_METRICS_REFRESH_INTERVAL_SECS: {
    schema: integer(1, 3_600),
    fallback: '30',
    meaning: 'Time between two counts of accounts, deltas and proposals, in seconds.',
    reason: 'Upstream default: the database is asked in the background, never by a scrape.',
  },
  GUARDIAN_METRICS_BEARER_TOKEN: {
    schema: optionalText,
    fallback: null,
    secret: true,
    meaning:
      'Token that a scraper has to send as `Authorization: Bearer`. Unset: none is asked for.',
    reason: 'On the loopback address none is needed; on any other, set one.',
  },
} as const satisfies Record<string, Setting<unknown>>;
