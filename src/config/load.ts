import * as v from 'valibot';
import type { Setting } from './setting.ts';
import { settings } from './settings.ts';

export type Config = {
  readonly [K in keyof typeof settings]: v.InferOutput<(typeof settings)[K]['schema']>;
};

/** The environment cannot be used. The message names each variable and never a secret. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/**
 * Parses the environment; blank counts as unset.
 * @throws ConfigError listing every variable that cannot be used.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const config: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const raw = env[name]?.trim() ? env[name] : (setting.fallback ?? undefined);
    const parsed = v.safeParse(setting.schema, raw);
    if (parsed.success) {
      config[name] = parsed.output;
    } else {
      const shown = setting.secret ? '' : ` (it is "${raw}")`;
      faults.push(`${name}: ${parsed.issues[0].message}${shown}`);
    }
  }
  if (faults.length > 0) {
    throw new ConfigError(`The configuration cannot be used:\n  ${faults.join('\n  ')}`);
  }
  return config as Config;
}

/** Whether the production guards apply. */
export const isProduction = (config: Config): boolean => config.GUARDIAN_ENV === 'prod';

const publicNodes = {
  local: 'http://localhost:57291',
  devnet: 'https://rpc.devnet.miden.io',
  testnet: 'https://rpc.testnet.miden.io',
} as const;

/**
 * Network and node to use.
 * @throws ConfigError when GUARDIAN_NETWORK_TYPE is unset.
 */
export function chainOf(config: Config): { network: keyof typeof publicNodes; endpoint: string } {
  const network = config.GUARDIAN_NETWORK_TYPE;
  if (!network) {
    throw new ConfigError('Set GUARDIAN_NETWORK_TYPE to local, devnet or testnet.');
  }
  return { network, endpoint: config.GUARDIAN_MIDEN_RPC_ENDPOINT ?? publicNodes[network] };
}

/**
 * What production refuses. Each message names the remedy.
 * @throws ConfigError
 */
export function assertProductionReady(config: Config): void {
  if (!isProduction(config)) return;
  const faults: string[] = [];
  if (!config.DATABASE_URL) {
    faults.push('The embedded database cannot be shared: set DATABASE_URL.');
  }
  if (config.GUARDIAN_ACK_SECRET_PROVIDER === 'none') {
    faults.push('Generated keys differ on each machine: set GUARDIAN_ACK_SECRET_PROVIDER.');
  }
  if (config.GUARDIAN_NETWORK_TYPE === 'local') {
    faults.push(
      'A development chain proves nothing: set GUARDIAN_NETWORK_TYPE to testnet or devnet.',
    );
  }
  if (config.GUARDIAN_RATE_LIMIT_ENABLED) {
    const replicas = config.GUARDIAN_MAX_REPLICAS;
    for (const name of ['GUARDIAN_RATE_BURST_PER_SEC', 'GUARDIAN_RATE_PER_MIN'] as const) {
      if (config[name] >= replicas) continue;
      faults.push(
        `${name}=${config[name]} is less than one for each of ${replicas} replicas: raise it, or lower GUARDIAN_MAX_REPLICAS.`,
      );
    }
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
}
