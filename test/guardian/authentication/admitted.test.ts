/** What is looked at again when the signer set changes under a request, and what is not. */
import { expect, it } from 'vitest';
import { RememberedAccounts } from '../../../src/guardian/accounts/remembered-accounts.ts';
import { admittedRead, type Admitted } from '../../../src/guardian/authentication/admitted-read.ts';
import { admitted } from '../../../src/guardian/authentication/authenticate.ts';
import type {
  SignedRequest,
  StoredAuth,
} from '../../../src/guardian/authentication/signed-request.ts';
import { AuthenticationError } from '../../../src/guardian/authentication/signature.ts';
import type { GuardianContext } from '../../../src/guardian/context.ts';
import { authenticationLimits } from '../../../src/limits.ts';

const accountId = `0x${'a1'.repeat(15)}`;
const signer = `0x${'11'.repeat(32)}`;
const request: SignedRequest = {
  accountId,
  payload: '{}',
  publicKey: '',
  signature: '',
  timestamp: 1_000n,
};
const authOf = (version: bigint): StoredAuth => ({
  auth_version: version,
  auth_scheme: 'ecdsa',
  signer_commitments: [signer],
  commitment: `0x${'22'.repeat(32)}`,
});

/** A process that remembers version 1, before a database that holds `stored`. */
function openContext({ stored = 1n, isSigned = true }) {
  const remembered = new RememberedAccounts();
  remembered.rememberAuth(accountId, authOf(1n));
  const done = { verified: 0, loaded: 0 };
  const context = {
    remembered,
    requests: {
      verifyRequest() {
        done.verified += 1;
        return isSigned ? Promise.resolve(signer) : Promise.reject(new AuthenticationError('no'));
      },
      signerOfRequest: () => Promise.resolve({ scheme: 'ecdsa', names: [signer] }),
    },
    storage: { openState: (_account: string, state: Uint8Array) => state },
    sql() {
      done.loaded += 1;
      return Promise.resolve([{ ...authOf(stored), state: new Uint8Array(), now_ms: 1_000n }]);
    },
  };
  return { context: context as unknown as GuardianContext, done };
}

/** Reads that have these outcomes, one after another; the last one again and again. */
function readsOf(...outcomes: string[]) {
  const versions: (bigint | null)[] = [];
  const read = ({ authVersion }: { authVersion: bigint | null }) => {
    const outcome = outcomes[Math.min(versions.length, outcomes.length - 1)]!;
    versions.push(authVersion);
    const row: Admitted = {
      outcome,
      seen_version: outcome === 'ok' && authVersion === null ? 7n : null,
      seen_scheme: 'ecdsa',
      seen_signers: [signer],
      seen_commitment: '',
    };
    return Promise.resolve([row]);
  };
  return { versions, read };
}

it('reads again while the signer set changes under it', async () => {
  const { context } = openContext({});
  const { read, versions } = readsOf('stale_auth', 'stale_auth', 'ok');
  const [row] = await admittedRead(context, request, read);
  expect(row.outcome).toBe('ok');
  expect(versions).toEqual([1n, null, null]);
  expect(context.remembered.auth(accountId)?.auth_version).toBe(7n);
});

it('gives up reading after some tries: the client may try again', async () => {
  const { context } = openContext({});
  const { read, versions } = readsOf('stale_auth');
  const reading = admittedRead(context, request, read);
  await expect(reading).rejects.toMatchObject({ code: 'authentication_replay' });
  expect(versions).toHaveLength(1 + authenticationLimits.maxVerifications);
});

it('answers nothing to a read whose outcome it does not know', async () => {
  const { context } = openContext({});
  const reading = admittedRead(context, request, readsOf('another').read);
  await expect(reading).rejects.toMatchObject({ code: 'storage_error' });
});

it('verifies a refused signature again only against another signer set', async () => {
  const handle = () => Promise.resolve({ outcome: 'ok' });
  const same = openContext({ isSigned: false });
  await expect(admitted(same.context, request, handle)).rejects.toMatchObject({
    code: 'authentication_failed',
  });
  expect(same.done).toEqual({ verified: 1, loaded: 1 });
  const newer = openContext({ isSigned: false, stored: 2n });
  await expect(admitted(newer.context, request, handle)).rejects.toMatchObject({
    code: 'authentication_failed',
  });
  expect(newer.done).toEqual({ verified: 2, loaded: 1 });
});
