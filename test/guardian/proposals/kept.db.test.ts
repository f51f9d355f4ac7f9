/** Which proposals of an account are kept, and which are not taken at all. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeBase64 } from '../../../src/guardian/accounts/wire.ts';
import type { JsonValue } from '../../../src/guardian/authentication/canonical-json.ts';
import { buildSummary } from '../../../src/guardian/networks/miden/summary/build.ts';
import { exchange, expectRefusal, openInProcess, type Service } from '../../http/service.ts';
import { openHolder, type Holder } from '../../http/signed.ts';

describe('proposals', () => {
  let service: Service;
  beforeAll(async () => {
    service = await openInProcess({ GUARDIAN_MAX_PENDING_PROPOSALS_PER_ACCOUNT: '3' });
  });
  afterAll(() => service?.close());

  const proposal = (holder: Holder, nonce: number, about: Record<string, JsonValue> = {}) => {
    const summary = buildSummary({ state: holder.state, salt: BigInt(nonce) });
    return holder.post('/delta/proposal', {
      account_id: holder.accountId,
      nonce: BigInt(nonce),
      delta_payload: {
        tx_summary: { data: encodeBase64(summary) },
        signatures: [],
        metadata: { proposal_type: 'custom', ...about },
      },
    });
  };
  const create = async (holder: Holder, ...nonces: number[]) => {
    for (const nonce of nonces) {
      expect((await exchange(service, proposal(holder, nonce))).status).toBe(200);
    }
  };
  const listed = async (holder: Holder) => {
    const { body } = await exchange(service, holder.get('/delta/proposal'));
    return (body['proposals'] as { nonce: number }[]).map(({ nonce }) => nonce);
  };

  it('keeps as many as may be pending, and drops the oldest of those that cannot be pushed', async () => {
    const holder = await openHolder(service.send);
    await create(holder, 1, 2, 3);
    await expectRefusal(service, proposal(holder, 4), 409, 'pending_proposals_limit');
    await service.execute(`update guardian.proposal set prev_commitment = '0x${'00'.repeat(32)}'
      where account_id = '${holder.accountId}'`);
    await create(holder, 4);
    expect(await listed(holder)).toEqual([2, 3, 4]);
    await create(holder, 5, 6);
    expect(await listed(holder)).toEqual([4, 5, 6]);
    await expectRefusal(service, proposal(holder, 7), 409, 'pending_proposals_limit');
    expect(await listed(holder)).toEqual([4, 5, 6]);
  });

  it('takes no text that the database could not read', async () => {
    const holder = await openHolder(service.send);
    for (const about of [{ description: 'a\u0000' }, { note: ['\u0000'] }, { '\u0000': 1n }]) {
      await expectRefusal(service, proposal(holder, 1, about), 400, 'invalid_delta');
    }
    expect(await listed(holder)).toEqual([]);
  });
});
