import type { Hex } from '../values.ts';

/** An active proposal as the database holds it. */
export interface ProposalRow {
  account_id: string;
  chain_id: number;
  address: Hex;
  proposal_id: Hex;
  validator: Hex;
  user_op_hash: Hex;
  payload: string;
  /** Decimal. */
  nonce: string;
  /** Decimal: nonce without its lower 64 bits. */
  nonce_key: string;
  proposer: Hex;
  signer_snapshot: Hex[];
  threshold: number;
  created_at: Date;
  expires_at: Date;
  /** In the order of signing; `signed_at` in Unix milliseconds. */
  signatures: { signer: Hex; signature: Hex; signed_at: number }[];
}

/** EvmProposal (protocol §1.10); times in Unix milliseconds. */
export function proposalObject(row: ProposalRow) {
  const { address: smart_account_address, validator: validator_address, ...rest } = row;
  return {
    ...rest,
    smart_account_address,
    validator_address,
    created_at: row.created_at.getTime(),
    expires_at: row.expires_at.getTime(),
  };
}

/** What a relayer needs to execute a proposal; signers and signatures in the same order. */
export function executableObject(row: ProposalRow) {
  return {
    hash: row.user_op_hash,
    payload: row.payload,
    signatures: row.signatures.map(({ signature }) => signature),
    signers: row.signatures.map(({ signer }) => signer),
  };
}
