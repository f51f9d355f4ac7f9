/** What a request costs in waits for the database, counted on the wire. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { edgeCalls } from '../../bench/edge/calls.ts';
import { countRoundTrips } from '../../bench/edge/measure.ts';
import { openEdgeStage, type EdgeStage } from '../../bench/edge/stage.ts';
import { createDatabase, type TestDatabase } from '../../support/databases.ts';
import { openWallet } from '../../support/wallet.ts';

describe('round trips to the database', () => {
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

  it.each(edgeCalls.map((call) => [call.endpoint, call] as const))('%s', async (_, call) => {
    expect(await countRoundTrips(stage, call)).toEqual(call.most);
  });

  it('a refusal costs no more than what it refuses', async () => {
    const refusedOnce = async () => {
      const wallet = await openWallet(stage.otherUrl, 'ecdsa');
      await wallet.configure();
      await wallet.push(1);
      wallet.retarget(stage.url);
      await wallet.client.getState(wallet.accountId);
      stage.database.takeRoundTrips();
      const refusal = await wallet.push(2).catch((error: unknown) => error);
      return [refusal, stage.database.takeRoundTrips()];
    };
    await refusedOnce();
    expect(await refusedOnce()).toEqual([
      expect.objectContaining({ code: 'conflict_pending_delta', status: 409 }),
      1,
    ]);
  });

  it('an account that is not there costs one', async () => {
    const wallet = await openWallet(stage.url, 'ecdsa');
    stage.database.takeRoundTrips();
    await expect(wallet.client.getState(wallet.accountId)).rejects.toMatchObject({
      code: 'account_not_found',
    });
    expect(stage.database.takeRoundTrips()).toBe(1);
  });
});
