/** The same SQL driven plainly: connections that loop, no job engine, no chain. */
import pg from 'pg';
import { kernelLimits } from '../../../src/limits.ts';
import type { Load } from './load.ts';

interface Head {
  outcome?: string;
  line_id: string;
  fence: string;
  candidate_id: string | null;
}

/** Finalizes all that the accounts have waiting. @returns finalizations per second. */
export async function drivePlainly(
  url: string,
  { accounts, from = 1 }: Load,
  connections: number,
  batch: boolean,
): Promise<number> {
  const pending = Array.from({ length: accounts }, (_, n) => `a${from + n}`);
  const clients = await Promise.all(
    Array.from({ length: connections }, async () => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client;
    }),
  );
  let done = 0;
  const started = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      for (let account = pending.shift(); account; account = pending.shift()) {
        const finalized = await finalizeLine(client, account, batch);
        done += finalized;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  await Promise.all(clients.map((client) => client.end()));
  return Number((done / seconds).toPrecision(4));
}

async function finalizeLine(client: pg.Client, account: string, batch: boolean): Promise<number> {
  const claim = await client.query<Head>({
    name: 'claim',
    text: 'select * from bench.claim($1, $2, $3)',
    values: [account, 'plain', kernelLimits.claimSeconds],
  });
  let head = claim.rows[0];
  let done = 0;
  while (head?.candidate_id) {
    const { line_id, fence, candidate_id } = head;
    const answer = await client.query<Head & { decided: number }>(
      batch
        ? {
            name: 'finalize_batch',
            text: `select r.decided, (r.next).*
              from bench.finalize_batch($1, $2, $3, $4, 20) r`,
            values: [account, line_id, fence, candidate_id],
          }
        : {
            name: 'finalize',
            text: `select 1 as decided, (r.next).* from bench.finalize($1, $2, $3, $4, $5) r`,
            values: [account, line_id, fence, candidate_id, 'plain'],
          },
    );
    head = answer.rows[0];
    done += answer.rows[0]?.decided ?? 0;
  }
  return done;
}
