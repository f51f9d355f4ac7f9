import { expect, it } from 'vitest';
import { encodeBase64 } from '../../../src/guardian/accounts/wire.ts';
import { inspectAccount } from '../../../src/guardian/networks/miden/account/engine.ts';
import { exchange, expectRefusal, type Service } from '../service.ts';
import { createHolder, makeSigner, openHolder, type Holder, type Prepared } from '../signed.ts';

const idBytes = 15;

/** A configuration of the victim's account, with a state in which `thief` is the signer. */
export function takeOver(
  victim: Holder,
  guardian: string,
): { request: Prepared; commitment: string } {
  const signer = makeSigner('ecdsa');
  const thief = createHolder(guardian, 'ecdsa', signer);
  const state = thief.state.slice();
  state.set(victim.state.subarray(0, idBytes));
  const body = {
    account_id: victim.accountId,
    auth: { MidenEcdsa: { cosigner_commitments: [signer.commitment] } },
    initial_state: { data: encodeBase64(state), account_id: victim.accountId },
  };
  return {
    request: thief.post('/configure', body, { accountId: victim.accountId }),
    commitment: inspectAccount(state, undefined, 'any').commitment,
  };
}

async function guardianOf(service: Service): Promise<string> {
  const { body } = await exchange(service, { path: '/pubkey?scheme=ecdsa' });
  return String(body['commitment']);
}

export function configureCases(service: () => Service): void {
  it('changes a stored account on the word of a stored signer, or of the chain', async () => {
    const victim = await openHolder(service().send);
    const guardian = await guardianOf(service());
    const early = takeOver(victim, guardian);
    await expectRefusal(service(), early.request, 401, 'authentication_failed');
    await service().land(victim.accountId, victim.commitment);
    await expectRefusal(service(), early.request, 401, 'authentication_failed');
    const stored = await exchange(service(), victim.get('/state'));
    expect(stored.body['commitment']).toBe(victim.commitment);

    // the account's signers did change, on chain: what the new one brings is the state there
    const shown = takeOver(victim, guardian);
    await service().land(victim.accountId, shown.commitment);
    expect((await exchange(service(), shown.request)).status).toBe(200);
    await expectRefusal(service(), victim.get('/state'), 401, 'authentication_failed');
  });

  it('refuses an account that is bound to another guardian', async () => {
    const holder = createHolder(`0x${'01'.padEnd(64, '0')}`);
    const request = holder.post('/configure', holder.configureBody());
    await expectRefusal(service(), request, 403, 'authorization_failed');
    await expectRefusal(service(), holder.get('/state'), 404, 'account_not_found');
  });

  it('takes no configuration from who is not a signer of the state', async () => {
    const holder = createHolder(await guardianOf(service()));
    const { path, init } = holder.post('/configure', holder.configureBody());
    const foreign = makeSigner('ecdsa');
    const headers = {
      ...init.headers,
      'x-pubkey': foreign.publicKey,
      'x-signature': foreign.sign(
        holder.accountId,
        BigInt(init.headers['x-timestamp'] ?? 0),
        String(init.body),
      ),
    };
    const request = { path, init: { ...init, headers } };
    await expectRefusal(service(), request, 401, 'authentication_failed');
  });

  it('does not exchange the state under a candidate', async () => {
    const holder = await openHolder(service().send);
    const push = holder.post('/delta', holder.deltaBody(1));
    expect((await exchange(service(), push)).status).toBe(200);
    const again = holder.post('/configure', holder.configureBody());
    await expectRefusal(service(), again, 409, 'conflict_pending_delta');
  });
}

/** Of another delta than the account's first. */
function summaryOf(holder: Holder): string {
  return (holder.deltaBody(2)['delta_payload'] as { data: string }).data;
}

export function conflictCases(service: () => Service): void {
  it('says when to come back while another delta of the same base is pending', async () => {
    const holder = await openHolder(service().send);
    const first = await exchange(service(), holder.post('/delta', holder.deltaBody(1)));
    expect(first.body['status']).toMatchObject({ status: 'candidate' });
    const second = holder.post('/delta', holder.deltaBody(2));
    const refused = await expectRefusal(service(), second, 409, 'conflict_pending_delta');
    const { retry_after_secs: seconds } = refused.body['meta'] as { retry_after_secs: number };
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(refused.headers.get('retry-after')).toBe(String(seconds));
  });

  it('names no time to come back for a nonce that is history', async () => {
    const holder = await openHolder(service().send);
    await exchange(service(), holder.post('/delta', holder.deltaBody(1)));
    await service().execute(`update guardian.delta set status = 'canonical'
      where account_id = '${holder.accountId}'`);
    const other = holder.post('/delta', holder.deltaBody(1, { more: 1n, data: summaryOf(holder) }));
    const refused = await expectRefusal(service(), other, 409, 'conflict_pending_delta');
    expect(refused.body['meta']).toEqual({ retryable: false });
    expect(refused.headers.get('retry-after')).toBeNull();
  });

  // the last one is no word: its elements are not below P
  it.each(['', '0x', 'x', `0x${'0'.repeat(65)}`, '\u0000', `0x${'ff'.repeat(32)}`])(
    'refuses to sign a proposal with the commitment %j',
    async (commitment) => {
      const holder = await openHolder(service().send);
      const signature = { scheme: 'ecdsa', signature: `0x${'11'.repeat(65)}` };
      const body = { account_id: holder.accountId, commitment, signature };
      const { path, init } = holder.post('/delta/proposal', body);
      const request = { path, init: { ...init, method: 'PUT' } };
      await expectRefusal(service(), request, 400, 'invalid_commitment');
    },
  );

  it('takes any nonce that is free, such as the time', async () => {
    const holder = await openHolder(service().send);
    const nonce = Date.now();
    const { body } = await exchange(service(), holder.post('/delta', holder.deltaBody(nonce)));
    expect(body).toMatchObject({ nonce, account_id: holder.accountId });
    const read = await exchange(service(), holder.get('/delta', { nonce: BigInt(nonce) }));
    expect(read.body['ack_sig']).toBe(body['ack_sig']);
  });
}

export function identifierCases(service: () => Service): void {
  it('looks at the form of an id before it looks for an account or at the time', async () => {
    const old = { timestamp: 1 };
    const absent = createHolder(await guardianOf(service()));
    for (const [accountId, code] of [
      [`0x${'AB'.repeat(15)}`, 'invalid_account_id'],
      [`evm:1:0x${'ab'.repeat(20)}`, 'unsupported_for_network'],
    ] as const) {
      const { path, init } = absent.get('/state', {}, old);
      const asked = path.replace(absent.accountId, encodeURIComponent(accountId));
      await expectRefusal(service(), { path: asked, init }, 400, code);
      const body = { ...absent.deltaBody(1), account_id: accountId };
      const push = absent.post('/delta', body, { ...old, accountId: absent.accountId });
      await expectRefusal(service(), push, 400, code);
    }
  });

  it('finds only deltas that exist, of accounts that exist', async () => {
    const holder = await openHolder(service().send);
    const other = createHolder(await guardianOf(service()));
    await expectRefusal(service(), holder.get('/delta', { nonce: 7n }), 404, 'delta_not_found');
    const delta = other.post('/delta', other.deltaBody(1));
    for (const request of [other.get('/state'), other.get('/delta', { nonce: 7n }), delta]) {
      await expectRefusal(service(), request, 404, 'account_not_found');
    }
  });
}
