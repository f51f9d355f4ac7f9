import * as v from 'valibot';
import { ServiceError } from '../../../errors.ts';
import {
  issueChallenge,
  liveChallenges,
  openSession,
  randomKey,
  type Session,
} from '../../sessions/store.ts';
import type { EvmContext } from '../context.ts';
import { address, bytes32, signature, type Hex } from '../values.ts';
import { loginBody } from './wire.ts';
import { recoverLogin, sessionTypedData, type SessionMessage } from './typed-data.ts';

const seconds = (time: Date): number => Math.floor(time.getTime() / 1_000);

/**
 * GET /evm/auth/challenge: what a wallet signs to log in (protocol §1.10, E1).
 * @throws ServiceError `invalid_input`, `rate_limit_exceeded`
 */
export async function challengeWallet(context: EvmContext, wallet: string | undefined) {
  const parsed = v.safeParse(address, wallet);
  if (!parsed.success) throw new ServiceError('invalid_input', 'address must be an EVM address.');
  context.logins.spend('challenge', parsed.output);
  const key = randomKey();
  const times = await issueChallenge(context.sql, { realm: 'evm', principal: parsed.output, key });
  const message = messageOf(parsed.output, { key, ...times });
  const { nonce, issued_at, expires_at } = message;
  return {
    address: parsed.output,
    nonce,
    issued_at,
    expires_at,
    typed_data: sessionTypedData(message),
  };
}

const loginValues = v.object({ address, nonce: bytes32, signature });

/**
 * POST /evm/auth/verify: opens a session for the wallet that signed its challenge (E2). The
 * challenge is used up only by a signature that fits.
 * @throws ServiceError `invalid_input`; `rate_limit_exceeded`; `authentication_failed` whatever else
 *   is wrong
 */
export async function openWalletSession(
  context: EvmContext,
  body: unknown,
): Promise<Session & { address: Hex }> {
  const texts = v.safeParse(loginBody, body);
  if (!texts.success) throw new ServiceError('invalid_input', 'The body is not a login.');
  const values = v.safeParse(loginValues, texts.output);
  if (!values.success) throw refused();
  const { address: wallet, nonce, signature: signed } = values.output;
  context.logins.spend('verify', wallet);
  const live = await liveChallenges(context.sql, 'evm', wallet);
  const challenge = live.find(({ key }) => `0x${key}` === nonce);
  if (!challenge) throw refused();
  if ((await recoverLogin(messageOf(wallet, challenge), signed)) !== wallet) throw refused();
  const login = { realm: 'evm', principal: wallet, key: challenge.key, subject: wallet } as const;
  const session = await openSession(context.sql, login);
  if (!session) throw refused();
  return { ...session, address: wallet };
}

function messageOf(
  wallet: Hex,
  { key, issuedAt, expiresAt }: { key: string; issuedAt: Date; expiresAt: Date },
): SessionMessage {
  return {
    wallet,
    nonce: `0x${key}`,
    issued_at: seconds(issuedAt),
    expires_at: seconds(expiresAt),
  };
}

const refused = () => new ServiceError('authentication_failed', 'The login is not valid.');
