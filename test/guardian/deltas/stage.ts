/** An account of its own for each test, with a chain the test decides about. */
import type { TransactionSql } from 'postgres';
import { afterAll, beforeAll } from 'vitest';
import type { Database, Sql } from '../../../src/database/connect.ts';
import {
  canonicalize,
  type CanonicalizationContext,
} from '../../../src/guardian/deltas/canonicalize.ts';
import { lineWrites } from '../../../src/guardian/deltas/line-writes.ts';
import { reconcile } from '../../../src/guardian/deltas/reconcile.ts';
import { unwatched } from '../../../src/kernel/events.ts';
import { HeldLines } from '../../../src/kernel/held-lines.ts';
import { createLog } from '../../../src/observability/log.ts';
import { unobserved } from '../../../src/observability/metrics.ts';

/** A commitment; accounts begin at 1. */
export const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
export const signer = word(0xabc);

/** The stage of a suite, which has a database of its own. */
export function stageOn(open: () => Promise<Database>): Stage {
  const stage = new Stage();
  beforeAll(async () => {
    stage.on(await open());
  });
  afterAll(() => stage.database.close());
  return stage;
}

/** The database, or a transaction of it. */
export type Statements = Sql | TransactionSql<{ bigint: bigint }>;

export class Stage {
  accountId = '';
  /** The chain's answer, or what it fails with. */
  shows: string | null | Error = null;
  looks = 0;
  database!: Database;
  context!: CanonicalizationContext;
  #accounts = 0;
  #clock = BigInt(Date.now());

  /** On this database from now on. */
  on(database: Database): this {
    this.database = database;
    this.context = {
      sql: database.sql,
      writes: lineWrites(database.sql),
      metrics: unobserved,
      events: unwatched,
      held: new HeldLines(),
      network: {
        commitmentOnChain: async () => {
          this.looks += 1;
          if (this.shows instanceof Error) throw this.shows;
          return this.shows;
        },
      },
      wakeQueue: 'account',
      retainedTtlSeconds: 86_400,
      reconcileIntervalSeconds: 60,
      log: createLog('silent'),
    };
    return this;
  }

  /** A timestamp no request of this stage has used. */
  tick(): bigint {
    return (this.#clock += 1n);
  }

  /** A new account at commitment 1, not on chain. */
  async openAccount(): Promise<void> {
    this.accountId = `0x${(this.#accounts += 1).toString(16).padStart(30, '0')}`;
    this.shows = null;
    this.looks = 0;
    await this.database.sql`select guardian.configure_account(
      ${this.accountId}, 0, ${signer}, ${this.tick()}, 'ecdsa', ${[signer]}, ${word(1)},
      ${Uint8Array.of(1)})`;
  }

  /** @param most candidates the account may have. */
  async submit(
    nonce: number,
    from: number,
    to: number,
    most = 1,
    bound = true,
    sql: Statements = this.database.sql,
  ): Promise<string> {
    const id = this.accountId;
    const [row] = await sql<{ outcome: string }[]>`
      select outcome from guardian.submit_delta(
        ${id}, (select auth_version from guardian.account where account_id = ${id}),
        ${signer}, ${this.tick()}, 'valid', ${nonce}, ${word(from)}, ${word(to)}, ${word(nonce)},
        ${`{"data":"${nonce}-${from}-${to}"}`}::text::json, 'ecdsa', 'key', 'signature',
        ${Uint8Array.of(to)}, ${[signer]}, ${bound}, ${`account:${id}`}, ${most})`;
    return row!.outcome;
  }

  /** The client asks to abandon a delta: what it is told. */
  async abandon(nonce: number): Promise<string | null> {
    const [row] = await this.database.sql<{ state: string | null }[]>`
      select state from guardian.request_abandon(
        ${this.accountId}, 1, ${signer}, ${this.tick()}, ${nonce}, null)`;
    return row!.state;
  }

  /** As if the account's requests to abandon lay that much further back. */
  async ageAbandon(seconds: number): Promise<void> {
    await this.database.sql`update guardian.delta
      set abandon_requested_at = abandon_requested_at - make_interval(secs => ${seconds})
      where account_id = ${this.accountId}`;
  }

  /** A wake-up. */
  async wakeUp(context = this.context, signal = new AbortController().signal): Promise<void> {
    await canonicalize(context, this.accountId, 'worker', signal);
  }

  /** Makes a waiting head due, as the passing of its time would, and runs a wake-up. */
  async look(context = this.context): Promise<void> {
    await this.database.sql`update canonry.candidate
      set next_attempt_at = now() - interval '1 second' where resolved_at is null`;
    await this.wakeUp(context);
  }

  /** Runs the account's reconcile pass in place of its job. */
  async reconcile(context = this.context, signal = new AbortController().signal): Promise<void> {
    await this.database.sql`select graphile_worker.remove_job(${`reconcile:${this.accountId}`})`;
    await reconcile(context, this.accountId, signal);
  }

  async delta(nonce: number) {
    const [row] = await this.database.sql<
      { status: string; status_reason: string | null; why: string }[]
    >`
      select d.status, d.status_reason, c.why from guardian.delta d
      join canonry.candidate c using (candidate_id)
      where d.account_id = ${this.accountId} and d.nonce = ${nonce}`;
    return row;
  }

  /** The candidate of a delta. */
  async candidateOf(nonce: number): Promise<bigint> {
    const [row] = await this.database.sql<{ candidate_id: bigint }[]>`
      select candidate_id from guardian.delta
      where account_id = ${this.accountId} and nonce = ${nonce}`;
    return row!.candidate_id;
  }

  async account() {
    const [row] = await this.database.sql<{ commitment: string; released_at: Date | null }[]>`
      select commitment, released_at from guardian.account where account_id = ${this.accountId}`;
    return row!;
  }

  /** Seconds until the next reconcile pass of the account; undefined when none is to come. */
  async reconcilesIn(): Promise<number | undefined> {
    const [job] = await this.database.sql<{ seconds: number }[]>`
      select extract(epoch from run_at - now())::float8 as seconds
      from graphile_worker.jobs where key = ${`reconcile:${this.accountId}`}`;
    return job?.seconds;
  }
}
