/** Submissions of several accounts in one transaction: none holds up, or takes along, another. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../../src/database/connect.ts';
import {
  submissionWrites,
  type Candidate,
  type SubmissionWrites,
} from '../../../src/guardian/deltas/submission-writes.ts';
import { kernelLimits } from '../../../src/limits.ts';
import { createDatabase, everyDatabase, type TestDatabase } from '../../support/databases.ts';
import { Stage, signer, word } from './stage.ts';

/** Accounts at commitment 1, and how they submit. */
class Clients {
  readonly groups: number[] = [];
  readonly submit: SubmissionWrites;
  readonly #stage: Stage;

  constructor(database: Database, maxCandidates = 1) {
    this.#stage = new Stage().on(database);
    this.submit = submissionWrites(database.sql, {
      maxCandidates,
      connections: 10,
      onCommitted: (size) => this.groups.push(size),
    });
  }

  async open(count: number): Promise<string[]> {
    const names: string[] = [];
    for (let n = 0; n < count; n++) {
      await this.#stage.openAccount();
      names.push(this.#stage.accountId);
    }
    return names;
  }

  candidate(accountId: string, change: Partial<Candidate> = {}): Candidate {
    return {
      account_id: accountId,
      auth_version: 1n,
      signer,
      timestamp: this.#stage.tick(),
      verdict: 'valid',
      nonce: 1n,
      prev_commitment: word(1),
      new_commitment: word(2),
      summary_commitment: word(3),
      payload: '{"data":"a \\"quoted\\" text"}',
      ack_scheme: 'ecdsa',
      ack_pubkey: 'key',
      ack_signature: 'signature',
      state: Uint8Array.of(0, 255, 2),
      signers: [signer],
      bound_here: true,
      queue_name: `account:${accountId}`,
      ...change,
    };
  }
}

interface Stored {
  status: string;
  state: Uint8Array;
  payload: string;
  wakes: bigint;
  queue: string | null;
}

const stored = async (database: Database, accountId: string): Promise<Stored[]> => [
  ...(await database.sql<Stored[]>`
    select d.status, d.result_state as state, d.payload::text as payload, j.queue_name as queue,
      (select count(*) from graphile_worker.jobs w where w.key = 'canonicalize:' || d.account_id)
        as wakes
    from guardian.delta d
    left join graphile_worker.jobs j on j.key = 'canonicalize:' || d.account_id
    where d.account_id = ${accountId} order by d.nonce`),
];

describe.each(everyDatabase)('submissions on $name', ({ open }) => {
  let database: Database;
  let clients: Clients;
  beforeAll(async () => {
    database = await open();
    clients = new Clients(database);
  });
  afterAll(() => database.close());

  it('that are asked for together share a transaction, each with its wake-up', async () => {
    const accounts = await clients.open(5);
    const candidates = accounts.map((accountId, n) =>
      clients.candidate(accountId, n === 2 ? { queue_name: null } : {}),
    );
    clients.groups.length = 0;
    const rows = await Promise.all(candidates.map(clients.submit));
    expect(clients.groups).toEqual([5]);
    for (const [n, accountId] of accounts.entries()) {
      expect(rows[n]).toMatchObject({
        outcome: 'submitted',
        account_id: accountId,
        nonce: 1n,
        status: 'candidate',
        payload: candidates[n]!.payload,
        from_proposal: false,
      });
      expect(await stored(database, accountId)).toEqual([
        {
          status: 'candidate',
          state: expect.objectContaining({ 0: 0, 1: 255, 2: 2, length: 3 }),
          payload: candidates[n]!.payload,
          wakes: 1n,
          queue: n === 2 ? null : `account:${accountId}`,
        },
      ]);
    }
  });

  it('answer as they do alone: refused, stored before, unknown', async () => {
    const accounts = (await clients.open(4)) as [string, string, string, string];
    const [same, full, replayed, fresh] = accounts;
    const first = clients.candidate(same);
    await clients.submit(first);
    await clients.submit(clients.candidate(full));
    const rows = await Promise.all(
      [
        clients.candidate(same, { payload: first.payload }),
        clients.candidate(full, { nonce: 2n, payload: '{"data":"other"}' }),
        clients.candidate(replayed, { timestamp: 1n }),
        clients.candidate(`0x${'f'.repeat(30)}`),
        clients.candidate(fresh),
      ].map(clients.submit),
    );
    expect(rows.map(({ outcome }) => outcome)).toEqual([
      'stored',
      'conflict_pending_delta',
      'not_fresh',
      'account_not_found',
      'submitted',
    ]);
    expect(rows[1]!.refusal).toMatchObject({ retry_after_secs: expect.any(Number) });
    expect(await stored(database, replayed)).toEqual([]);
  });

  it('of one account follow one another, under one wake-up', async () => {
    const pipelined = new Clients(database, 2);
    const [accountId] = (await clients.open(1)) as [string];
    const rows = await Promise.all(
      [1, 2].map((n) =>
        pipelined.submit(
          clients.candidate(accountId, {
            nonce: BigInt(n),
            prev_commitment: word(n),
            new_commitment: word(n + 1),
          }),
        ),
      ),
    );
    expect(rows.map(({ outcome }) => outcome)).toEqual(['submitted', 'submitted']);
    expect((await stored(database, accountId)).map(({ wakes }) => wakes)).toEqual([1n, 1n]);
  });

  it('one that the database cannot read does not take the others along', async () => {
    const [bad, good] = (await clients.open(2)) as [string, string];
    const [refused, row] = await Promise.allSettled([
      clients.submit(clients.candidate(bad, { payload: '{' })),
      clients.submit(clients.candidate(good)),
    ]);
    expect(refused.status).toBe('rejected');
    expect(row).toMatchObject({ status: 'fulfilled', value: { outcome: 'submitted' } });
    expect(await stored(database, bad)).toEqual([]);
  });

  it('a large one goes by itself', async () => {
    const [large, small] = (await clients.open(2)) as [string, string];
    clients.groups.length = 0;
    const state = new Uint8Array(kernelLimits.groupedSubmissionSize);
    const rows = await Promise.all([
      clients.submit(clients.candidate(large, { state })),
      clients.submit(clients.candidate(small)),
    ]);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['submitted', 'submitted']);
    expect(clients.groups).toEqual([1]);
    expect((await stored(database, large))[0]!.state).toHaveLength(state.length);
  });

  it('a repeated one is compared with a large stored delta by itself', async () => {
    const [large, small] = (await clients.open(2)) as [string, string];
    const payload = JSON.stringify({ data: 'x', text: 'y'.repeat(100_000) });
    await clients.submit(clients.candidate(large, { payload }));
    clients.groups.length = 0;
    const rows = await Promise.all([
      clients.submit(clients.candidate(large, { payload: '{"data":"x"}' })),
      clients.submit(clients.candidate(small)),
    ]);
    expect(rows.map(({ outcome }) => outcome)).toEqual(['stored', 'submitted']);
    expect(rows[0]!.payload).toBe(payload);
    expect(clients.groups).toEqual([2]);
  });
});

describe('what somebody else has locked', () => {
  let created: TestDatabase;
  let database: Database;
  let other: Database;
  let clients: Clients;
  beforeAll(async () => {
    created = await createDatabase();
    database = await openDatabase({ databaseUrl: created.url });
    other = await openDatabase({ databaseUrl: created.url });
    clients = new Clients(database);
  });
  afterAll(async () => {
    await other?.close();
    await database?.close();
    await created?.drop();
  });

  it.each([
    [
      'an account',
      (sql: Database['sql'], accountId: string) => sql`
      select from guardian.account where account_id = ${accountId} for no key update`,
    ],
    [
      'a wake-up',
      (sql: Database['sql'], accountId: string) => sql`
      select from graphile_worker._private_jobs
      where key = ${`canonicalize:${accountId}`} for update`,
    ],
  ])('%s holds up its own submission alone', async (_what, lock) => {
    const pipelined = new Clients(database, 2);
    const [locked, free] = (await clients.open(2)) as [string, string];
    // so that there is a wake-up to lock
    await pipelined.submit(clients.candidate(locked));
    const release = Promise.withResolvers<void>();
    const isLocked = Promise.withResolvers<void>();
    const holding = other.sql.begin(async (sql) => {
      await lock(sql as unknown as Database['sql'], locked);
      isLocked.resolve();
      await release.promise;
    });
    await isLocked.promise;
    let waits = true;
    const waiting = pipelined
      .submit(
        clients.candidate(locked, {
          nonce: 2n,
          prev_commitment: word(2),
          new_commitment: word(3),
        }),
      )
      .finally(() => (waits = false));
    const row = await pipelined.submit(clients.candidate(free));
    expect(row.outcome).toBe('submitted');
    expect(pipelined.groups.at(-1)).toBe(2);
    // by itself it waits in the database
    for (let blocked = 0; blocked === 0; await sleep(5)) {
      const [activity] = await other.sql<{ blocked: number }[]>`
        select count(*)::int as blocked from pg_stat_activity
        where wait_event_type = 'Lock' and datname = current_database()`;
      blocked = activity!.blocked;
    }
    expect(waits).toBe(true);
    release.resolve();
    await holding;
    expect((await waiting).outcome).toBe('submitted');
  });
});
