import type { AccountPlan } from '../../../../../src/guardian/networks/miden/account/build.ts';

/** A key commitment that is a word for every small number. */
export function commitmentOf(number: number): string {
  return `0x${number.toString(16).padStart(2, '0')}${'0'.repeat(62)}`;
}

export function planOf(
  protocol: AccountPlan['protocol'],
  more: Partial<AccountPlan> = {},
): AccountPlan {
  return {
    protocol,
    signers: [commitmentOf(1), commitmentOf(2)],
    scheme: 'falcon',
    threshold: 2,
    guardian: commitmentOf(9),
    salt: 7n,
    ...more,
  };
}

export const PROTOCOLS = ['0.15', '0.16'] as const;
