import type { Cursors } from '../../http/cursor.ts';
import { parseLimit } from '../../http/cursor.ts';
import type { Route } from '../../http/routes.ts';
import { parseAccountId } from '../authentication/authenticate.ts';
import type { GuardianContext } from '../context.ts';
import { readDeltasSince, readHistory } from '../deltas/history.ts';
import { deltaObject } from '../deltas/wire.ts';
import { exactJson, readNonce, readSignedQuery } from './requests.ts';

/** What has become canonical: merged, or page by page (protocol §1.4, C8 and C9). */
export function historyRoutes(context: GuardianContext, cursors: Cursors): Route[] {
  return [
    {
      method: 'GET',
      path: '/delta/since',
      handle: async (c) => {
        const nonce = readNonce(c);
        const merged = await readDeltasSince(context, readSignedQuery(c, { nonce }), nonce);
        return exactJson(c, deltaObject(merged));
      },
    },
    {
      method: 'GET',
      path: '/delta/history',
      handle: async (c) => {
        const { limit, cursor } = c.req.query();
        const purpose = `history:${parseAccountId(c.req.query('account_id'))}`;
        // both are decided before authentication
        const most = parseLimit(limit);
        const before = cursor ? BigInt(cursors.open(purpose, cursor)) : null;
        const signed = readSignedQuery(c, {
          ...(limit === undefined ? {} : { limit }),
          ...(cursor === undefined ? {} : { cursor }),
        });
        const { items, next } = await readHistory(context, signed, most, before);
        return exactJson(c, {
          items,
          next_cursor: next === null ? null : cursors.seal(purpose, String(next)),
        });
      },
    },
  ];
}
