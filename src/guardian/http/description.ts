import * as v from 'valibot';
import type { ApiPart, Operation, Parameter } from '../../http/openapi/operation.ts';
import {
  commitmentText,
  configureBody,
  configuredAnswer,
  lookupAnswer,
  stateAnswer,
} from '../accounts/wire.ts';
import { accountIdText } from '../authentication/authenticate.ts';
import {
  abandonAnswer,
  abandonBody,
  deltaAnswer,
  deltaBody,
  historyAnswer,
} from '../deltas/wire.ts';
import {
  createdAnswer,
  proposalAnswer,
  proposalBodyInFull,
  proposalsAnswer,
  signBody,
} from '../proposals/wire.ts';
import { storedNonce } from '../wire-values.ts';
import { pubkeyAnswer, statusAnswer } from './wire.ts';

const account: Record<string, Parameter> = {
  account_id: { schema: accountIdText, description: 'Miden account id.' },
};
const from = (description: string): Record<string, Parameter> => ({
  nonce: { schema: storedNonce, description },
});

const ok = (schema: v.GenericSchema, description: string) => [
  { status: 200, description, schema } as const,
];

const changes = ['account_paused', 'account_released'] as const;

const open: Operation[] = [
  ...['/', '/status'].map((path): Operation => ({
    method: 'GET',
    path,
    id: path === '/' ? 'root' : 'status',
    summary: 'Version, network and uptime; never touches the database.',
    answers: ok(statusAnswer, 'The process runs.'),
  })),
  {
    method: 'GET',
    path: '/pubkey',
    id: 'pubkey',
    summary: 'The key that acknowledges deltas.',
    parameters: {
      scheme: {
        schema: v.string(),
        description: '`falcon` or `ecdsa`; anything else counts as `falcon`.',
        required: false,
      },
    },
    answers: ok(pubkeyAnswer, 'Commitment of the key; the key itself for `ecdsa`.'),
  },
];

const accounts: Operation[] = [
  {
    method: 'POST',
    path: '/configure',
    id: 'configure',
    summary: 'Stores an account, or replaces what is stored.',
    access: 'signed',
    body: configureBody,
    answers: ok(configuredAnswer, 'The account is stored.'),
    errors: [
      'authorization_failed',
      'conflict_pending_delta',
      'invalid_network_config',
      'rpc_unavailable',
    ],
  },
  {
    method: 'GET',
    path: '/state',
    id: 'getState',
    summary: 'The canonical state.',
    access: 'signed',
    parameters: account,
    answers: ok(stateAnswer, 'The state.'),
    errors: ['account_not_found', 'state_not_found', 'account_data_unavailable'],
  },
  {
    method: 'GET',
    path: '/state/lookup',
    id: 'lookUpAccounts',
    summary: 'Accounts of a key, for whoever holds it; signed over the key commitment.',
    access: 'signed',
    parameters: {
      key_commitment: { schema: commitmentText, description: 'Commitment of the key.' },
    },
    answers: ok(lookupAnswer, 'The accounts; none is an answer too.'),
    errors: ['invalid_input'],
  },
];

const deltas: Operation[] = [
  {
    method: 'POST',
    path: '/delta',
    id: 'submitDelta',
    summary: 'Verifies a delta, acknowledges it, and commits it as a candidate.',
    access: 'signed',
    body: deltaBody,
    answers: ok(deltaAnswer, 'The stored delta with its acknowledgement.'),
    errors: [
      'account_not_found',
      'invalid_delta',
      'commitment_mismatch',
      'conflict_pending_delta',
      'account_data_unavailable',
      'signing_error',
      ...changes,
    ],
  },
  {
    method: 'GET',
    path: '/delta',
    id: 'getDelta',
    summary: 'One delta by nonce, whatever its status.',
    access: 'signed',
    parameters: { ...account, ...from('Nonce of the delta.') },
    answers: ok(deltaAnswer, 'The delta, its payload as it was signed.'),
    errors: ['invalid_input', 'account_not_found', 'delta_not_found', 'account_data_unavailable'],
  },
  {
    method: 'POST',
    path: '/delta/candidate/abandon',
    id: 'abandonCandidate',
    summary: 'Records that a candidate will not land.',
    access: 'signed',
    body: abandonBody,
    answers: [{ status: 202, description: 'Recorded; the worker decides.', schema: abandonAnswer }],
    errors: ['account_not_found', 'delta_not_found', 'candidate_landed', ...changes],
  },
  {
    method: 'GET',
    path: '/delta/since',
    id: 'getDeltasSince',
    summary: 'All canonical deltas from a nonce on, merged into one.',
    access: 'signed',
    parameters: { ...account, ...from('The first nonce that counts.') },
    answers: ok(deltaAnswer, 'The merged delta.'),
    errors: [
      'invalid_input',
      'account_not_found',
      'delta_not_found',
      'invalid_delta',
      'account_data_unavailable',
    ],
  },
  {
    method: 'GET',
    path: '/delta/history',
    id: 'getDeltaHistory',
    summary: 'Canonical deltas page by page, newest first.',
    access: 'signed',
    parameters: {
      ...account,
      limit: {
        schema: v.pipe(v.string(), v.regex(/^\d{1,3}$/)),
        description: '1 to 500; 50 when it is left out. Signed as text.',
        required: false,
      },
      cursor: {
        schema: v.string(),
        description: '`next_cursor` of the page before.',
        required: false,
      },
    },
    answers: ok(historyAnswer, 'One page.'),
    errors: ['account_not_found', 'invalid_limit', 'invalid_cursor'],
  },
];

const commitment: Record<string, Parameter> = {
  commitment: { schema: commitmentText, description: 'Commitment of the proposed summary.' },
};

const proposals: Operation[] = [
  {
    method: 'POST',
    path: '/delta/proposal',
    id: 'createProposal',
    summary: 'Stores a proposal for the cosigners to sign.',
    access: 'signed',
    body: proposalBodyInFull,
    answers: ok(createdAnswer, 'The proposal as it stands.'),
    errors: [
      'account_not_found',
      'invalid_delta',
      'invalid_proposal_signature',
      'pending_proposals_limit',
      'account_data_unavailable',
      'conflict_pending_delta',
      'proposal_not_found',
      ...changes,
    ],
  },
  {
    method: 'GET',
    path: '/delta/proposal',
    id: 'listProposals',
    summary: 'The pending proposals of an account, by nonce.',
    access: 'signed',
    parameters: account,
    answers: ok(proposalsAnswer, 'The proposals.'),
    errors: ['account_not_found', 'account_data_unavailable'],
  },
  {
    method: 'GET',
    path: '/delta/proposal/single',
    id: 'getProposal',
    summary: 'One pending proposal.',
    access: 'signed',
    parameters: { ...account, ...commitment },
    answers: ok(proposalAnswer, 'The proposal.'),
    errors: [
      'account_not_found',
      'invalid_commitment',
      'proposal_not_found',
      'account_data_unavailable',
    ],
  },
  {
    method: 'PUT',
    path: '/delta/proposal',
    id: 'signProposal',
    summary: 'Adds a cosigner’s signature.',
    access: 'signed',
    body: signBody,
    answers: ok(proposalAnswer, 'The proposal with the signature.'),
    errors: [
      'account_not_found',
      'invalid_commitment',
      'invalid_proposal_signature',
      'proposal_not_found',
      'proposal_already_signed',
      'account_data_unavailable',
      ...changes,
    ],
  },
];

/** The client API of Guardian (protocol §1.1). */
export const guardianPart: ApiPart = {
  tag: 'Guardian',
  description: 'Miden accounts: states, deltas, proposals.',
  operations: [...open, ...accounts, ...deltas, ...proposals],
  access: {
    signed: {
      schemes: {
        signerKey: header('x-pubkey', 'The signer’s key in hex, or its commitment.'),
        requestSignature: header(
          'x-signature',
          'Hex; Falcon or ECDSA over account id, timestamp and the canonical JSON of body or query.',
        ),
        requestTimestamp: header(
          'x-timestamp',
          'Unix milliseconds, within five minutes of the clock and above the signer’s last one.',
        ),
      },
      errors: [
        'authentication_failed',
        'authentication_replay',
        'invalid_account_id',
        'unsupported_for_network',
        'data_unavailable',
      ],
    },
  },
  errors: ['storage_error', 'rate_limit_exceeded'],
  components: {
    Delta: deltaAnswer,
    Proposal: proposalAnswer,
    State: stateAnswer,
  },
};

function header(name: string, description: string) {
  return { type: 'apiKey', in: 'header', name, description } as const;
}
