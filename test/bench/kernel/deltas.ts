/** Deltas of Guardian as POST /delta stores them once they are verified and acknowledged. */
import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import type { Sql } from '../../../src/database/connect.ts';
import {
  submissionWrites,
  type Candidate,
} from '../../../src/guardian/deltas/submission-writes.ts';
import { rowsAsJson } from '../../../src/kernel/group-commit.ts';

/** Sizes of the published account of protocol 0.16 and its first delta: its state, in bytes. */
const stateBytes = 15_968;
/** Of the delta's summary, in bytes; the payload is its base64 in JSON. */
const summaryBytes = 333;

/** More than one account submits in a run: no worker makes room, each builds on the one before. */
const maxCandidates = 10_000;

/** How a delta is stored. */
export type Way = 'plain' | 'alone' | 'together';

const word = (n: number) => `0x${n.toString(16).padStart(64, '0')}`;
const signer = word(0xabc);
const idOf = (account: number) => `0x${account.toString(16).padStart(30, '0')}`;

/** Configured accounts with a line each, as if all had submitted before. */
export async function createDeltaAccounts(sql: Sql, accounts: number): Promise<void> {
  await sql`
    insert into guardian.account (account_id, auth_scheme, signer_commitments, commitment, state)
    select '0x' || lpad(to_hex(n), 30, '0'), 'ecdsa', ${[signer]}::text[], ${word(0)},
      ${randomBytes(stateBytes)}::bytea
    from generate_series(1, ${accounts}::int) n`;
  await sql`insert into canonry.line (task, account)
    select 'canonicalize', account_id from guardian.account`;
}

/** One account's deltas, each on the result of the one before. */
export class DeltaLine {
  readonly #account: string;
  readonly #queueName: string | null;
  #nonce = 0;
  #timestamp = 0;

  constructor(account: number, queue: 'account' | 'none') {
    this.#account = idOf(account);
    this.#queueName = queue === 'account' ? `account:${this.#account}` : null;
  }

  next(): Candidate {
    this.#timestamp = Math.max(Date.now(), this.#timestamp + 1);
    this.#nonce += 1;
    return {
      account_id: this.#account,
      auth_version: 1n,
      signer,
      timestamp: BigInt(this.#timestamp),
      verdict: 'valid',
      nonce: BigInt(this.#nonce),
      prev_commitment: word(this.#nonce - 1),
      new_commitment: word(this.#nonce),
      summary_commitment: word(this.#nonce),
      payload: JSON.stringify({ data: randomBytes(summaryBytes).toString('base64') }),
      ack_scheme: 'ecdsa',
      ack_pubkey: `0x${'02'.repeat(33)}`,
      ack_signature: `0x${'5a'.repeat(65)}`,
      state: randomBytes(stateBytes),
      signers: [signer],
      bound_here: true,
      queue_name: this.#queueName,
    };
  }
}

/** @returns a function that commits one delta, and throws when it is refused. */
export function storeDeltas(
  sql: Sql,
  way: Way,
  connections: number,
): (delta: Candidate) => Promise<void> {
  const grouped = submissionWrites(sql, { maxCandidates, connections });
  const ways: Record<Way, (delta: Candidate) => Promise<{ outcome: string } | undefined>> = {
    together: grouped,
    async alone(delta) {
      const item = { ...delta, state: `\\x${Buffer.from(delta.state ?? []).toString('hex')}` };
      const [row] = await sql<{ outcome: string }[]>`
        select outcome from guardian.submit_deltas(
          ${rowsAsJson([item])}::text::json, ${maxCandidates})`;
      return row;
    },
    async plain(delta) {
      const [row] = await insertPlainly(sql, delta);
      return row;
    },
  };
  return async (delta) => {
    const row = await ways[way](delta);
    if (row?.outcome !== 'submitted') throw new Error(`a delta was refused: ${row?.outcome}`);
  };
}

/** The same rows in one statement: nothing is checked, no worker is woken. */
function insertPlainly(sql: Sql, d: Candidate) {
  return sql<{ outcome: string }[]>`
    with account as (
      select account_id from guardian.account where account_id = ${d.account_id} for no key update
    ), clock as (
      insert into guardian.signer_clock as c (account_id, signer_commitment, last_timestamp)
        values (${d.account_id}, ${d.signer}, ${d.timestamp})
        on conflict (account_id, signer_commitment) do update
          set last_timestamp = excluded.last_timestamp
    ), candidate as (
      insert into canonry.candidate (line_id)
        select line_id from canonry.line l join account a on l.account = a.account_id
        where l.task = 'canonicalize'
        returning candidate_id
    )
    insert into guardian.delta (
      account_id, nonce, candidate_id, status, prev_commitment, new_commitment,
      summary_commitment, payload, ack_scheme, ack_pubkey, ack_signature,
      result_state, result_signers, result_bound_here
    ) select ${d.account_id}, ${d.nonce}, candidate_id, 'candidate', ${d.prev_commitment},
      ${d.new_commitment}, ${d.summary_commitment}, ${d.payload}::text::json, ${d.ack_scheme},
      ${d.ack_pubkey}, ${d.ack_signature}, ${d.state}, ${d.signers}, ${d.bound_here}
    from candidate returning 'submitted' as outcome`;
}

export interface Stored {
  /** Candidates of an account out of the order of its nonces. */
  order_violations: number;
  /** Answered and not stored, or stored without a wake-up of its account. */
  lost: number;
  /** Candidates that no delta is of. */
  duplicates: number;
}

/** @param answered deltas that were said to be stored. */
export async function judgeStored(
  sql: Sql,
  answered: readonly Candidate[],
  woken: boolean,
): Promise<Stored> {
  const deltas = await sql<{ account_id: string; nonce: bigint; late: boolean; woken: boolean }[]>`
    select account_id, nonce, candidate_id < lag(candidate_id) over line is true as late,
      exists (select 1 from graphile_worker.jobs j where j.key = 'canonicalize:' || account_id)
        as woken
    from guardian.delta window line as (partition by account_id order by nonce)`;
  const [row] = await sql<{ n: number }[]>`
    select count(*)::int as n from canonry.candidate
    where candidate_id not in (select candidate_id from guardian.delta)`;
  const name = (account: string, nonce: bigint) => `${account} ${nonce}`;
  const stored = new Set(
    deltas.filter((d) => d.woken || !woken).map((d) => name(d.account_id, d.nonce)),
  );
  return {
    order_violations: deltas.filter(({ late }) => late).length,
    lost: answered.filter(({ account_id, nonce }) => !stored.has(name(account_id, nonce))).length,
    duplicates: row?.n ?? 0,
  };
}
