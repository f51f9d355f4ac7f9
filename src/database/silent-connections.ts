import type pg from 'pg';

/**
 * Ends the connections of a pool that owe an answer for longer than `ms`.
 *
 * A server or a proxy that vanished resets nothing. The job engine waits for its statements without
 * a bound, and a job that it could not complete stays locked for a worker that is alive. A
 * connection that is ended fails its statement, and the pool makes a new one.
 */
export function endSilentConnections(pool: pg.Pool, ms: number): void {
  pool.on('connect', (client) => {
    let deadline: NodeJS.Timeout | undefined;
    const query = client.query.bind(client) as (...given: unknown[]) => unknown;
    client.query = ((...given: unknown[]) => {
      clearTimeout(deadline);
      deadline = setTimeout(() => void client.end(), ms).unref();
      return query(...given);
    }) as typeof client.query;
    for (const answered of ['drain', 'end'] as const) {
      client.on(answered, () => clearTimeout(deadline));
    }
  });
}
