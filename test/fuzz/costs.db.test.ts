/** What the largest bodies cost the event loop, by a caller who need not have an account. */
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exchange, openInProcess, type Service } from '../http/service.ts';
import { openHolder, type Holder } from '../http/signed.ts';

let service: Service;
let holder: Holder;
beforeAll(async () => {
  service = await openInProcess();
  holder = await openHolder(service.send);
});
afterAll(() => service.close());

const room = 2 ** 20 - 2_000;

/** A delta of the account with as many of these items as fit beside it. */
function bodyOf(item: string): string {
  const list = Array(Math.floor(room / (item.length + 1)))
    .fill(item)
    .join(',');
  const { account_id, prev_commitment, delta_payload } = holder.deltaBody(1);
  const delta = JSON.stringify({ account_id, prev_commitment, delta_payload });
  return `${delta.slice(0, -1)},"nonce":1,"more":[${list}]}`;
}

/** CPU time of the thread that answers requests, on a runtime that counts it; else of all threads. */
const ofThread = () => process.threadCpuUsage?.() ?? process.cpuUsage();

/** The least CPU time, in milliseconds, that a refusal took: that of compiled code. */
async function costOfRefusal(
  body: string,
  publicKey: string,
  cpuUsage: () => NodeJS.CpuUsage,
): Promise<number> {
  const headers = {
    'content-type': 'application/json',
    'x-pubkey': publicKey,
    // small scalars are those of a signature; whose it is only the hash of the body can tell
    'x-signature': `${'11'.repeat(64)}00`,
    'x-timestamp': String(Date.now()),
  };
  const used: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const before = cpuUsage();
    const response = await service.send('/delta', { method: 'POST', body, headers });
    const after = cpuUsage();
    used.push((after.user + after.system - before.user - before.system) / 1_000);
    expect(await response.json()).toMatchObject({ code: 'authentication_failed' });
  }
  return Math.min(...used);
}

it.each(['1', '[]', '{"a":1}'])('a mebibyte of %s', { timeout: 60_000 }, async (item) => {
  const body = bodyOf(item);
  const signers = holder.configureBody()['auth'] as {
    MidenEcdsa: { cosigner_commitments: string[] };
  };
  const [named = ''] = signers.MidenEcdsa.cosigner_commitments;
  // a stranger's key is refused before the body is hashed: all threads together
  expect(await costOfRefusal(body, '11'.repeat(33), () => process.cpuUsage())).toBeLessThan(100);
  // whoever names a signer has it hashed, and holds up nobody
  expect(await costOfRefusal(body, named, ofThread)).toBeLessThan(100);
});

it('refuses a body whose canonical form is larger than a body may be, before it is hashed', async () => {
  const request = { method: 'POST', body: bodyOf('1e15') };
  const headers = {
    'content-type': 'application/json',
    'x-pubkey': '11',
    'x-signature': '11',
    'x-timestamp': '1',
  };
  const { status } = await exchange(service, { path: '/delta', init: { ...request, headers } });
  expect(status).toBe(413);
});
