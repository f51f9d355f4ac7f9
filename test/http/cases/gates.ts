import { expect, it } from 'vitest';
import { exchange, expectRefusal, type Service } from '../service.ts';
import { openHolder } from '../signed.ts';

/** Paused and released accounts: nothing new is accepted, everything can be read. */
export function gateCases(service: () => Service): void {
  const set = (accountId: string, columns: string) =>
    service().execute(`update guardian.account set ${columns} where account_id = '${accountId}'`);

  it('refuses deltas of a paused account, and says since when and why', async () => {
    const holder = await openHolder(service().send);
    const pause = `paused_at = '2026-01-02T03:04:05Z', paused_reason = 'key lost'`;
    await set(holder.accountId, pause);
    const push = holder.post('/delta', holder.deltaBody(1));
    const { body } = await expectRefusal(service(), push, 409, 'GUARDIAN_ACCOUNT_PAUSED');
    expect(body['meta']).toEqual({
      retryable: false,
      paused_at: '2026-01-02T03:04:05.000Z',
      paused_reason: 'key lost',
    });
    expect((await exchange(service(), holder.get('/state'))).status).toBe(200);
    await set(holder.accountId, 'paused_at = null, paused_reason = null');
    const later = holder.post('/delta', holder.deltaBody(1));
    expect((await exchange(service(), later)).status).toBe(200);
  });

  it('refuses deltas of a released account until it is configured again', async () => {
    const holder = await openHolder(service().send);
    await set(holder.accountId, `released_at = '2026-01-02T03:04:05Z', paused_at = now()`);
    const push = holder.post('/delta', holder.deltaBody(1));
    const { body } = await expectRefusal(service(), push, 409, 'GUARDIAN_ACCOUNT_RELEASED');
    expect(body['meta']).toEqual({ retryable: false, released_at: '2026-01-02T03:04:05.000Z' });
    expect((await exchange(service(), holder.get('/state'))).status).toBe(200);
    const again = holder.post('/configure', holder.configureBody());
    expect((await exchange(service(), again)).status).toBe(200);
    const paused = holder.post('/delta', holder.deltaBody(1));
    await expectRefusal(service(), paused, 409, 'GUARDIAN_ACCOUNT_PAUSED');
  });

  it('tells nobody but a signer that an account is paused', async () => {
    const holder = await openHolder(service().send);
    await set(holder.accountId, 'paused_at = now()');
    const { path, init } = holder.post('/delta', holder.deltaBody(1));
    const headers = { ...init.headers, 'x-signature': '11'.repeat(65) };
    const forged = { path, init: { ...init, headers } };
    await expectRefusal(service(), forged, 401, 'authentication_failed');
  });
}
