import type { Context } from 'hono';
import { ServiceError } from '../../errors.ts';
import { readJson } from '../../http/body.ts';
import type { Route } from '../../http/routes.ts';
import { registerAccount } from './accounts.ts';
import { EvmChainError } from './chain/chain.ts';
import type { EvmContext } from './context.ts';
import { challengeWallet, openWalletSession } from './login/login.ts';
import { endSession, requireSession, sendSession } from './login/session.ts';
import { approveProposal, cancelProposal } from './proposals/approve.ts';
import { createProposal } from './proposals/create.ts';
import { listProposals, readExecutable, readProposal } from './proposals/read.ts';
import { executableObject, proposalObject } from './proposals/wire.ts';
import type { Hex } from './values.ts';

/** The API of EVM accounts (protocol §1.10, E1 to E10). */
export function evmRoutes(context: EvmContext): Route[] {
  return [...loginRoutes(context), ...accountRoutes(context)].map(withChainFaults);
}

function loginRoutes(context: EvmContext): Route[] {
  return [
    {
      method: 'GET',
      path: '/evm/auth/challenge',
      handle: async (c) => c.json(await challengeWallet(context, c.req.query('address'))),
    },
    {
      method: 'POST',
      path: '/evm/auth/verify',
      handle: async (c) => {
        const session = await openWalletSession(
          context,
          await readJson(c, context.maxRequestBytes),
        );
        sendSession(c, context.cookies, session);
        return c.json({ address: session.address, expires_at: session.expiresAt.getTime() });
      },
    },
    {
      method: 'POST',
      path: '/evm/auth/logout',
      handle: async (c) => {
        await endSession(c, context);
        return c.json({ success: true });
      },
    },
  ];
}

function accountRoutes(context: EvmContext): Route[] {
  /** A route that needs a session, which is looked at before anything else. */
  const forSession = (
    method: Route['method'],
    path: string,
    answer: (c: Context, session: Hex) => Promise<object>,
  ): Route => ({
    method,
    path,
    handle: async (c) => c.json(await answer(c, await requireSession(c, context))),
  });
  const proposalOf = (c: Context) => c.req.param('proposal_id');
  const accountOf = (c: Context) => c.req.query('account_id');
  return [
    forSession('POST', '/evm/accounts', async (c, session) =>
      registerAccount(context, session, await readJson(c, context.maxRequestBytes)),
    ),
    forSession('POST', '/evm/proposals', async (c, session) =>
      proposalObject(
        await createProposal(context, session, await readJson(c, context.maxRequestBytes)),
      ),
    ),
    forSession('GET', '/evm/proposals', async (c, session) => ({
      proposals: (await listProposals(context, session, accountOf(c))).map(proposalObject),
    })),
    forSession('GET', '/evm/proposals/:proposal_id', async (c, session) =>
      proposalObject(await readProposal(context, session, accountOf(c), proposalOf(c))),
    ),
    forSession('POST', '/evm/proposals/:proposal_id/approve', async (c, session) => {
      const body = await readJson(c, context.maxRequestBytes);
      return proposalObject(await approveProposal(context, session, proposalOf(c), body));
    }),
    forSession('GET', '/evm/proposals/:proposal_id/executable', async (c, session) =>
      executableObject(await readExecutable(context, session, accountOf(c), proposalOf(c))),
    ),
    forSession('POST', '/evm/proposals/:proposal_id/cancel', async (c, session) => {
      await cancelProposal(
        context,
        session,
        proposalOf(c),
        await readJson(c, context.maxRequestBytes),
      );
      return { success: true };
    }),
  ];
}

/** A route whose chain faults have become errors of the table. */
function withChainFaults(route: Route): Route {
  return {
    ...route,
    async handle(c) {
      try {
        return await route.handle(c);
      } catch (cause) {
        if (!(cause instanceof EvmChainError)) throw cause;
        const code = cause.kind === 'invalid' ? 'rpc_validation_failed' : 'rpc_unavailable';
        throw new ServiceError(code, undefined, { cause });
      }
    },
  };
}
