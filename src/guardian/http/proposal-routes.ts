import type { Route } from '../../http/routes.ts';
import type { GuardianContext } from '../context.ts';
import { createProposal } from '../proposals/create.ts';
import { listProposals, parseCommitment, readProposal } from '../proposals/read.ts';
import { signProposal } from '../proposals/sign.ts';
import { proposalObject } from '../proposals/wire.ts';
import { exactJson, readSignedBody, readSignedQuery } from './requests.ts';

/** Proposals: create, list, read, sign (protocol §1.4, C10 to C13). */
export function proposalRoutes(
  context: GuardianContext,
  { maxRequestBytes }: { maxRequestBytes: number },
): Route[] {
  return [
    {
      method: 'POST',
      path: '/delta/proposal',
      handle: async (c) => {
        const { body, request } = await readSignedBody(c, maxRequestBytes);
        const row = await createProposal(context, body, request);
        return exactJson(c, { delta: proposalObject(row), commitment: row.commitment });
      },
    },
    {
      method: 'GET',
      path: '/delta/proposal',
      handle: async (c) => {
        const rows = await listProposals(context, readSignedQuery(c, {}));
        return exactJson(c, { proposals: rows.map((row) => proposalObject(row)) });
      },
    },
    {
      method: 'GET',
      path: '/delta/proposal/single',
      handle: async (c) => {
        // what was signed is the text of the query, whatever its case
        const commitment = c.req.query('commitment') ?? '';
        const wanted = parseCommitment(commitment);
        const row = await readProposal(context, readSignedQuery(c, { commitment }), wanted);
        return exactJson(c, proposalObject(row));
      },
    },
    {
      method: 'PUT',
      path: '/delta/proposal',
      handle: async (c) => {
        const { body, request } = await readSignedBody(c, maxRequestBytes);
        return exactJson(c, proposalObject(await signProposal(context, body, request)));
      },
    },
  ];
}
