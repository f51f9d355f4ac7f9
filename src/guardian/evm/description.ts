import * as v from 'valibot';
import type { ApiPart, Operation, Parameter } from '../../http/openapi/operation.ts';
import { registered, registration } from './accounts.ts';
import { challengeAnswer, loginAnswer, loginBody, successAnswer } from './login/wire.ts';
import {
  approval,
  cancellation,
  executableAnswer,
  proposalAnswer,
  proposalBody,
  proposalsAnswer,
} from './proposals/wire.ts';
import { address, bytes32 } from './values.ts';

const account: Record<string, Parameter> = {
  account_id: {
    schema: v.pipe(v.string(), v.regex(/^evm:[1-9]\d{0,15}:0x[0-9a-fA-F]{40}$/)),
    description: 'EVM account id.',
  },
};
const proposal: Record<string, Parameter> = {
  proposal_id: { schema: bytes32, description: 'Id of the proposal.' },
};

const ok = (schema: v.GenericSchema, description: string) => [
  { status: 200, description, schema } as const,
];

const ofAccount = [
  'invalid_account_id',
  'unsupported_for_network',
  'account_not_found',
  'signer_not_authorized',
] as const;
const ofChain = ['unsupported_evm_chain', 'rpc_unavailable', 'rpc_validation_failed'] as const;
const changes = ['account_paused', 'account_released'] as const;

const login: Operation[] = [
  {
    method: 'GET',
    path: '/evm/auth/challenge',
    id: 'evmChallenge',
    summary: 'What a wallet signs to log in (EIP-712).',
    parameters: { address: { schema: address, description: 'Address of the wallet.' } },
    answers: ok(challengeAnswer, 'The challenge, good for five minutes.'),
    errors: ['invalid_input'],
  },
  {
    method: 'POST',
    path: '/evm/auth/verify',
    id: 'evmLogin',
    summary: 'Opens a session; the cookie comes with the answer.',
    body: loginBody,
    answers: ok(loginAnswer, 'Logged in.'),
    errors: ['authentication_failed'],
  },
  {
    method: 'POST',
    path: '/evm/auth/logout',
    id: 'evmLogout',
    summary: 'Ends the session, if there is one.',
    answers: ok(successAnswer, 'Logged out.'),
  },
];

const accounts: Operation[] = [
  {
    method: 'POST',
    path: '/evm/accounts',
    id: 'evmRegisterAccount',
    summary: 'Makes an ERC-7579 account known.',
    access: 'evmSession',
    body: registration,
    answers: ok(registered, 'The account with its signers on chain.'),
    errors: ['invalid_network_config', 'signer_not_authorized', ...ofChain],
  },
];

const proposals: Operation[] = [
  {
    method: 'POST',
    path: '/evm/proposals',
    id: 'evmCreateProposal',
    summary: 'Stores a user operation with its proposer’s signature.',
    access: 'evmSession',
    body: proposalBody,
    answers: ok(proposalAnswer, 'The proposal as it stands.'),
    errors: [
      'invalid_evm_proposal',
      'invalid_proposal_signature',
      'invalid_network_config',
      'pending_proposals_limit',
      'proposal_not_found',
      'account_data_unavailable',
      ...ofAccount,
      ...ofChain,
      ...changes,
    ],
  },
  {
    method: 'GET',
    path: '/evm/proposals',
    id: 'evmListProposals',
    summary: 'Active proposals of an account.',
    access: 'evmSession',
    parameters: account,
    answers: ok(proposalsAnswer, 'The proposals.'),
    errors: ['account_data_unavailable', ...ofAccount, ...ofChain],
  },
  {
    method: 'GET',
    path: '/evm/proposals/:proposal_id',
    id: 'evmGetProposal',
    summary: 'One active proposal.',
    access: 'evmSession',
    parameters: { ...proposal, ...account },
    answers: ok(proposalAnswer, 'The proposal.'),
    errors: ['proposal_not_found', 'account_data_unavailable', ...ofAccount, ...ofChain],
  },
  {
    method: 'POST',
    path: '/evm/proposals/:proposal_id/approve',
    id: 'evmApproveProposal',
    summary: 'Adds the session’s signature.',
    access: 'evmSession',
    parameters: proposal,
    body: approval,
    answers: ok(proposalAnswer, 'The proposal with the signature.'),
    errors: [
      'invalid_proposal_signature',
      'proposal_already_signed',
      'proposal_not_found',
      'account_data_unavailable',
      ...ofAccount,
      ...ofChain,
      ...changes,
    ],
  },
  {
    method: 'GET',
    path: '/evm/proposals/:proposal_id/executable',
    id: 'evmGetExecutable',
    summary: 'What a relayer needs to execute a proposal.',
    access: 'evmSession',
    parameters: { ...proposal, ...account },
    answers: ok(executableAnswer, 'Enough have signed.'),
    errors: [
      'insufficient_signatures',
      'proposal_not_found',
      'account_data_unavailable',
      ...ofAccount,
      ...ofChain,
    ],
  },
  {
    method: 'POST',
    path: '/evm/proposals/:proposal_id/cancel',
    id: 'evmCancelProposal',
    summary: 'Takes a proposal back, by whoever proposed it.',
    access: 'evmSession',
    parameters: proposal,
    body: cancellation,
    answers: ok(successAnswer, 'Taken back.'),
    errors: ['authorization_failed', 'proposal_not_found', ...ofAccount, ...changes],
  },
];

/** The API of EVM accounts (protocol §1.10). */
export const evmPart: ApiPart = {
  tag: 'EVM (optional)',
  description: 'EVM accounts. Served where GUARDIAN_EVM_RPC_URLS is set; 404 elsewhere.',
  optional: true,
  operations: [...login, ...accounts, ...proposals],
  access: {
    evmSession: {
      schemes: {
        evmSession: {
          type: 'apiKey',
          in: 'cookie',
          name: 'guardian_evm_session',
          description: 'Set by POST /evm/auth/verify.',
        },
      },
      errors: ['authentication_failed'],
    },
  },
  errors: ['storage_error', 'rate_limit_exceeded'],
  components: { EvmProposal: proposalAnswer },
};
