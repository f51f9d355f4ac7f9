/** Three API replicas and three workers as real processes, and what their loss costs a client. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDatabase, type Database } from '../../src/database/connect.ts';
import { startFleet, type Fleet } from '../cluster/fleet.ts';
import { createLabAccount, type LabAccount } from '../faults/account.ts';
import { seeded } from '../faults/random.ts';
import {
  createOperatorKey,
  logIn,
  writeAllowlist,
  type AllowlistFile,
} from '../operators/operator.ts';
import { insertAccounts, walk, type Body } from '../operators/stage.ts';
import { createDatabase, type TestDatabase } from '../support/databases.ts';

const random = seeded(20_261_121);
const operator = createOperatorKey('ecdsa');

let created: TestDatabase;
let database: Database;
let allowlist: AllowlistFile;
let fleet: Fleet;
let guardian: string;
beforeAll(async () => {
  created = await createDatabase();
  database = await openDatabase({ databaseUrl: created.url });
  allowlist = writeAllowlist([operator.publicKey]);
  fleet = await startFleet({
    api: 2,
    deno: 1,
    workers: 3,
    databaseUrl: created.url,
    env: { ...allowlist.environment, GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT: '5' },
  });
  const answer = await fetch(`${fleet.url}/pubkey?scheme=ecdsa`);
  guardian = ((await answer.json()) as { commitment: string }).commitment;
});
afterAll(async () => {
  await fleet?.stop();
  await database?.close();
  await created?.drop();
  allowlist?.remove();
});

const openAccount = async (name: string): Promise<LabAccount> => {
  const account = createLabAccount(random.fork(name), guardian, 1);
  expect((await account.configure(fleet.url)).status).toBe(200);
  return account;
};

/** Some at a time, as clients of a service come. */
async function inLanes<T>(items: readonly T[], lanes: number, run: (item: T) => Promise<void>) {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await run(item);
    }),
  );
}

const until = async (wanted: () => Promise<boolean>) => {
  while (!(await wanted())) await sleep(50);
};

describe('500 candidates, three workers', () => {
  const accounts = 100;
  const each = 5;
  const bases: LabAccount[] = [];

  /** Every change of a delta to canonical, with its transaction. */
  beforeAll(async () => {
    await database.sql.unsafe(`
      create table public.promotion (
        pos bigint generated always as identity, account_id text, nonce bigint,
        txid text not null default pg_current_xact_id()::text
      );
      create function public.note_promotion() returns trigger language plpgsql as $$
      begin
        insert into public.promotion (account_id, nonce) values (new.account_id, new.nonce);
        return null;
      end $$;
      create trigger note_promotion after update on guardian.delta for each row
        when (new.status = 'canonical') execute function public.note_promotion();`);
    for (let n = 0; n < accounts; n++) bases.push(await openAccount(`SC-002 ${n}`));
  });

  it(
    'SC-002, SC-003: each becomes canonical once and in order, though a worker is killed on the way',
    { timeout: 60_000 },
    async () => {
      let killed: Promise<unknown> | undefined;
      let submitted = 0;
      await inLanes(bases, 8, async (account) => {
        for (let n = 0; n < each; n++) {
          const delta = account.plan();
          expect((await account.submit(fleet.url, delta, 0)).status).toBe(200);
          await fleet.chain.land(account.accountId, delta.next);
          submitted += 1;
        }
        if (submitted > (accounts * each) / 2) {
          killed ??= fleet.end(fleet.workers()[0]!.name, 'kill');
        }
      });
      const overAt = performance.now();
      const count = async () => {
        const [row] = await database.sql<{ canonical: number }[]>`
          select count(*)::int as canonical from guardian.delta where status = 'canonical'`;
        return row?.canonical ?? 0;
      };
      await until(async () => (await count()) === accounts * each);
      expect(await killed).toBe('SIGKILL');
      // the kernel's bound for a killed worker
      expect(performance.now() - overAt).toBeLessThan(10_000);
      // In which order one statement writes its rows means nothing: nobody sees one without the
      // others. Between transactions the order is that in which they happened.
      const promotions = await database.sql<{ account_id: string; nonce: bigint }[]>`
        select account_id, nonce from public.promotion
        order by min(pos) over (partition by txid, account_id), nonce`;
      expect(promotions).toHaveLength(accounts * each);
      for (const { accountId } of bases) {
        const nonces = promotions.filter((row) => row.account_id === accountId);
        expect(nonces.map(({ nonce }) => nonce)).toEqual([1n, 2n, 3n, 4n, 5n]);
      }
      await fleet.addWorker();
    },
  );
});

describe('one of three API replicas is killed', () => {
  /** Kills a replica while the client is at work, and puts a new one in its place. */
  const whileKilled = async (work: (over: () => boolean) => Promise<void>) => {
    let over = false;
    const working = work(() => over);
    await sleep(300);
    const [victim] = fleet.apis();
    expect(await fleet.end(victim!.name, 'kill')).toBe('SIGKILL');
    await sleep(300);
    over = true;
    await working;
    await fleet.addApi(victim!.runtime);
  };

  it('during pushes: at most one error a client, and the same push again succeeds', async () => {
    const clients = await Promise.all([1, 2, 3, 4].map((n) => openAccount(`push ${n}`)));
    const errors = clients.map(() => 0);
    let pushes = 0;
    await whileKilled(async (over) => {
      await Promise.all(
        clients.map(async (account, client) => {
          while (!over()) {
            const delta = account.plan();
            for (;;) {
              const { status } = await account.submit(fleet.url, delta, 0);
              if (status === 200) break;
              // what a full line answers is no error of a replica
              if (status === 409) await sleep(20);
              else errors[client]! += 1;
            }
            pushes += 1;
            await fleet.chain.land(account.accountId, delta.next);
          }
        }),
      );
    });
    expect(pushes).toBeGreaterThan(clients.length);
    expect(Math.max(...errors)).toBeLessThanOrEqual(1);
    await until(async () => {
      const [row] = await database.sql<{ open: number }[]>`
        select count(*)::int as open from guardian.delta where status = 'candidate'`;
      return row?.open === 0;
    });
  });

  it('during a paging session: at most one error, no row is missed, the session goes on', async () => {
    await insertAccounts(database, 60);
    const send = (path: string, init?: RequestInit) => fetch(fleet.url + path, init);
    const cookie = await logIn(operator, send);
    let errors = 0;
    const get = async (path: string): Promise<Body> => {
      for (;;) {
        const answer = await send(path, { headers: { cookie } }).catch(() => undefined);
        if (answer?.ok) return (await answer.json()) as Body;
        errors += 1;
        expect(errors, `${answer?.status}`).toBeLessThanOrEqual(1);
      }
    };
    const whole = (await walk(get, '/dashboard/accounts', 500)).items.length;
    let turns = 0;
    await whileKilled(async (over) => {
      while (!over()) {
        const { items, pages } = await walk(get, '/dashboard/accounts', 7);
        expect(new Set(items.map((item) => item['account_id'])).size).toBe(whole);
        turns += pages;
      }
    });
    expect(turns).toBeGreaterThan(10);
  });

  it('during logins: at most one error, then the same login succeeds', async () => {
    let errors = 0;
    let logins = 0;
    const send = async (path: string, init?: RequestInit): Promise<Response> => {
      for (;;) {
        const answer = await fetch(fleet.url + path, init).catch(() => undefined);
        if (answer && answer.status < 500) return answer;
        errors += 1;
        expect(errors).toBeLessThanOrEqual(1);
      }
    };
    await whileKilled(async (over) => {
      while (!over()) {
        const cookie = await logIn(operator, send);
        expect((await send('/dashboard/session', { headers: { cookie } })).status).toBe(200);
        logins += 1;
      }
    });
    expect(logins).toBeGreaterThan(3);
  });
});
