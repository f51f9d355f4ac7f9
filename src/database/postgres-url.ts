import fs from 'node:fs';
import tls from 'node:tls';

/** Where a Postgres is and how to reach it, in the terms both drivers understand. */
export interface PostgresTarget {
  /** Host name or address, or the directory of a Unix socket. */
  host: string;
  port: number;
  database: string;
  user: string;
  password: string | undefined;
  ssl: false | tls.ConnectionOptions;
  sslMode: SslMode;
}

export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** The URL of a database cannot be used. The message never holds the URL or its password. */
class DatabaseUrlError extends Error {
  override name = 'DatabaseUrlError';
}

const sslModes: readonly string[] = ['disable', 'require', 'verify-ca', 'verify-full'];
const parameters: readonly string[] = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'host'];

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`.
 *
 * sslmode is `disable` (the default), `require` (encrypted, the server is not authenticated),
 * `verify-ca` or `verify-full`; the last two need `sslrootcert`, a file or `system`. As in
 * libpq, `require` with `sslrootcert` checks the certificate's issuer. `allow` and `prefer` are
 * refused: they fall back to plain text without a word. Other parameters are refused rather
 * than ignored, because some of them (`channel_binding`) are promises of security.
 */
export function parsePostgresUrl(text: string): PostgresTarget {
  const url = parseUrl(text);
  const query = url.searchParams;
  for (const name of query.keys()) {
    if (!parameters.includes(name)) {
      throw new DatabaseUrlError(
        `The database URL has the parameter "${name}", which is not supported. ` +
          `Supported are ${parameters.join(', ')}.`,
      );
    }
  }
  const host = query.get('host') ?? decode(url.hostname.replace(/^\[(.*)\]$/, '$1'));
  if (!host) throw new DatabaseUrlError('The database URL names no host.');
  const user = decode(url.username) || 'postgres';
  const sslMode = parseSslMode(query.get('sslmode'), query);
  return {
    host,
    port: url.port ? Number(url.port) : 5432,
    database: decode(url.pathname.slice(1)) || user,
    user,
    password: url.password ? decode(url.password) : undefined,
    ssl: tlsOptions(sslMode, host, query),
    sslMode,
  };
}

/** Whether both name one server and database, whoever logs in: neither is then a pooler of the other. */
export function isSameServer(one: PostgresTarget, other: PostgresTarget): boolean {
  return one.host === other.host && one.port === other.port && one.database === other.database;
}

/** For people and logs: where, never who or with which password. */
export function describeTarget(target: PostgresTarget): string {
  const { host, port, database, sslMode } = target;
  return `postgres ${host}:${port}/${database} (sslmode ${sslMode})`;
}

function parseUrl(text: string): URL {
  if (!/^postgres(ql)?:\/\//.test(text)) {
    throw new DatabaseUrlError('The database URL must begin with postgres:// or postgresql://.');
  }
  try {
    return new URL(text);
  } catch {
    // Not the parser's own message: it would repeat the text with its password.
    throw new DatabaseUrlError(
      'The database URL cannot be parsed. Are special characters of the password %-encoded?',
    );
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new DatabaseUrlError('The database URL has a part that is not valid %-encoding.');
  }
}

function parseSslMode(value: string | null, query: URLSearchParams): SslMode {
  const mode = value ?? 'disable';
  if (mode === 'allow' || mode === 'prefer') {
    throw new DatabaseUrlError(
      `sslmode=${mode} can fall back to plain text unnoticed. ` +
        'Use require, verify-ca or verify-full, or disable to say that plain text is meant.',
    );
  }
  if (!isSslMode(mode)) {
    throw new DatabaseUrlError(`sslmode must be one of ${sslModes.join(', ')}.`);
  }
  const root = query.get('sslrootcert');
  if (mode.startsWith('verify-') && !root) {
    throw new DatabaseUrlError(
      `sslmode=${mode} needs sslrootcert: the file of the issuing certificate, or "system".`,
    );
  }
  if (mode !== 'verify-full' && root === 'system') {
    throw new DatabaseUrlError('sslrootcert=system needs sslmode=verify-full.');
  }
  if (mode === 'disable' && ['sslrootcert', 'sslcert', 'sslkey'].some((key) => query.has(key))) {
    throw new DatabaseUrlError('The database URL names certificates, but sslmode is disable.');
  }
  return mode;
}

function isSslMode(value: string): value is SslMode {
  return sslModes.includes(value);
}

function tlsOptions(
  mode: SslMode,
  host: string,
  query: URLSearchParams,
): false | tls.ConnectionOptions {
  if (mode === 'disable') return false;
  const root = query.get('sslrootcert');
  const options: tls.ConnectionOptions = {
    ...readCertificate('cert', query.get('sslcert')),
    ...readCertificate('key', query.get('sslkey')),
    ...readCertificate('ca', root === 'system' ? null : root),
  };
  if (mode === 'require' && !root) return { ...options, rejectUnauthorized: false };
  const checkServerIdentity: typeof tls.checkServerIdentity =
    mode === 'verify-full'
      ? (_name, certificate) => tls.checkServerIdentity(host, certificate)
      : () => undefined; // verify-ca: any name, as long as our issuer signed it
  return { ...options, rejectUnauthorized: true, checkServerIdentity };
}

function readCertificate(option: 'ca' | 'cert' | 'key', file: string | null) {
  if (!file) return {};
  try {
    return { [option]: fs.readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new DatabaseUrlError(`Cannot read ${file}, which the database URL names.`, { cause });
  }
}
