import { signTypedData, type GuardianTypedData } from '@openzeppelin/guardian-evm-client';
import type { Hex } from 'viem';
import { expectRefusal, exchange, type Service } from '../http/service.ts';
import type { SmartAccount } from './stage.ts';
import type { EvmWallet } from './wallet.ts';

interface Challenge {
  address: Hex;
  nonce: Hex;
  issued_at: number;
  expires_at: number;
  typed_data: GuardianTypedData;
}

/** Speaks the protocol below the published client, to send what that one never would. */
export interface Caller {
  challenge(address?: string): Promise<Challenge>;
  /** A login that is right unless changed. */
  login(change?: Record<string, unknown>, headers?: Record<string, string>): Promise<Response>;
  /** Logs in and keeps the cookie. */
  enter(): Promise<void>;
  cookie: string;
  get(path: string): Promise<Record<string, unknown>>;
  post(path: string, body: object): Promise<Record<string, unknown>>;
  refused(path: string, body: object | undefined, status: number, code: string): Promise<void>;
  /** A body of POST /evm/proposals, signed. */
  proposal(account: SmartAccount, change?: Record<string, unknown>): Promise<ProposalBody>;
}

interface ProposalBody extends Record<string, unknown> {
  user_op_hash: Hex;
}

export function openCaller(service: Pick<Service, 'send'>, wallet: EvmWallet): Caller {
  const request = (path: string, body?: object, headers: Record<string, string> = {}) => ({
    path,
    init: {
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      headers: { 'content-type': 'application/json', cookie: caller.cookie, ...headers },
    },
  });
  const exchanged = async (path: string, body?: object) =>
    (await exchange(service, request(path, body))).body;
  let hashes = 0;
  const caller: Caller = {
    cookie: '',
    challenge: async (address = wallet.address) =>
      (await exchanged(`/evm/auth/challenge?address=${address}`)) as unknown as Challenge,
    async login(change = {}, headers = {}) {
      const { nonce, typed_data } = await caller.challenge();
      const signature = await signTypedData(wallet.provider, wallet.address, typed_data);
      const body = { address: wallet.address, nonce, signature, ...change };
      const { path, init } = request('/evm/auth/verify', body, headers);
      return service.send(path, init);
    },
    async enter() {
      const cookie = (await caller.login()).headers.get('set-cookie');
      caller.cookie = cookie?.split(';')[0] ?? '';
    },
    get: (path) => exchanged(path),
    post: (path, body) => exchanged(path, body),
    async refused(path, body, status, code) {
      await expectRefusal(service, request(path, body), status, code);
    },
    async proposal(account, change = {}) {
      hashes += 1;
      const hash: Hex = `0x${wallet.address.slice(2).padStart(56, '0')}${String(hashes).padStart(8, '0')}`;
      const user_op_hash = (change['user_op_hash'] as Hex | undefined) ?? hash;
      return {
        account_id: account.accountId,
        payload: 'p',
        nonce: '0',
        ttl_seconds: 60,
        signature: await wallet.sign(user_op_hash),
        ...change,
        user_op_hash,
      };
    },
  };
  return caller;
}
