import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openDatabase } from '../../src/database/connect.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { runAs } from '../support/postgres-binaries.ts';
import {
  issuerCertificate,
  otherIssuerCertificate,
  serverCertificate,
  serverKey,
} from './tls-certificates.ts';

let folder: string;
let cluster: Cluster;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'canonry-tls-'));
  fs.chmodSync(folder, 0o755);
  const write = (name: string, text: string) => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text, { mode: 0o600 });
    if (runAs.uid !== undefined) fs.chownSync(file, runAs.uid, runAs.gid);
    return file;
  };
  write('issuer.pem', issuerCertificate);
  write('other.pem', otherIssuerCertificate);
  cluster = await startCluster({
    settings: [
      'ssl=on',
      `ssl_cert_file=${write('server.pem', serverCertificate)}`,
      `ssl_key_file=${write('server.key', serverKey)}`,
    ],
  });
});

afterAll(async () => {
  await cluster.remove();
  fs.rmSync(folder, { recursive: true });
});

const encrypted = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

/** What both drivers say about their connection, or how they refuse to make one. */
async function connectWith(host: string, query: string): Promise<unknown[]> {
  const url = `postgres://postgres@${host}:${cluster.port}/postgres?${query}`;
  const database = await openDatabase({ databaseUrl: url });
  onTestFinished(() => database.close());
  const answers = await Promise.allSettled([
    database.sql.unsafe(encrypted).then(([row]) => row?.['ssl']),
    database
      .workerPool()
      .query(encrypted)
      .then(({ rows }) => rows[0]?.ssl),
  ]);
  return answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'refused'));
}

describe('a server whose certificate says localhost', () => {
  it.each([
    ['127.0.0.1', 'sslmode=disable', false],
    ['127.0.0.1', 'sslmode=require', true],
    ['127.0.0.1', 'sslmode=require&sslrootcert=other.pem', 'refused'],
    ['127.0.0.1', 'sslmode=verify-ca&sslrootcert=issuer.pem', true],
    ['localhost', 'sslmode=verify-ca&sslrootcert=other.pem', 'refused'],
    ['localhost', 'sslmode=verify-full&sslrootcert=issuer.pem', true],
    ['127.0.0.1', 'sslmode=verify-full&sslrootcert=issuer.pem', 'refused'],
    ['localhost', 'sslmode=verify-full&sslrootcert=other.pem', 'refused'],
    ['localhost', 'sslmode=verify-full&sslrootcert=system', 'refused'],
  ])('%s with %s: %s', async (host, query, expected) => {
    const answers = await connectWith(host, query.replace(/(\w+\.pem)/, `${folder}/$1`));
    expect(answers).toEqual([expected, expected]);
  });
});
