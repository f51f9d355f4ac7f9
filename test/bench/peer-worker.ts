/** A worker process of a job engine that knows no candidates: one job a payment, in its order. */
import process from 'node:process';
import { Logger, run } from 'graphile-worker';
import { PgBoss } from 'pg-boss';
import postgres from 'postgres';
import { openChain } from './kernel/chain-client.ts';
import type { PeerOrder } from './kernel/peers.ts';

interface Payment {
  account: string;
  candidate: string;
  seq: string;
}

const order = JSON.parse(process.argv[2] ?? '{}') as PeerOrder;
const { databaseUrl, concurrency } = order;
const sql = postgres(databaseUrl, { max: concurrency });
const chain = openChain(order.chainPort, concurrency);
await sql`select 1`;

/** One look-up, one write, as the kernel's domain does. */
async function finalize({ account, candidate, seq }: Payment): Promise<void> {
  const [receipt = ''] = await chain.lookUp(account, BigInt(seq));
  await sql`select bench.peer_finalize(${account}, ${candidate}, ${receipt})`;
}

async function startGraphileWorker(): Promise<void> {
  await run({
    preset: {
      worker: {
        connectionString: databaseUrl,
        concurrentJobs: concurrency,
        maxPoolSize: concurrency + 2,
        logger: new Logger(() => () => {}),
      },
    },
    taskList: { payment: (payload) => finalize(payload as Payment) },
    noHandleSignals: true,
  });
}

/** Strict FIFO by key, with the fastest polling it offers. */
async function startPgBoss(): Promise<void> {
  const boss = new PgBoss({ connectionString: databaseUrl, max: concurrency + 2 });
  boss.on('error', () => {});
  await boss.start();
  const options = {
    batchSize: concurrency,
    localConcurrency: 2,
    pollingIntervalSeconds: 0.5,
    burstWhenBatchFull: true,
    burstWhenReadyExceeds: 1,
  };
  await boss.work<Payment>('payment', options, async (jobs) => {
    await Promise.all(jobs.map(({ data }) => finalize(data)));
  });
}

process.on(
  'message',
  () => void (order.peer === 'pg-boss' ? startPgBoss() : startGraphileWorker()),
);
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
