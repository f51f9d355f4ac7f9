import type { Sql } from '../../database/connect.ts';
import type { Route } from '../../http/routes.ts';
import { operatorLimits } from '../../limits.ts';
import { sweepRegularly, sweepSessions } from '../sessions/sweep.ts';
import type { OperatorContext } from './context.ts';
import { noOperators, openAllowlist } from './allowlist.ts';
import { operatorRoutes } from './routes.ts';

/**
 * The operators' API of one process, and the upkeep of what it rests on: expired challenges and
 * sessions of every realm, and the count of canonical deltas.
 * @param allowlistFile undefined: there are no operators.
 * @throws AllowlistError
 */
export async function openOperators(
  options: Omit<OperatorContext, 'allowlist'> & { allowlistFile: string | undefined },
): Promise<{ routes: Route[]; close(): Promise<void> }> {
  const { allowlistFile, ...rest } = options;
  const { sql, log } = options;
  const allowlist = allowlistFile ? await openAllowlist(allowlistFile, log) : noOperators;
  const sweeper = sweepRegularly(async () => {
    await sweepSessions(sql);
    await countCanonical(sql);
  }, log);
  return { routes: operatorRoutes({ ...rest, allowlist }), close: () => sweeper.stop() };
}

/** Counts what has become canonical since the last time, piece by piece. */
async function countCanonical(sql: Sql): Promise<void> {
  for (let more = true; more;) {
    const [row] = await sql<{ more: boolean }[]>`
      select guardian.count_canonical(${operatorLimits.countedAtOnce}) as more`;
    more = row?.more ?? false;
  }
}
