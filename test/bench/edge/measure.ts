/** Round trips and times of one call on the replica that is measured. */
import { openWallet, type Wallet } from '../../support/wallet.ts';
import type { EdgeCall } from './calls.ts';
import type { EdgeStage } from './stage.ts';

/** A wallet and what its call needs; nothing of it went through the measured replica. */
async function arrange(stage: EdgeStage, call: EdgeCall): Promise<[Wallet, string]> {
  const wallet = await openWallet(stage.otherUrl, 'ecdsa');
  if (!call.unconfigured) await wallet.configure();
  const arranged = await call.arrange?.(wallet, stage);
  wallet.retarget(stage.url);
  return [wallet, arranged ?? ''];
}

/** The same, and the measured replica remembers the account. */
async function arrangeRemembered(stage: EdgeStage, call: EdgeCall): Promise<[Wallet, string]> {
  const arranged = await arrange(stage, call);
  const [wallet] = arranged;
  if (call.unconfigured) await wallet.configure();
  else await wallet.client.getState(wallet.accountId);
  return arranged;
}

/** Round trips to the database with an account that the replica has and has not seen before. */
export async function countRoundTrips(
  stage: EdgeStage,
  call: EdgeCall,
): Promise<{ cold: number; cached: number }> {
  const count = async ([wallet, arranged]: [Wallet, string]) => {
    stage.database.takeRoundTrips();
    await call.act(wallet, arranged);
    return stage.database.takeRoundTrips();
  };
  // a connection asks once more when it first meets a statement
  await call.act(...(await arrange(stage, call)));
  await call.act(...(await arrangeRemembered(stage, call)));
  return {
    cold: await count(await arrange(stage, call)),
    cached: await count(await arrangeRemembered(stage, call)),
  };
}

/** Milliseconds of each of some calls with a remembered account, client and signature included. */
export async function timeCalls(
  stage: EdgeStage,
  call: EdgeCall,
  samples: number,
): Promise<number[]> {
  const times: number[] = [];
  let arranged: [Wallet, string] | undefined;
  for (let sample = 0; sample < samples; sample++) {
    if (!arranged || call.writes) arranged = await arrangeRemembered(stage, call);
    const started = performance.now();
    await call.act(...arranged);
    times.push(performance.now() - started);
  }
  return times;
}
