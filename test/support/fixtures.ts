/**
 * Published test data that is not part of this repository: accounts, keys, deltas and
 * commitments of both protocol versions. Tests that use it say so when it is missing.
 */
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const besideTheProject = fileURLToPath(
  new URL('../../../shared/fixtures/guardian', import.meta.url),
);

/** Folder with the fixtures, or undefined. GUARDIAN_FIXTURES names another place. */
export const fixtureFolder: string | undefined = [
  process.env['GUARDIAN_FIXTURES'],
  besideTheProject,
].find((folder) => folder !== undefined && fs.existsSync(folder));

/** Shown as the reason, or in the name, of a skipped test. */
export const fixturesMissing = 'skipped: no fixtures (set GUARDIAN_FIXTURES to their folder)';

export const fixtureProtocols = ['0.15', '0.16'] as const;

export interface AccountFixture {
  account: { account_id: string; data: string };
  delta: {
    account_id: string;
    nonce: number;
    prev_commitment: string;
    new_commitment: string;
    delta_payload: { data: string };
  };
  keys: Record<string, string>;
  commitments: { initial_commitment: string; commitment_after_delta_1: string };
}

export function readAccountFixture(protocol: '0.15' | '0.16'): AccountFixture {
  const read = (name: string): unknown => JSON.parse(readFixture(`miden-${protocol}`, name));
  return {
    account: read('account.json') as AccountFixture['account'],
    delta: read('delta_1.json') as AccountFixture['delta'],
    keys: read('keys.json') as AccountFixture['keys'],
    commitments: read('commitments.json') as AccountFixture['commitments'],
  };
}

export interface LookupVectors {
  /** The word of the domain's name, in hex. */
  domainTag: string;
  vectors: { timestampMs: bigint; keyCommitment: string; message: string }[];
}

/** Messages of the lookup by key, timestamps up to the 64-bit limits. */
export function readLookupVectors(): LookupVectors {
  const text = readFixture('lookup_auth_vectors.json');
  // One timestamp is the largest i64, which JSON.parse would round.
  const exact = text.replaceAll(/("timestamp_ms":\s*)(-?\d+)/g, '$1"$2"');
  const file = JSON.parse(exact) as {
    domain_tag_hex: string;
    vectors: { timestamp_ms: string; key_commitment_hex: string; expected_digest_hex: string }[];
  };
  return {
    domainTag: file.domain_tag_hex,
    vectors: file.vectors.map((vector) => ({
      timestampMs: BigInt(vector.timestamp_ms),
      keyCommitment: vector.key_commitment_hex,
      message: vector.expected_digest_hex,
    })),
  };
}

function readFixture(...names: string[]): string {
  if (!fixtureFolder) throw new Error(fixturesMissing);
  return fs.readFileSync(path.join(fixtureFolder, ...names), 'utf8');
}
