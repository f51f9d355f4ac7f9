/** EVM values as they come from clients and chains; inside the module they are lower-case hex. */
import * as v from 'valibot';
import { ServiceError } from '../../errors.ts';

export type Hex = `0x${string}`;

const hex = (bytes: number) =>
  v.pipe(
    v.string(),
    v.regex(new RegExp(`^0x[0-9a-fA-F]{${2 * bytes}}$`)),
    v.transform((text) => text.toLowerCase() as Hex),
  );

export const address = hex(20);
export const bytes32 = hex(32);
/** r, s, v. Signers that count from 0 mean the same; contracts take 27 and 28 only. */
export const signature = v.pipe(
  hex(65),
  v.transform((text) => text.replace(/0([01])$/, (_, bit) => (bit === '0' ? '1b' : '1c')) as Hex),
);

const largestUint256 = 2n ** 256n - 1n;
/** Decimal or 0x hex text. */
export const uint256 = v.pipe(
  v.string(),
  v.trim(),
  v.regex(/^(?:\d{1,78}|0x[0-9a-fA-F]{1,64})$/),
  v.transform((text) => BigInt(text)),
  v.maxValue(largestUint256),
);

export const chainId = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

export interface AccountKey {
  accountId: string;
  chainId: number;
  address: Hex;
}

export function accountKey(chain: number, account: Hex): AccountKey {
  return { accountId: `evm:${chain}:${account}`, chainId: chain, address: account };
}

/** @throws ServiceError `invalid_account_id`, or `unsupported_for_network` for a Miden account */
export function parseAccountId(value: unknown): AccountKey {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  const [, chain, account] = /^evm:([1-9]\d{0,15}):(0x[0-9a-f]{40})$/.exec(text) ?? [];
  if (account && Number.isSafeInteger(Number(chain))) {
    return accountKey(Number(chain), account as Hex);
  }
  if (/^0x[0-9a-f]{30}$/.test(text)) throw new ServiceError('unsupported_for_network');
  throw new ServiceError('invalid_account_id', 'This is not an EVM account id.');
}
