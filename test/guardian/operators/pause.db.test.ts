/** Pause, unpause, and what the audit says of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../../src/database/connect.ts';
import {
  accountOf,
  insertAccounts,
  openOperatorStage,
  type OperatorStage,
} from '../../operators/stage.ts';
import { everyDatabase } from '../../support/databases.ts';

const evm = `evm:1:0x${'ab'.repeat(20)}`;

describe.each(everyDatabase)('pausing accounts on $name', ({ open }) => {
  let database: Database;
  let stage: OperatorStage;
  beforeAll(async () => {
    database = await open();
    await insertAccounts(database, 5);
    await database.sql`insert into guardian.evm_account (account_id, chain_id, address, validator)
      values (${evm}, 1, '0x', '0x')`;
    stage = await openOperatorStage(database, { CANONRY_TRUST_PROXY: 'true' });
  });
  afterAll(async () => {
    await stage?.close();
    await database?.close();
  });
  const path = (account: string, verb: string) => `/dashboard/accounts/${account}/${verb}`;
  const audit = () =>
    database.sql`select operator_identity as operator, action_kind as action,
      target_account_id as account, payload, outcome, error_code, client_ip
      from guardian.admin_action order by id`;

  it.each([
    ['a Miden account', accountOf(1)],
    ['an EVM account', evm],
  ])('pauses and unpauses %s, with an audit row each time', async (_name, account) => {
    const before = (await audit()).length;
    const named = `/dashboard/accounts/${account}`;
    const paused = await stage.post(path(account, 'pause'), { reason: 'a "reason" – ünïcode' });
    expect(paused).toEqual({
      account_id: account,
      before_state: 'active',
      after_state: 'paused',
      paused_at: expect.stringMatching(/Z$/) as string,
      paused_reason: 'a "reason" – ünïcode',
    });
    // again: the first time and reason stay
    const again = await stage.post(path(account, 'pause'), { reason: 'another' });
    expect(again).toEqual({ ...paused, before_state: 'paused' });
    const { paused_at, paused_reason } = paused;
    expect(await stage.get(named)).toMatchObject({ paused_at, paused_reason });
    const active = { account_id: account, after_state: 'active' };
    expect(await stage.post(path(account, 'unpause'), { reason: 'done' })).toEqual({
      ...active,
      before_state: 'paused',
      reason: 'done',
    });
    expect(await stage.post(path(account, 'unpause'), '')).toEqual({
      ...active,
      before_state: 'active',
      reason: null,
    });
    expect(await stage.get(named)).toMatchObject({ paused_at: null, paused_reason: null });
    const row = { operator: stage.admin.commitment, account, outcome: 'success' };
    expect((await audit()).slice(before)).toMatchObject([
      { ...row, action: 'accounts.pause', payload: { before_state: 'active' } },
      { ...row, action: 'accounts.pause', payload: { before_state: 'paused', reason: 'another' } },
      { ...row, action: 'accounts.unpause', payload: { before_state: 'paused' } },
      { ...row, action: 'accounts.unpause', payload: { before_state: 'active', reason: null } },
    ]);
  });

  it('needs no body to unpause', async () => {
    const answer = await stage.service.send(path(accountOf(1), 'unpause'), {
      method: 'POST',
      headers: { cookie: stage.cookies.admin },
    });
    expect(await answer.json()).toMatchObject({ after_state: 'active', reason: null });
  });

  it('denies without the permission, and puts it on record', async () => {
    const before = (await audit()).length;
    const answer = await stage.service.send(path(accountOf(2), 'pause'), {
      method: 'POST',
      headers: {
        cookie: stage.cookies.reader,
        'content-type': 'application/json',
        'x-forwarded-for': '203.0.113.7, 198.51.100.9',
      },
      body: '{',
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toMatchObject({
      code: 'GUARDIAN_INSUFFICIENT_OPERATOR_PERMISSION',
      meta: { retryable: false, missing_permissions: ['accounts:pause'] },
    });
    expect((await audit()).slice(before)).toMatchObject([
      {
        action: 'auth.denied',
        account: accountOf(2),
        outcome: 'denied',
        error_code: 'GUARDIAN_INSUFFICIENT_OPERATOR_PERMISSION',
        client_ip: '198.51.100.9',
      },
    ]);
    expect(await stage.get(`/dashboard/accounts/${accountOf(2)}`)).toMatchObject({
      paused_at: null,
    });
  });

  it('nobody looks without the permission, and nobody at all without a session', async () => {
    for (const at of ['info', 'accounts', 'deltas', 'proposals', `accounts/${accountOf(1)}`]) {
      await expect(stage.get(`/dashboard/${at}`, stage.cookies.guest)).rejects.toThrow('403');
      await expect(stage.get(`/dashboard/${at}?limit=x`, '')).rejects.toThrow('401');
    }
    expect(await stage.get('/dashboard/session', stage.cookies.guest)).toMatchObject({
      permissions: [],
    });
  });

  it('refuses bodies and accounts that are none', async () => {
    const pause = path(accountOf(2), 'pause');
    for (const body of [
      '{',
      '[]',
      {},
      { reason: '' },
      { reason: ' ' },
      { reason: 7 },
      { reason: 'x'.repeat(513) },
      { reason: 'zero \0' },
      { reason: 'half a character \ud800' },
    ]) {
      await stage.refused(pause, 400, 'invalid_input', body);
    }
    for (const reason of [7, ' ']) {
      await stage.refused(path(accountOf(2), 'unpause'), 400, 'invalid_input', { reason });
    }
    await stage.refused(pause, 413, 'invalid_input', { reason: 'x', more: 'y'.repeat(16_384) });
    for (const unknown of [accountOf(99), 'hello', '%00', `evm:1:0x${'00'.repeat(20)}`]) {
      await stage.refused(path(unknown, 'pause'), 404, 'account_not_found', { reason: 'x' });
      await stage.refused(path(unknown, 'unpause'), 404, 'account_not_found', {});
    }
    // 512 characters, each of two UTF-16 units
    await stage.post(pause, { reason: '😀'.repeat(512) });
  });

  it('the audit can only grow, and without it nothing is paused', async () => {
    for (const statement of [
      `update guardian.admin_action set outcome = 'denied'`,
      'delete from guardian.admin_action',
      'truncate guardian.admin_action',
    ]) {
      await expect(database.sql.unsafe(statement)).rejects.toThrow('append-only');
    }
    await database.sql`alter table guardian.admin_action rename to gone`;
    const failed = stage.post(path(accountOf(4), 'pause'), { reason: 'x' });
    await expect(failed).rejects.toThrow('500');
    // a denial stands without the record
    const denied = stage.post(path(accountOf(4), 'pause'), { reason: 'x' }, stage.cookies.reader);
    await expect(denied).rejects.toThrow('403');
    await database.sql`alter table guardian.gone rename to admin_action`;
    expect(await stage.get(`/dashboard/accounts/${accountOf(4)}`)).toMatchObject({
      paused_at: null,
    });
  });

  it('a release is put on record as the system’s', async () => {
    await database.sql`update guardian.account set released_at = now()
      where account_id = ${accountOf(5)}`;
    expect((await audit()).at(-1)).toMatchObject({
      operator: 'system',
      action: 'accounts.release',
      account: accountOf(5),
      outcome: 'success',
    });
    const recorded = (await audit()).length;
    await database.sql`update guardian.account set released_at = null
      where account_id = ${accountOf(5)}`;
    expect(await audit()).toHaveLength(recorded);
  });
});
