/**
 * Every variable the system reads, with default, meaning and the reason for the default.
 * `docs/configuration.md` is generated from this table. Names follow Guardian's own variables
 * where the meaning is the same (protocol dossier §8).
 */
import * as v from 'valibot';
import { encryptionSettings } from './encryption-settings.ts';
import { parseRpcUrls } from './evm-rpc-urls.ts';
import { metricsSettings } from './metrics-settings.ts';
import { rateLimitSettings } from './rate-limit-settings.ts';
import {
  choice,
  httpUrl,
  integer,
  optionalInteger,
  optionalText,
  text,
  type Setting,
} from './setting.ts';

const origins = v.optional(
  v.pipe(
    text,
    v.transform((list) => list.split(',').map((origin) => origin.trim())),
    v.check((list) => !list.includes('*'), 'must not contain *'),
    v.check(
      (list) => list.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin),
      'must be a comma list of origins such as https://wallet.example',
    ),
  ),
);

const proxies = { false: 'none', true: 'forwarded', fly: 'fly' } as const;

export const settings = {
  DATABASE_URL: {
    schema: optionalText,
    fallback: null,
    secret: true,
    meaning:
      'Postgres 15 or newer for API and worker. A pooler in transaction mode (PgBouncer) only with DIRECT_DATABASE_URL beside it, on the API too: otherwise statements are prepared, which such a pooler breaks. Unset: an embedded PGlite database.',
    reason: 'A newcomer needs no database server; a fleet needs one that all machines share.',
  },
  DIRECT_DATABASE_URL: {
    schema: optionalText,
    fallback: null,
    secret: true,
    meaning:
      'The same database without a transaction pooler, for workers and migrations. Where its host, port or database differ from those of DATABASE_URL, that one is taken for a pooler.',
    reason: 'LISTEN and session locks do not pass through transaction pooling.',
  },
  GUARDIAN_DB_POOL_MAX_SIZE: {
    schema: integer(1, 200),
    fallback: '16',
    meaning: 'Connections of an API process to Postgres; a worker has up to twice as many.',
    reason: 'Upstream default. What a server has to allow: docs/runbook.md, Connections.',
  },
  CANONRY_DATA_DIR: {
    schema: text,
    fallback: '.canonry',
    meaning: 'Folder of the embedded database, the development chain and the generated keys.',
    reason: 'Inside the checkout, so that deleting the folder starts afresh.',
  },
  HOST: {
    schema: text,
    fallback: '127.0.0.1',
    meaning: 'Address the API listens on.',
    reason: 'A development stack must not be reachable from outside by accident.',
  },
  PORT: {
    schema: integer(0, 65_535),
    fallback: '3000',
    meaning: 'Port the API listens on; 0 lets the system choose.',
    reason: 'The port of the upstream service.',
  },
  CANONRY_WORKER_HEALTH_PORT: {
    schema: optionalInteger(0, 65_535),
    fallback: null,
    meaning: 'Port of the health endpoints of a worker. Unset: none.',
    reason: 'Only a platform that checks its machines needs it.',
  },
  CANONRY_DEV_CHAIN_PORT: {
    schema: integer(0, 65_535),
    fallback: '57291',
    meaning: 'Port of the development chain.',
    reason: 'The port of a local Miden node.',
  },
  GUARDIAN_ENV: {
    schema: v.optional(v.pipe(v.string(), v.trim(), v.toLowerCase())),
    fallback: null,
    meaning: '`prod` turns the production guards on.',
    reason: 'Development must work without any variable.',
  },
  GUARDIAN_NETWORK_TYPE: {
    schema: v.optional(choice(['local', 'devnet', 'testnet'])),
    fallback: null,
    meaning: 'Miden network: local, devnet or testnet. Required, except by `npm start`.',
    reason: 'Serving accounts of the wrong network must not happen by default.',
  },
  GUARDIAN_MIDEN_RPC_ENDPOINT: {
    schema: v.optional(httpUrl),
    fallback: null,
    meaning: 'Miden node. Unset: the public node of the network, or http://localhost:57291.',
    reason: 'Upstream defaults.',
  },
  GUARDIAN_MIDEN_RPC_TIMEOUT_MS: {
    schema: integer(100, 20_000),
    fallback: '10000',
    meaning: 'Deadline of one look at the chain, in milliseconds.',
    reason: 'Upstream default; must stay well below the time a claim is held (30 s).',
  },
  GUARDIAN_MIDEN_RPC_MAX_ATTEMPTS: {
    schema: integer(1, 5),
    fallback: '1',
    meaning: 'Attempts of one look at the chain within its deadline.',
    reason: 'The job looks again anyway.',
  },
  GUARDIAN_ACK_SECRET_PROVIDER: {
    schema: choice(['none', 'file', 'env']),
    fallback: 'none',
    meaning:
      'Where the acknowledgement keys come from: `none` generates a keystore on disk (refused in prod), `file` reads two files, `env` reads two variables.',
    reason: 'All replicas must use the same keys; generated ones are for one machine.',
  },
  GUARDIAN_ACK_FALCON_SECRET_PATH: {
    schema: optionalText,
    fallback: null,
    meaning: 'File with the Falcon secret key in hex, readable by its owner only.',
    reason: 'Used with the provider `file`.',
  },
  GUARDIAN_ACK_ECDSA_SECRET_PATH: {
    schema: optionalText,
    fallback: null,
    meaning: 'File with the ECDSA secret key in hex, readable by its owner only.',
    reason: 'Used with the provider `file`.',
  },
  GUARDIAN_ACK_FALCON_SECRET: {
    schema: optionalText,
    fallback: null,
    secret: true,
    meaning: 'Falcon secret key in hex.',
    reason: 'Used with the provider `env`: Fly.io hands secrets over as variables.',
  },
  GUARDIAN_ACK_ECDSA_SECRET: {
    schema: optionalText,
    fallback: null,
    secret: true,
    meaning: 'ECDSA secret key in hex.',
    reason: 'Used with the provider `env`: Fly.io hands secrets over as variables.',
  },
  GUARDIAN_KEYSTORE_PATH: {
    schema: optionalText,
    fallback: null,
    meaning: 'Folder of the generated keys. Unset: `keystore` in the data folder.',
    reason: 'Used with the provider `none`.',
  },
  GUARDIAN_MAX_PENDING_PROPOSALS_PER_ACCOUNT: {
    schema: integer(1, 1_000),
    fallback: '20',
    meaning:
      'Pending proposals on its current state that an account may have, and proposals in all that are kept.',
    reason: 'Upstream default; proposals on an older state do not count, they make room.',
  },
  GUARDIAN_DASHBOARD_CURSOR_SECRET: {
    schema: v.optional(
      v.pipe(
        text,
        v.regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be 64 hex digits'),
        v.transform((digits) => digits.replace(/^0x/, '')),
      ),
    ),
    fallback: null,
    secret: true,
    meaning: 'Key of page cursors, 64 hex digits, the same on all replicas. Unset: random.',
    reason: 'One machine needs none; several cannot continue the pages of each other without it.',
  },
  GUARDIAN_OPERATOR_PUBLIC_KEYS_FILE: {
    schema: optionalText,
    fallback: null,
    meaning:
      'File with a JSON list of the operators: public keys in hex, which may look at the dashboard, or `{ "public_key", "permissions" }` with any of `dashboard:read`, `accounts:pause`, `policies:write`. It is read for every request. Unset: no operators.',
    reason: 'Who may pause accounts is decided on the machine, and takes effect at once.',
  },
  GUARDIAN_MAX_REQUEST_BYTES: {
    schema: integer(1_024, 16_777_216),
    fallback: '1048576',
    meaning: 'Largest request body in bytes.',
    reason: 'Upstream default: an account with a long history still fits.',
  },
  GUARDIAN_CORS_ALLOWED_ORIGINS: {
    schema: origins,
    fallback: null,
    meaning: 'Comma list of browser origins. Unset: any origin, without credentials.',
    reason: 'Upstream behaviour: wallets call from anywhere and sign every request.',
  },
  CANONRY_TRUST_PROXY: {
    schema: v.pipe(
      choice(['false', 'true', 'fly']),
      v.transform((answer) => proxies[answer]),
    ),
    fallback: 'false',
    meaning:
      'The proxy before this process. `true`: it writes `X-Forwarded-For` (its entry is the last one) and `X-Forwarded-Proto`; `fly`: Fly.io, with `Fly-Client-IP`. From there come the address that rate limits and the audit use, and whether cookies are `Secure` (in prod they always are).',
    reason: 'Without a proxy the headers are whatever a client writes.',
  },
  ...rateLimitSettings,
  GUARDIAN_EVM_RPC_URLS: {
    schema: v.optional(
      v.pipe(
        text,
        v.rawTransform(({ dataset, addIssue, NEVER }) => {
          const parsed = parseRpcUrls(dataset.value);
          if (typeof parsed !== 'string') return parsed;
          addIssue({ message: parsed });
          return NEVER;
        }),
      ),
    ),
    fallback: null,
    secret: true,
    meaning:
      'Nodes of EVM chains, a comma list of `chain id=URL` such as `1=https://node.example/key,31337=http://127.0.0.1:8545`. A chain named again gets a further node, asked when those before it do not answer. Unset: no EVM accounts, and `/evm/*` is 404.',
    reason:
      'Only chains that somebody chose nodes for can be looked at; such URLs often hold keys.',
  },
  GUARDIAN_EVM_ENTRYPOINT_ADDRESS: {
    schema: v.pipe(
      text,
      v.regex(/^0x[0-9a-fA-F]{40}$/, 'must be 0x and 40 hex digits'),
      v.toLowerCase(),
    ),
    fallback: '0x433709009b8330fda32311df1c2afa402ed8d009',
    meaning: 'ERC-4337 EntryPoint whose nonces end proposals, the same on all chains.',
    reason: 'Upstream default: EntryPoint 0.9, at one address everywhere.',
  },
  CANONRY_COMPUTE_THREADS: {
    schema: optionalInteger(1, 64),
    fallback: null,
    meaning:
      'Threads for hashing and signatures in each process. Unset: cores minus one. Large accounts and bodies share one more, started when the first one comes.',
    reason: 'Signatures and commitments must not block the event loop.',
  },
  CANONRY_WORKER_CONCURRENCY: {
    schema: integer(1, 200),
    fallback: '20',
    meaning: 'Accounts that one worker process finalizes at the same time.',
    reason: 'Most of a look-up is waiting; writes share connections, so more costs none.',
  },
  GUARDIAN_MAX_CANDIDATES_PER_ACCOUNT: {
    schema: integer(1, 1_000),
    fallback: '1',
    meaning:
      'Candidates an account may have at once. With more than one, a delta may build on the result of the previous candidate; they are resolved in order.',
    reason: 'One is the upstream behaviour, which clients expect.',
  },
  GUARDIAN_CANONICALIZATION_RETAINED_TTL_SECONDS: {
    schema: integer(0, 31_536_000),
    fallback: '86400',
    meaning: 'How long a delta that was given up may still become canonical; 0 forgets it at once.',
    reason: 'Upstream default.',
  },
  GUARDIAN_CANONICALIZATION_RECONCILE_INTERVAL_SECONDS: {
    schema: integer(1, 86_400),
    fallback: '60',
    meaning:
      'Time between two looks at deltas that were given up, in the first quarter of an hour.',
    reason: 'Upstream default.',
  },
  WAKE_QUEUE: {
    schema: choice(['account', 'none']),
    fallback: 'account',
    meaning: 'Whether wake-ups carry a per-account queue name.',
    reason:
      'Order and exclusion rest on the fence in both modes; `none` scales further when tens of thousands of accounts are active at once.',
  },
  ...encryptionSettings,
  ...metricsSettings,
  LOG_LEVEL: {
    schema: choice(['debug', 'info', 'warn', 'error', 'silent']),
    fallback: 'info',
    meaning: 'Least severe log line that is written.',
    reason: 'One line a request and a resolution.',
  },
} as const satisfies Record<string, Setting<unknown>>;
