import type { DevChain } from '../../src/dev-chain/start.ts';

/** The variables of a process that talks to this chain and keeps its files in `folder`. */
export function systemEnvironment(
  folder: string,
  chain: Pick<DevChain, 'url'>,
): Record<string, string> {
  return {
    GUARDIAN_NETWORK_TYPE: 'local',
    // a test asks more of an endpoint than one client may
    GUARDIAN_RATE_LIMIT_ENABLED: 'false',
    GUARDIAN_MIDEN_RPC_ENDPOINT: chain.url,
    CANONRY_DATA_DIR: folder,
    PORT: '0',
    LOG_LEVEL: 'warn',
  };
}
