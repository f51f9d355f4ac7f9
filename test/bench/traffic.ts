/**
 * The client of the stall measurement, as a process of its own: makes accounts and signed
 * requests when told to prepare, and sends them all at once when told to send.
 */
import process from 'node:process';
import { openHolder, type Prepared } from '../http/signed.ts';

export type TrafficOrder = { kind: 'prepare'; url: string; requests: number } | { kind: 'send' };

export interface RoundResult {
  error?: string;
  /** Milliseconds of each request. */
  latencies?: number[];
  /** Milliseconds from the first request to the last answer. */
  elapsed?: number;
}

let url = '';
let round: Prepared[] = [];

/** Half of the requests read a state, half submit a delta; half of each are signed with Falcon. */
async function prepare(count: number): Promise<RoundResult> {
  round = [];
  for (let i = 0; i < count; i++) {
    const scheme = i % 2 === 0 ? 'falcon' : 'ecdsa';
    const holder = await openHolder((path, init) => fetch(url + path, init), scheme);
    const submits = i % 4 < 2;
    round.push(submits ? holder.post('/delta', holder.deltaBody(1)) : holder.get('/state'));
  }
  return {};
}

async function send(): Promise<RoundResult> {
  const started = performance.now();
  const latencies = await Promise.all(
    round.map(async ({ path, init }) => {
      const response = await fetch(url + path, init);
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
      return performance.now() - started;
    }),
  );
  return { latencies, elapsed: performance.now() - started };
}

process.on('message', (order: TrafficOrder) => {
  if (order.kind === 'prepare') url = order.url;
  (order.kind === 'prepare' ? prepare(order.requests) : send())
    .catch((error: unknown): RoundResult => ({ error: String(error) }))
    .then((result) => process.send?.(result));
});
