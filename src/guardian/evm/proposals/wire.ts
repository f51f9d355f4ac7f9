import * as v from 'valibot';
import { evmLimits } from '../../../limits.ts';
import { address, bytes32, chainId, signature, uint256, type Hex } from '../values.ts';

/** Body of POST /evm/proposals. */
export const proposalBody = v.object({
  account_id: v.string(),
  user_op_hash: bytes32,
  payload: v.pipe(
    v.string(),
    v.maxLength(evmLimits.payloadCharacters),
    // neither can be stored as it is
    v.check((text) => text.isWellFormed() && !text.includes('\0')),
  ),
  nonce: uint256,
  ttl_seconds: v.pipe(
    v.number(),
    v.safeInteger(),
    v.minValue(1),
    v.maxValue(evmLimits.proposalSeconds),
  ),
  signature,
});

/** Body of POST /evm/proposals/{id}/approve. */
export const approval = v.object({ account_id: v.string(), signature: v.string() });

/** Body of POST /evm/proposals/{id}/cancel. */
export const cancellation = v.object({ account_id: v.string() });

const milliseconds = v.pipe(v.number(), v.safeInteger());
const decimal = v.pipe(v.string(), v.regex(/^\d{1,78}$/));

/** EvmProposal (protocol §1.10); times in Unix milliseconds. */
export const proposalAnswer = v.object({
  proposal_id: bytes32,
  account_id: v.string(),
  chain_id: chainId,
  smart_account_address: address,
  validator_address: address,
  user_op_hash: bytes32,
  payload: v.string(),
  nonce: decimal,
  nonce_key: decimal,
  proposer: address,
  signer_snapshot: v.array(address),
  threshold: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  signatures: v.array(v.object({ signer: address, signature, signed_at: milliseconds })),
  created_at: milliseconds,
  expires_at: milliseconds,
});

/** Answer of GET /evm/proposals. */
export const proposalsAnswer = v.object({ proposals: v.array(proposalAnswer) });

/** What a relayer needs to execute a proposal; signers and signatures in the same order. */
export const executableAnswer = v.object({
  hash: bytes32,
  payload: v.string(),
  signatures: v.array(signature),
  signers: v.array(address),
});

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

export function proposalObject(row: ProposalRow): v.InferOutput<typeof proposalAnswer> {
  const { address: smart_account_address, validator: validator_address, ...rest } = row;
  return {
    ...rest,
    smart_account_address,
    validator_address,
    created_at: row.created_at.getTime(),
    expires_at: row.expires_at.getTime(),
  };
}

export function executableObject(row: ProposalRow): v.InferOutput<typeof executableAnswer> {
  return {
    hash: row.user_op_hash,
    payload: row.payload,
    signatures: row.signatures.map((signed) => signed.signature),
    signers: row.signatures.map(({ signer }) => signer),
  };
}
