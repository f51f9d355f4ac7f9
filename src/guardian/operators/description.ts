import * as v from 'valibot';
import type { ErrorCode } from '../../errors.ts';
import type { ApiPart, Operation, Parameter } from '../../http/openapi/operation.ts';
import { loginBody } from './login.ts';
import { pauseBody, unpauseBody } from './pause.ts';
import * as wire from './wire.ts';

const ok = (schema: v.GenericSchema, description: string) => [
  { status: 200, description, schema } as const,
];
const optional = (description: string): Parameter => ({
  schema: v.string(),
  description,
  required: false,
});
const account: Record<string, Parameter> = {
  id: { schema: v.string(), description: 'Miden or EVM account id.' },
};
const pages: Record<string, Parameter> = {
  limit: optional('Items of a page, 1 to 500; 50 without it.'),
  cursor: optional('What the page before ended with.'),
};
const ofPages = ['invalid_limit', 'invalid_cursor'] as const;

const login: Operation[] = [
  {
    method: 'GET',
    path: '/auth/challenge',
    id: 'operatorChallenge',
    summary: 'What an operator signs to log in.',
    parameters: {
      commitment: { schema: v.string(), description: 'Commitment of the operator’s key.' },
    },
    answers: ok(wire.challengeAnswer, 'A challenge, good for five minutes; for anybody.'),
    errors: ['invalid_commitment', 'configuration_error'],
  },
  {
    method: 'POST',
    path: '/auth/verify',
    id: 'operatorLogin',
    summary: 'Opens a session; the cookie comes with the answer.',
    body: loginBody,
    answers: ok(wire.loginAnswer, 'Logged in.'),
    errors: ['authentication_failed', 'configuration_error', 'data_unavailable'],
  },
  {
    method: 'POST',
    path: '/auth/logout',
    id: 'operatorLogout',
    summary: 'Ends the session, if there is one.',
    answers: ok(wire.logoutAnswer, 'Logged out.'),
  },
  {
    method: 'GET',
    path: '/dashboard/session',
    id: 'operatorSession',
    summary: 'Who is logged in, with which permissions.',
    access: 'operatorSession',
    answers: ok(wire.sessionAnswer, 'The operator.'),
  },
];

/** A read that needs `dashboard:read`. */
function read(
  path: string,
  id: string,
  summary: string,
  answer: v.GenericSchema,
  more: { parameters?: Record<string, Parameter>; errors?: readonly ErrorCode[] } = {},
): Operation {
  return {
    method: 'GET',
    path: `/dashboard/${path}`,
    id,
    summary: `${summary} Needs \`dashboard:read\`.`,
    access: 'operatorSession',
    ...(more.parameters ? { parameters: more.parameters } : {}),
    answers: ok(answer, 'What was asked for.'),
    errors: ['insufficient_operator_permission', 'data_unavailable', ...(more.errors ?? [])],
  };
}

const listOfAccount = {
  parameters: { ...account, ...pages },
  errors: ['account_not_found', ...ofPages] as const,
};

const reads: Operation[] = [
  read('info', 'operatorInfo', 'Counts and settings of the service.', wire.infoAnswer),
  read('accounts', 'operatorAccounts', 'Accounts, the last changed first.', wire.accountsAnswer, {
    parameters: { ...pages, paused: optional('true or false; all without it.') },
    errors: ['invalid_input', ...ofPages],
  }),
  read('accounts/:id', 'operatorAccount', 'One account.', wire.accountAnswer, {
    parameters: account,
    errors: ['account_not_found'],
  }),
  read('accounts/:id/snapshot', 'operatorSnapshot', 'The vault.', wire.snapshotAnswer, {
    parameters: account,
    errors: ['account_not_found', 'account_data_unavailable', 'unsupported_for_network'],
  }),
  read(
    'accounts/:id/deltas',
    'operatorAccountDeltas',
    'Deltas of an account, the highest nonce first.',
    wire.deltasOfAccountAnswer,
    listOfAccount,
  ),
  read('accounts/:id/deltas/:nonce', 'operatorDelta', 'What a delta does.', wire.deltaAnswer, {
    parameters: {
      ...account,
      nonce: { schema: v.string(), description: 'Canonical decimal.' },
      include: optional('raw: with the transaction summary as it was sent.'),
    },
    errors: ['delta_not_found', 'account_data_unavailable', 'invalid_input'],
  }),
  read(
    'accounts/:id/proposals',
    'operatorAccountProposals',
    'Pending proposals of an account.',
    wire.proposalsOfAccountAnswer,
    listOfAccount,
  ),
  read('deltas', 'operatorDeltas', 'Deltas, the last to change first.', wire.deltasAnswer, {
    parameters: { ...pages, status: optional('Comma list; all without it.') },
    errors: ['invalid_status_filter', ...ofPages],
  }),
  read('proposals', 'operatorProposals', 'Pending proposals.', wire.proposalsAnswer, {
    parameters: pages,
    errors: ofPages,
  }),
];

/** A change that needs `accounts:pause`. */
const change = (verb: 'pause' | 'unpause', body: v.GenericSchema, answer: v.GenericSchema) =>
  ({
    method: 'POST',
    path: `/dashboard/accounts/:id/${verb}`,
    id: verb === 'pause' ? 'operatorPause' : 'operatorUnpause',
    summary: `${verb === 'pause' ? 'Holds' : 'Lets'} an account’s changes ${verb === 'pause' ? 'up' : 'pass again'}. Needs \`accounts:pause\`.`,
    access: 'operatorSession',
    parameters: account,
    body,
    answers: ok(answer, 'The state before and after.'),
    errors: ['insufficient_operator_permission', 'account_not_found'],
  }) as const satisfies Operation;

/** The API of operators (protocol §1.5, O1 to O15). */
export const operatorPart: ApiPart = {
  tag: 'Operators',
  description: 'For the holders of the keys in GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE.',
  operations: [
    ...login,
    ...reads,
    change('pause', pauseBody, wire.pausedAnswer),
    change('unpause', unpauseBody, wire.unpausedAnswer),
  ],
  access: {
    operatorSession: {
      schemes: {
        operatorSession: {
          type: 'apiKey',
          in: 'cookie',
          name: 'guardian_operator_session',
          description: 'Set by POST /auth/verify.',
        },
      },
      errors: ['authentication_failed', 'configuration_error'],
    },
  },
  errors: ['storage_error', 'rate_limit_exceeded'],
};
