import type { Sql } from '../../database/connect.ts';
import type { Route } from '../../http/routes.ts';
import type { Log } from '../../observability/log.ts';
import { sweepRegularly, sweepRows } from '../sessions/sweep.ts';
import { ContractReader } from './chain/contracts.ts';
import { EvmNode } from './chain/node.ts';
import type { EvmContext } from './context.ts';
import { evmRoutes } from './routes.ts';
import type { Hex } from './values.ts';

/**
 * EVM accounts for one API process. This module brings viem along, so it is imported only where
 * EVM chains are configured.
 */
export function openEvm(
  options: Omit<EvmContext, 'chains'> & {
    rpcUrls: ReadonlyMap<number, readonly string[]>;
    entryPoint: string;
    log: Log;
  },
): { routes: Route[]; close(): Promise<void> } {
  const { rpcUrls, entryPoint, log, ...rest } = options;
  const chains = new Map(
    [...rpcUrls].map(([chainId, urls]) => {
      const nodes = urls.map((url) => new EvmNode(url, chainId));
      return [chainId, new ContractReader(nodes, entryPoint as Hex)]; // configuration checked it
    }),
  );
  const sweeper = sweepRegularly(() => sweepProposals(options.sql), log);
  return { routes: evmRoutes({ ...rest, chains }), close: () => sweeper.stop() };
}

function sweepProposals(sql: Sql): Promise<number> {
  return sweepRows(async (most) => {
    const [row] = await sql<{ swept: number }[]>`
      select guardian.sweep_evm_proposals(${most}) as swept`;
    return row?.swept ?? 0;
  });
}
