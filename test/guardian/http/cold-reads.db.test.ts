/** Signed reads on a replica that does not remember the account, or remembers it as it was. */
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SignatureScheme } from '../../../src/guardian/networks/network.ts';
import { openEdgeStage, type EdgeStage } from '../../bench/edge/stage.ts';
import {
  createHolder,
  makeSigner,
  openHolder,
  type Prepared,
  type Send,
} from '../../http/signed.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';

/** No service's key. */
const nobody = `0x${'01'.repeat(32)}`;

describe('a signed read on another replica', () => {
  let created: TestDatabase;
  let stage: EdgeStage;
  beforeAll(async () => {
    created = await createDatabase();
    stage = await openEdgeStage(created.url);
  });
  afterAll(async () => {
    await stage?.close();
    await created?.drop();
  });

  const elsewhere: Send = (path, init) => fetch(`${stage.otherUrl}${path}`, init);
  /** What the measured replica answers, and the round trips it takes. */
  async function ask({ path, init }: Prepared) {
    stage.database.takeRoundTrips();
    const answer = await fetch(`${stage.url}${path}`, init);
    const { code, commitment } = (await answer.json()) as { code?: string; commitment?: string };
    return [code ?? commitment, stage.database.takeRoundTrips()];
  }
  /** The account's state asked for in the name of another key. */
  const asAnother = (accountId: string, scheme: SignatureScheme): Prepared => {
    return createHolder(nobody, scheme, makeSigner(scheme)).get('/state', {}, { accountId });
  };

  it.each(['falcon', 'ecdsa'] as const)(
    '%s: asks once, and knows the account then',
    async (scheme) => {
      const holder = await openHolder(elsewhere, scheme);
      // the statement is prepared by the first
      await ask((await openHolder(elsewhere, scheme)).get('/state'));
      expect(await ask(holder.get('/state'))).toEqual([holder.commitment, 1]);
      const [code, roundTrips] = await ask(holder.post('/delta', holder.deltaBody(1)));
      expect([code, roundTrips]).toEqual([undefined, expect.any(Number)]);
      const next = await openHolder(elsewhere, scheme);
      await ask(next.get('/state'));
      expect(await ask(next.post('/delta', next.deltaBody(1)))).toEqual([undefined, 1]);
    },
  );

  it('takes a timestamp once, whichever replica saw it', async () => {
    const holder = await openHolder(elsewhere);
    const request = holder.get('/state');
    await elsewhere(request.path, request.init);
    expect((await ask(request))[0]).toBe('authentication_replay');
    expect((await ask(holder.get('/state')))[0]).toBe(holder.commitment);
    expect((await ask(request))[0]).toBe('authentication_replay');
  });

  it('refuses an old timestamp', async () => {
    const holder = await openHolder(elsewhere);
    const old = holder.get('/state', {}, { timestamp: Date.now() - 301_000 });
    expect((await ask(old))[0]).toBe('authentication_failed');
  });

  it.each(['falcon', 'ecdsa'] as const)('refuses the %s key of a stranger', async (scheme) => {
    for (const its of ['falcon', 'ecdsa'] as const) {
      const { accountId } = await openHolder(elsewhere, its);
      expect(await ask(asAnother(accountId, scheme))).toEqual(['authentication_failed', 1]);
    }
  });

  it('writes nothing for a stranger, not even a lock', async () => {
    const { accountId } = await openHolder(elsewhere);
    const sql = postgres(created.url, { max: 1 });
    const outcomes = await sql.begin(async (transaction) => {
      const [read] = await transaction`
        select outcome from guardian.admit_read(${accountId}, null, 'ecdsa', ${[nobody]}, 1)`;
      const [written] = await transaction`select pg_current_xact_id_if_assigned() as id`;
      return [read?.['outcome'] as string, written?.['id'] as string | null];
    });
    await sql.end();
    expect(outcomes).toEqual(['authentication_failed', null]);
  });

  it('refuses what nobody signed, and says first that there is no account', async () => {
    const broken = ({ path, init }: Prepared): Prepared => {
      const headers: Record<string, string> = { ...init.headers };
      return { path, init: { headers: { ...headers, 'x-signature': 'ab' } } };
    };
    const refused = async () => ask(broken((await openHolder(elsewhere)).get('/state')));
    // the statement is prepared by the first
    await refused();
    expect(await refused()).toEqual(['authentication_failed', 1]);
    const absent = createHolder(nobody);
    expect(await ask(absent.get('/state'))).toEqual(['account_not_found', 1]);
    expect(await ask(broken(absent.get('/state')))).toEqual(['account_not_found', 1]);
  });

  it('sees at once that the signers changed elsewhere', async () => {
    const holder = await openHolder(elsewhere);
    expect((await ask(holder.get('/state')))[0]).toBe(holder.commitment);
    const successor = makeSigner('falcon');
    const sql = postgres(created.url, { max: 1 });
    await sql`update guardian.account set auth_version = auth_version + 1,
      auth_scheme = 'falcon', signer_commitments = ${[successor.commitment]}
      where account_id = ${holder.accountId}`;
    await sql.end();
    expect((await ask(holder.get('/state')))[0]).toBe('authentication_failed');
    const itself = createHolder(nobody, 'falcon', successor).get('/state', {}, holder);
    expect((await ask(itself))[0]).toBe(holder.commitment);
    expect((await ask(holder.get('/state')))[0]).toBe('authentication_failed');
  });
});
