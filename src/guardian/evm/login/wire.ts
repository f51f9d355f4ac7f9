import * as v from 'valibot';
import { address, bytes32 } from '../values.ts';

const seconds = v.pipe(v.number(), v.safeInteger());
const field = v.object({ name: v.string(), type: v.string() });

/** Answer of GET /evm/auth/challenge; times in Unix seconds. */
export const challengeAnswer = v.object({
  address,
  nonce: bytes32,
  issued_at: seconds,
  expires_at: seconds,
  typed_data: v.object({
    domain: v.object({ name: v.string(), version: v.string() }),
    types: v.record(v.string(), v.array(field)),
    primaryType: v.literal('GuardianEvmSession'),
    message: v.object({
      wallet: address,
      nonce: bytes32,
      issued_at: seconds,
      expires_at: seconds,
    }),
  }),
});

/** Body of POST /evm/auth/verify. */
export const loginBody = v.object({
  address: v.string(),
  nonce: v.string(),
  signature: v.string(),
});

/** Answer of POST /evm/auth/verify; `expires_at` in Unix milliseconds. */
export const loginAnswer = v.object({ address, expires_at: v.pipe(v.number(), v.safeInteger()) });

/** Answer of what only succeeds or fails. */
export const successAnswer = v.object({ success: v.literal(true) });
